"""The single-machine service: host, timer and endpoint together, for ``run`` and ``serve``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fanfold import __version__
from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.endpoint import Endpoint, application
from fanfold.adapters.embedded.host import Crew, Host
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.embedded.owners import Owner
from fanfold.adapters.embedded.timer import Timer
from fanfold.domain.model.errors import Transient
from fanfold.runtime.callbacks import take_callback
from fanfold.runtime.parts import Parts

#: Threads that take in results. One: it keeps up with any number of relays, and two would fold a
#: run's report twice when its last answers come together.
AGGREGATOR_WORKERS = 1

#: Threads that turn requests into runs.
DISPATCHER_WORKERS = 1

#: How long a stop waits for calls under way, in seconds: what Cloud Run gives after SIGTERM.
GRACE_S = 10.0


@dataclass(slots=True)
class Service:
    """Runs the three functions on one machine, from :meth:`start` to :meth:`stop`.

    Make it with :func:`embedded_service`.
    """

    parts: Parts
    owner: Owner
    host: Host
    timer: Timer
    endpoint: Endpoint | None

    def start(self) -> None:
        """Begin to work on what is queued, and to keep time."""
        if self.endpoint is not None:
            self.endpoint.start()
        self.host.start()
        self.timer.start()

    def stop(self, grace_s: float = GRACE_S) -> int:
        """Finish or release what is in hand; return how many messages were released."""
        self.timer.stop()
        released = self.host.stop(grace_s)
        if self.endpoint is not None:
            self.endpoint.close()
        self.owner.close()
        return released


def embedded_service(
    parts: Parts,
    owner: Owner,
    *,
    max_concurrent: int,
    schedules: bool,
    listen: tuple[str, int] | None,
) -> Service:
    """Return the service for *parts*, whose ``writer`` is *owner*'s name.

    Args:
        parts: Of the embedded backend.
        owner: This process among those on the file.
        max_concurrent: Most collectors invoked at once, by all processes on the file.
        schedules: Whether to publish cron ticks.
        listen: Host and port of the callback and health endpoint; None serves none.
    """
    bus, ledger, functions = parts.bus, parts.ledger, parts.functions
    assert isinstance(bus, SqliteBus)  # noqa: S101 - the embedded backend's own
    assert isinstance(ledger, SqliteLedger)  # noqa: S101
    crews = {
        "dispatcher": Crew(functions.take_request, DISPATCHER_WORKERS),
        "collector_relay": Crew(functions.take_job, max_concurrent, shared_limit=True),
        "aggregator": Crew(functions.take_result, AGGREGATOR_WORKERS),
    }

    def trouble(text: str) -> None:
        parts.log("ERROR", text)

    endpoint = None
    if listen is not None:
        endpoint = Endpoint(application(partial(take_callback, parts), _health(parts)), *listen)
        if not parts.callback.base:
            parts.callback.base = f"http://{_reachable(listen[0])}:{endpoint.port}"
    return Service(
        parts,
        owner,
        Host(bus, crews, owner, trouble),
        Timer(ledger, bus, parts.clock, parts.catalogue if schedules else None, trouble),
        endpoint,
    )


def _reachable(host: str) -> str:
    """Return the address by which collectors on this machine reach what listens on *host*."""
    return "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 - compared only


def _health(parts: Parts) -> Any:
    def state() -> tuple[int, Mapping[str, Any]]:
        try:
            waiting = parts.bus.waiting() if isinstance(parts.bus, SqliteBus) else {}
            open_runs = [run.run_id for run in parts.ledger.unannounced()]
        except Transient as exc:
            return 503, {"status": "unavailable", "error": str(exc)}
        return 200, {
            "status": "ok",
            "version": __version__,
            "open_runs": open_runs,
            "messages": dict(waiting),
        }

    return state
