"""A collector as one run sees it: everything needed to invoke it, fixed when the run is created.

A change of the configuration while a run is under way changes the next run, never this one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fanfold.domain.model.console_rules import ConsoleRules
from fanfold.domain.model.instant import Instant
from fanfold.domain.model.upstream import Upstream


class AuthKind(StrEnum):
    """How the relay proves who it is to a collector."""

    NONE = "none"
    OIDC = "oidc"  #: a Google id token for the collector's URL as audience
    BEARER = "bearer"  #: ``Authorization: Bearer <secret>``
    HEADER = "header"  #: any headers, for instance ``X-Api-Key: <secret>``


@dataclass(frozen=True, slots=True)
class Auth:
    """How to authenticate, with secrets as references.

    ``headers`` maps a header's name to a *template* such as ``Bearer ${FUNCTION_AUTH_TOKEN}`` or
    ``${secret:api-key@3}``. The relay fills templates in just before the call; what they stand
    for is never stored. ``audience`` is for OIDC; empty means the collector's URL without its
    query.
    """

    kind: AuthKind = AuthKind.NONE
    headers: Mapping[str, str] = field(default_factory=dict)
    audience: str = ""


class Transport(StrEnum):
    """How a job travels to the relay on Google Cloud."""

    PUBSUB = "pubsub"
    CLOUD_TASKS = "cloud_tasks"


class Mode(StrEnum):
    """When a collector answers."""

    SYNC = "sync"  #: in the HTTP response
    ASYNC = "async"  #: 202 now, the answer later


class Overlap(StrEnum):
    """What to do with a collector that an earlier run still works on."""

    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"


class Severity(StrEnum):
    """What a broken expectation makes of an answer."""

    FAIL = "fail"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Expect:
    """One expectation of a collector's answer.

    ``name`` is one of min_records, max_records, max_drop, not_exactly, max_age, max_duration,
    max_date_age, schema. ``value`` is a count for the first two, a fraction in (0, 1] for max_drop,
    a list of counts for not_exactly, 0 for schema and seconds for the others. ``written`` tells
    what somebody wrote into the configuration from a default: the former is broken, too, where the
    answer does not say what it is about. Manifests of older versions do not know it.
    """

    name: str
    value: float | tuple[int, ...]
    severity: Severity
    written: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The group of a collector: mirrors of one source, of which ``at_least`` so many are enough."""

    name: str
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class CollectorSpec:
    """How to invoke one collector, and what to expect of it.

    ``timeout_s`` bounds one attempt (in async mode: from acceptance to the answer), in seconds.
    ``max_attempts`` counts the first one. ``backoff_s`` doubles up to ``max_backoff_s``.
    ``required`` collectors decide whether the run succeeded; optional ones never do.
    ``upstream`` names the source behind the collector, and ``limits`` is what that source can bear
    where the configuration says so. ``proxy`` is the template of the URL of a proxy and ``ca_file``
    a file of trusted certificates, both empty where the host's settings hold.

    ``wait_timeout_s`` bounds the wait for the first attempt, ``heartbeat_s`` the silence of an
    asynchronous collector. It is slow after ``slow_after_s``, or ``slow_factor`` times its usual
    time. None sets no bound.
    """

    name: str
    url: str
    timeout_s: float = 600.0
    max_attempts: int = 3
    backoff_s: float = 30.0
    max_backoff_s: float = 600.0
    auth: Auth = field(default_factory=Auth)
    mode: Mode = Mode.SYNC
    params: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    required: bool = True
    expect: tuple[Expect, ...] = ()
    upstream: str | None = None
    proxy: str = ""
    ca_file: str = ""
    limits: Upstream | None = None
    wait_timeout_s: float | None = None
    heartbeat_s: float | None = None
    slow_after_s: float | None = None
    slow_factor: float | None = None
    group: Group | None = None


@dataclass(frozen=True, slots=True)
class CollectorHistory:
    """What earlier runs know of a collector, as it stood when the run was created.

    ``records`` are the counts of the last successes, oldest first (at most 14, None where the
    collector did not say); ``outcomes`` one letter for each of the last 30 runs, oldest first:
    ``s`` succeeded, ``f`` failed, ``t`` timed out, ``c`` cancelled, ``k`` skipped, ``m`` missed
    tick; ``seconds`` the durations of the last 7 successes. ``schema`` is the last one that was
    accepted: that of a success.
    """

    records: tuple[int | None, ...] = ()
    seconds: tuple[float, ...] = ()
    outcomes: str = ""
    revision: str | None = None
    last_success: Instant | None = None
    times: tuple[int, ...] = ()
    kinds: str = ""
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Collector:
    """A collector of the configuration: its spec, and when it runs.

    ``cron`` has five fields and is read in the catalogue's zone; None runs only by hand.
    ``transport`` is None where ``use_cloud_tasks`` decides.
    """

    spec: CollectorSpec
    enabled: bool = True
    cron: str | None = None
    on_overlap: Overlap = Overlap.SKIP
    transport: Transport | None = None

    @property
    def name(self) -> str:
        """The collector's name."""
        return self.spec.name


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The checked configuration: every collector, and what holds for a whole run.

    Args:
        collectors: All of them, enabled or not, in the file's order; names are unique.
        timezone: IANA name of the zone in which cron expressions are read.
        schedule: What scheduled runs are called; the last part of their ids.
        run_timeout_s: The report is due this long after the run's start, in seconds.
        missed_after_s: A slot without a run is *missed* after this many seconds.
        max_trigger_age_s: Older run requests are refused, in seconds.
        tolerated_failures: Failures of required collectors that leave a run succeeded; a
            fraction of those asked where ``tolerated_is_fraction``.
        max_concurrent_collectors: Most collectors that may be invoked at once.
        report_to: A folder's path or a ``gs://bucket/prefix``.
        keep_s: How long runs and reports are kept, in seconds.
        version: ``sha256:`` and the digest of the configuration as read.
        use_cloud_tasks: Whether jobs go by Cloud Tasks where a collector does not say.
        notify: Where to say that a run failed, recovered or was missed (templates, as in
            :class:`Auth`).
        console: Who may look at the console, and whom it believes.
    """

    collectors: tuple[Collector, ...]
    timezone: str = "UTC"
    schedule: str = "scheduled"
    run_timeout_s: float = 7200.0
    missed_after_s: float = 2700.0
    max_trigger_age_s: float = 86_400.0
    tolerated_failures: float = 0
    tolerated_is_fraction: bool = False
    max_concurrent_collectors: int = 4
    report_to: str = "reports"
    keep_s: float = 400 * 86_400.0
    version: str = ""
    use_cloud_tasks: bool = False
    queue_name: str = ""
    service_account_email: str = ""
    use_secret_manager: bool = False
    notify: Mapping[str, Any] = field(default_factory=dict)
    console: ConsoleRules = field(default_factory=ConsoleRules)

    @property
    def sources(self) -> Mapping[Upstream, int]:
        """The sources with limits, and how many enabled collectors are before each."""
        return sources_of(each.spec for each in self.collectors if each.enabled)

    def travels_by_tasks(self) -> Callable[[str], bool]:
        """Return what tells whether the job of a collector, by name, goes by Cloud Tasks.

        Of a name that is no longer in the configuration ``use_cloud_tasks`` decides.
        """
        chosen = {each.name: each.transport for each in self.collectors if each.transport}
        usual = Transport.CLOUD_TASKS if self.use_cloud_tasks else Transport.PUBSUB
        return lambda name: chosen.get(name, usual) is Transport.CLOUD_TASKS

    @property
    def needs_queue(self) -> bool:
        """Whether any enabled collector's job goes by Cloud Tasks."""
        by_tasks = self.travels_by_tasks()
        return any(each.enabled and by_tasks(each.name) for each in self.collectors)

    def collector(self, name: str) -> Collector:
        """Return the collector called *name*.

        Raises:
            KeyError: There is none.
        """
        for collector in self.collectors:
            if collector.name == name:
                return collector
        raise KeyError(name)


def sources_of(specs: Iterable[CollectorSpec]) -> Mapping[Upstream, int]:
    """Return the sources with limits, and how many of the collectors of *specs* are before each."""
    return Counter(spec.limits for spec in specs if spec.limits is not None)
