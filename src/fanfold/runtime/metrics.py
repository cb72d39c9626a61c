"""What ``GET /metrics`` of a single-machine service says, in Prometheus' text format.

Every value is read from the ledger and the bus when it is asked for, with a bound on what is read,
so a restart changes none of them. Label sets are bounded too: collectors are those of the
configuration, and a kind of failure that a collector made up counts as ``other``.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fanfold import __version__
from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import Permanent, Transient
from fanfold.domain.model.run import Run
from fanfold.domain.model.states import Outcome, Phase, RunStatus
from fanfold.domain.model.unreadable import KIND as UNREADABLE
from fanfold.domain.rules.history import SUCCESS
from fanfold.domain.rules.upstreams import at
from fanfold.logs import JsonLog, Log
from fanfold.ports.outside import Clock

if TYPE_CHECKING:
    from prometheus_client import Metric

#: The runs that are counted: those that began so long ago at most, in seconds …
WINDOW_S = 86_400.0

#: … and of these the newest, so many at most; the answers of so many at most are counted.
MOST_RUNS, MOST_ANSWERED = 1000, 100

#: The kinds of failure that have a label of their own.
KINDS = frozenset(
    [
        "http",
        "network",
        "timeout",
        "wait_timeout",
        "heartbeat",
        "deadline",
        "expectation",
        "reported",
        "bad_response",
        "too_large",
        "redirect",
        "auth",
        "cancelled",
        "lost",
        "upstream",
        UNREADABLE,
    ]
)

#: An outcome and a kind of failure, and how many answers have them.
Counts = Counter[tuple[str, str]]

#: The values of a metric by the values of its labels.
Samples = Mapping[tuple[str, ...], float]

#: HTTP status, content type and body.
Page = tuple[int, str, bytes]


@dataclass(slots=True, eq=False)  # the registry takes it as a key
class Metrics:
    """Answers ``GET /metrics``, one scrape at a time.

    Attributes:
        bus: Whose messages are counted.
        ledger: Whose runs, collectors and dead letters are counted.
        clock: Tells the age of what is counted.
        catalogue: Returns the configuration, whose collectors are shown.
        duties: By name, what returns why a duty stands still.
        log: Whose lost lines are counted.
        refused: Returns how many callbacks and run requests were refused over HTTP.
    """

    bus: SqliteBus
    ledger: SqliteLedger
    clock: Clock
    catalogue: Callable[[], Catalogue]
    duties: Mapping[str, Callable[[], Sequence[str]]]
    log: Log
    refused: Callable[[], int]
    _counted: OrderedDict[str, Counts] = field(default_factory=OrderedDict)
    _scraping: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> Page:
        """Return the page: 503 while another one is made, or without prometheus-client."""
        plain = "text/plain; charset=utf-8"
        try:
            # Only who is scraped needs it: it takes longer to load than a command may.
            from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
            from prometheus_client import generate_latest as page_of
        except ImportError:
            return 503, plain, b'metrics need prometheus-client: pip install "fanfold[cli]"\n'
        if not self._scraping.acquire(blocking=False):
            return 503, plain, b"try again: another scrape is under way\n"
        try:
            registry = CollectorRegistry()
            registry.register(self)
            return 200, CONTENT_TYPE_LATEST, page_of(registry)
        finally:
            self._scraping.release()

    def describe(self) -> list[Metric]:
        """Return nothing: registering must not read the file."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give every metric; those of a file that cannot be read are left out."""
        yield from self._of_process()
        try:
            stored = [*self._of_messages(), *self._of_runs()]
            catalogue = self.catalogue()
            stored += [*self._of_collectors(catalogue), *self._of_sources(catalogue)]
        except (Transient, Permanent):
            stored = []
        yield _gauge("ledger_readable", "1 while the database can be read.", {(): bool(stored)})
        damaged = len(self.ledger.unreadable())
        yield _gauge("unreadable_records", "Stored records that cannot be read.", {(): damaged})
        yield from stored

    def _of_process(self) -> Iterator[Metric]:
        yield _gauge("build_info", "The version.", {(__version__,): 1}, ["version"])
        alive: Samples = {(name,): not still() for name, still in self.duties.items()}
        yield _gauge(
            "duty_alive", "1 while the duty goes on, 0 if it stands still.", alive, ["duty"]
        )
        lost = self.log.lost if isinstance(self.log, JsonLog) else 0
        yield _counter("log_lines_lost", "Log lines that could not be written.", lost)
        yield _counter(
            "callbacks_refused", "Callbacks and run requests refused over HTTP.", self.refused()
        )

    def _of_messages(self) -> Iterator[Metric]:
        now = self.clock.now()
        waiting = self.bus.backlog()
        counts: Samples = {
            (name,): waiting[name][0] if name in waiting else 0 for name in self._queues()
        }
        ages: Samples = {
            (name,): _age_s(waiting[name][1], now) if name in waiting else 0.0
            for name in self._queues()
        }
        by = ["subscription"]
        yield _gauge("messages", "Messages that are not acknowledged.", counts, by)
        yield _gauge("oldest_message_age_seconds", "Age of the oldest of them.", ages, by)
        found = self.ledger.count_dead_letters()
        letters: dict[tuple[str, ...], float] = {(name,): 0 for name in (*self._queues(), "other")}
        for name, count in found.items():
            letters[(name,) if (name,) in letters else ("other",)] += count
        yield _gauge("dead_letters", "Dead letters that were not replayed.", letters, by)

    def _queues(self) -> Sequence[str]:
        return sorted(self.bus.topology.subscriptions)

    def _of_runs(self) -> Iterator[Metric]:
        since = self.clock.now() - timedelta(seconds=WINDOW_S)
        runs = self.ledger.runs_between(since, None, MOST_RUNS)
        by_status = Counter(run.status for run in runs)
        yield _gauge(
            "runs",
            "Runs, refusals and missed slots of the last 24 hours, by status.",
            {(status.value,): by_status[status] for status in RunStatus},
            ["status"],
        )
        counts: Counts = Counter({(outcome.value, ""): 0 for outcome in Outcome})
        for run in [each for each in runs if not each.is_notice][:MOST_ANSWERED]:
            counts.update(self._answers_of(run))
        yield _gauge(
            "collectors",
            "Answers of the last 24 hours, by outcome and kind of failure.",
            dict(counts.items()),
            ["outcome", "kind"],
        )

    def _answers_of(self, run: Run) -> Counts:
        """Return the answers of *run* as counts; those of a final run are read once."""
        if run.run_id in self._counted:
            return self._counted[run.run_id]
        counts: Counts = Counter()
        for answer in self.ledger.answers(run.run_id):
            kind = answer.error.kind if answer.error else ""
            counts[answer.outcome.value, kind if kind in KINDS or not kind else "other"] += 1
        if run.phase is Phase.FINAL and not counts[Outcome.FAILED.value, UNREADABLE]:
            self._counted[run.run_id] = counts
            while len(self._counted) > MOST_ANSWERED:
                self._counted.popitem(last=False)
        return counts

    def _of_collectors(self, catalogue: Catalogue) -> Iterator[Metric]:
        names = [each.name for each in catalogue.collectors if each.enabled]
        past = self.ledger.past_runs(names)
        good = {
            name: successes[-1].figures
            for name in names
            if (
                successes := [
                    each for each in past.get(name, ()) if each.figures.outcome == SUCCESS
                ]
            )
        }
        ends: Samples = {(name,): each.end_time.timestamp() for name, each in good.items()}
        seconds: Samples = {
            (name,): each.seconds for name, each in good.items() if each.seconds is not None
        }
        records: Samples = {
            (name,): each.records for name, each in good.items() if each.records is not None
        }
        by, last = ["collector"], "of the collector's last success"
        yield _gauge(
            "collector_last_success_timestamp_seconds", f"End {last}, Unix time.", ends, by
        )
        yield _gauge("collector_last_success_duration_seconds", f"Length {last}.", seconds, by)
        yield _gauge("collector_last_success_records", f"Records {last}.", records, by)

    def _of_sources(self, catalogue: Catalogue) -> Iterator[Metric]:
        limits = list(catalogue.sources)
        now, states = self.clock.now(), self.ledger.upstreams([each.name for each in limits])
        found = {(each.name,): at(states[each.name], each, now) for each in limits}
        down: Samples = {key: state.opened_at is not None for key, state in found.items()}
        calls: Samples = {key: len(state.places) for key, state in found.items()}
        by = ["upstream"]
        yield _gauge("upstream_down", "1 while the breaker of a source is open, else 0.", down, by)
        what = "Calls under way at a source with max_concurrent."
        yield _gauge("upstream_calls", what, calls, by)


def _gauge(
    name: str,
    what: str,
    values: Samples,
    labels: Sequence[str] = (),
) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(f"fanfold_{name}", what, labels=labels)
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family


def _counter(name: str, what: str, value: float) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(f"fanfold_{name}", what)
    family.add_metric((), value)
    return family


def _age_s(since: datetime, now: datetime) -> float:
    """Return how old something is, in seconds; 0 where the clock was set back."""
    return max(0.0, (now - since).total_seconds())
