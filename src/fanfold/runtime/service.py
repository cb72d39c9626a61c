"""The single-machine service: host, timer and endpoint together, for ``run`` and ``serve``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from fanfold.adapters.embedded import descriptors
from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.clock_changes import ClockChanges
from fanfold.adapters.embedded.endpoint import Endpoint, Site, application
from fanfold.adapters.embedded.host import Function, Host
from fanfold.adapters.embedded.lane import Lane
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.embedded.owners import Owner
from fanfold.adapters.embedded.timer import Timer
from fanfold.adapters.report_folder import FolderSink
from fanfold.messages.topology import NOTIFICATIONS
from fanfold.runtime.callbacks import take_callback
from fanfold.runtime.health import FolderWatch, Health, WorkWatch
from fanfold.runtime.job_steps import JobSteps
from fanfold.runtime.metrics import Metrics
from fanfold.runtime.parts import Parts
from fanfold.runtime.refusals import RUNS_PATH, CountedCallbacks
from fanfold.runtime.run_requests import ADDRESS, run_token, take_run_request

#: How long a stop waits for calls under way, in seconds: what Cloud Run gives after SIGTERM.
GRACE_S = 10.0


@dataclass(slots=True)
class Service:
    """Runs the three functions on one machine, from :meth:`start` to :meth:`stop`.

    Make it with :func:`embedded_service`. ``is_in_place`` returns whether the database file still
    is the one that was opened: a service whose file was deleted or replaced must be stopped.
    """

    parts: Parts
    owner: Owner
    host: Host
    timer: Timer
    folder: FolderWatch
    endpoint: Endpoint | None
    is_in_place: Callable[[], bool]

    def start(self) -> None:
        """Begin to work on what is queued, and to keep time."""
        if self.endpoint is not None:
            self.endpoint.start()
        self.folder.start()
        self.host.start()
        self.timer.start()

    def stop(self, grace_s: float = GRACE_S) -> int:
        """Finish or release what is in hand; return how many messages were released."""
        with ExitStack() as left:  # each of them ends, whatever another one meets
            left.callback(self.owner.close)
            if self.endpoint is not None:
                left.callback(self.endpoint.close)
            left.callback(self.folder.stop)
            self.timer.stop()
            return self.host.stop(grace_s)


def embedded_service(
    parts: Parts,
    owner: Owner,
    *,
    max_concurrent: int,
    schedules: bool,
    listen: tuple[str, int] | None,
    site: Site | None = None,
    may_see: Callable[[str], bool] = lambda _: False,
) -> Service:
    """Return the service for *parts*, whose ``writer`` is *owner*'s name.

    Args:
        parts: Of the embedded backend.
        owner: This process among those on the file.
        max_concurrent: Most collectors invoked at once, by all processes on the file.
        schedules: Whether to publish cron ticks.
        listen: Host and port of the callback and health endpoint; None serves none.
        site: The console, which the endpoint serves beside the rest; None serves none.
        may_see: Returns whether an Authorization header may see the particulars of health.
    """
    bus, ledger, sink = parts.bus, parts.ledger, parts.sink
    assert isinstance(bus, SqliteBus)  # noqa: S101 - the embedded backend's own
    assert isinstance(ledger, SqliteLedger)  # noqa: S101
    assert isinstance(sink, FolderSink)  # noqa: S101

    def trouble(text: str) -> None:
        parts.log("ERROR", text)

    if owner.trouble:
        parts.log("WARNING", owner.trouble)
    limit = descriptors.raise_limit()
    descriptors.load_for_the_end()
    work = WorkWatch(ledger, parts.clock)
    changes = ClockChanges(bus.database, parts.clock)
    lane = _lane(parts, bus, work, max_concurrent, limit)
    host = Host(bus, _functions(parts, work), owner, changes, trouble, lane=lane)
    schedule = parts.catalogue if schedules else None
    timer = Timer(ledger, bus, parts.clock, catalogue=schedule, changes=changes, on_trouble=trouble)
    folder = FolderWatch(sink, lambda: parts.catalogue().report_to, trouble)
    endpoint = None
    if listen is not None:
        callbacks = CountedCallbacks(_Posts(parts, run_token(bus.database)), parts.log)
        duties = {
            "messages": host.standing_still,
            "work": work.standing_still,
            "timer": timer.standing_still,
            "report_folder": folder.standing_still,
        }
        health = Health(
            bus,
            ledger,
            tuple(duties.values()),
            parts.log,
            lambda: callbacks.refused,
            may_see,
        )
        metrics = Metrics(
            bus=bus,
            ledger=ledger,
            clock=parts.clock,
            catalogue=parts.catalogue,
            duties=duties,
            log=parts.log,
            refused=lambda: callbacks.refused,
        )
        app = application(callbacks, health, metrics, site)
        endpoint = Endpoint(app, *listen, connections=max(4, limit // 8))
        address = f"http://{_reachable(listen[0])}:{endpoint.port}"
        if schedules:  # a single run's endpoint is gone before anybody could post there
            bus.database.note(ADDRESS, address)
        parts.callback.base = parts.callback.base or address
    return Service(parts, owner, host, timer, folder, endpoint, bus.database.file.is_in_place)


@dataclass(frozen=True, slots=True)
class _Posts:
    """Takes what is POSTed to the endpoint: run requests with *token*, and callbacks."""

    parts: Parts
    token: str

    def __call__(
        self, path: str, authorization: str, body: bytes, traceparent: str
    ) -> tuple[int, Mapping[str, Any]]:
        """Return HTTP status and JSON answer for a POST of *body* to *path*."""
        if path == RUNS_PATH:
            return take_run_request(self.parts, self.token, authorization, body, traceparent)
        return take_callback(self.parts, path, authorization, body)


def _functions(parts: Parts, work: WorkWatch) -> dict[str, Function]:
    """Return the functions that the host calls, beside the jobs of the lane.

    One worker each: it keeps up with any number of calls, and two would fold a run's report twice
    when its last answers come together.
    """
    functions = parts.functions
    return {
        name: work.watched(name, function)
        for name, function in (
            ("dispatcher", functions.take_request),
            ("aggregator", functions.take_result),
            # A target of notify that is slow keeps no answer waiting.
            (NOTIFICATIONS, functions.take_result),
        )
    }


def _lane(parts: Parts, bus: SqliteBus, work: WorkWatch, max_concurrent: int, limit: int) -> Lane:
    """Return the lane; *limit* is how many files this process may open."""
    from fanfold.runtime.collector_client import collector_loop

    places = descriptors.calls_within(limit, max_concurrent)
    if places < max_concurrent:
        parts.log(
            "WARNING",
            f"only {limit} files may be open (ulimit -n): at most {places} of "
            f"{max_concurrent} collectors are called at once",
        )
    calls = collector_loop(parts.env, places=places, now=parts.clock.now)
    steps = JobSteps(parts.functions, work)
    return Lane(bus.database, steps, calls, places=places, shared_limit=max_concurrent)


def _reachable(host: str) -> str:
    """Return the address by which collectors on this machine reach what listens on *host*."""
    return "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 - compared only
