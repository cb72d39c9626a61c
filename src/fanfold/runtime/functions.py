"""What the three functions share: one use case for a delivery, acknowledge or raise, log once.

The Cloud Run functions in ``functions/`` and the embedded host call the same methods: returning
acknowledges the message, raising makes its carrier deliver it again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fanfold.app.aggregate import Aggregator
from fanfold.app.dispatch import dispatch
from fanfold.app.finish import Finisher
from fanfold.app.notices import refuse
from fanfold.app.relay import Relay
from fanfold.app.sweep import Sweeper
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import Permanent, Rejected, Transient
from fanfold.domain.model.request import Arrival
from fanfold.domain.model.run import Run
from fanfold.logs import Log
from fanfold.messages import events, run_request, topology
from fanfold.ports.bus import Bus, Delivery
from fanfold.ports.ledger import DeadLetter, Ledger
from fanfold.ports.outside import Clock

#: How long the record of a refused request is kept where no configuration can be read, in seconds.
REFUSED_KEEP_S = 400 * 86_400.0

#: What a use case says of itself for the log: a sentence, and fields.
LogLine = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Doors:
    """The three functions, put together by :func:`fanfold.runtime.parts.assemble`.

    ``catalogue`` returns the configuration as it now is, and raises a Permanent error if it
    cannot be read. ``writer`` names this process in what it writes.
    """

    ledger: Ledger
    bus: Bus
    clock: Clock
    finisher: Finisher
    relay: Relay
    aggregate: Aggregator
    sweeper: Sweeper
    catalogue: Callable[[], Catalogue]
    writer: str
    log: Log

    def dispatcher(self, delivery: Delivery) -> None:
        """Turn a run request into a run, or into the record of its refusal."""
        self._work("dispatcher", delivery, self._dispatch)

    def collector_relay(self, delivery: Delivery) -> None:
        """Invoke one collector for one run."""
        self._work("collector_relay", delivery, self._relay)

    def aggregator(self, delivery: Delivery) -> None:
        """Take in one result, or sweep."""
        kind = events.event_type(delivery.message)
        is_tick = kind == events.SWEEP_TICK or delivery.subscription.endswith(topology.SWEEP_TICKS)
        self._work("aggregator", delivery, self._sweep if is_tick else self._aggregate)

    def _dispatch(self, delivery: Delivery) -> LogLine:
        arrival = Arrival(delivery.message_id, delivery.published_at)
        try:
            run = dispatch(
                run_request.decode_run_request(delivery.message),
                arrival,
                catalogue=self.catalogue(),
                ledger=self.ledger,
                bus=self.bus,
                clock=self.clock,
                # One for each delivery: two of one request, side by side, are two writers.
                writer=f"{self.writer}/{uuid.uuid4().hex[:8]}",
                finisher=self.finisher,
            )
        except Permanent as exc:
            problems = exc.problems if isinstance(exc, Rejected) else str(exc).splitlines()[:10]
            run = refuse(
                problems or ["no reason given"],
                delivery.message,
                arrival,
                asked_id=getattr(exc, "run_id", None) or run_request.asked_id(delivery.message),
                ledger=self.ledger,
                clock=self.clock,
                writer=self.writer,
                keep_s=REFUSED_KEEP_S,
            )
        return run.about or f"run {run.status.value}", _run_fields(run)

    def _relay(self, delivery: Delivery) -> LogLine:
        job = events.decode_job(delivery.message)
        said = self.relay.work(job)
        return said, {"run_id": job.run_id, "collector": job.collector}

    def _aggregate(self, delivery: Delivery) -> LogLine:
        result = events.decode_result(delivery.message)
        said = self.aggregate.take(result)
        return said, {"run_id": result.run_id, "collector": result.collector}

    def _sweep(self, delivery: Delivery) -> LogLine:  # noqa: ARG002 - a tick says nothing but now
        swept = self.sweeper.sweep(self._catalogue_if_readable())
        for trouble in swept.trouble:
            self.log("ERROR", f"the sweep goes on, but: {trouble}", function="aggregator")
        did = {name: getattr(swept, name) for name in swept.__slots__ if getattr(swept, name)}
        return "swept" if did else "nothing to sweep", did

    def _catalogue_if_readable(self) -> Catalogue | None:
        try:
            return self.catalogue()
        except Permanent as exc:
            self.log("WARNING", f"missed runs are not looked for: {exc}", function="aggregator")
            return None

    def _work(
        self, function: str, delivery: Delivery, use_case: Callable[[Delivery], LogLine]
    ) -> None:
        started = time.perf_counter()
        common: dict[str, Any] = {
            "function": function,
            "message_id": delivery.message_id,
            "delivery_attempt": delivery.attempt,
            "traceparent": events.traceparent_in(delivery.message),
        }
        try:
            said, fields = use_case(delivery)
        except Permanent as exc:
            self.ledger.park(self._letter(delivery, exc))
            self.log("ERROR", f"dead letter: {exc}", **common, **_named(exc))
        except Transient as exc:
            self.log("NOTICE", f"comes back: {exc}", **common, retry_after_s=exc.after_s)
            raise
        except Exception as exc:
            self.log("CRITICAL", f"a bug, please report it: {exc!r}", **common)
            raise
        else:
            spent_ms = round((time.perf_counter() - started) * 1000, 1)
            self.log("INFO", said, **common, **fields, duration_ms=spent_ms)

    def _letter(self, delivery: Delivery, why: Permanent) -> DeadLetter:
        return DeadLetter(
            delivery.message_id,
            delivery.subscription,
            str(why),
            delivery.message.data,
            delivery.message.attributes,
            self.clock.now(),
        )


def _run_fields(run: Run) -> dict[str, Any]:
    return {"run_id": run.run_id, "status": run.status.value, "asked": run.asked}


def _named(exc: Permanent) -> dict[str, Any]:
    """Return the run and collector that an error names, for the log's labels."""
    return {name: getattr(exc, name) for name in ("run_id", "collector") if hasattr(exc, name)}
