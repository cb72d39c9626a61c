"""What the three functions share: one use case for a delivery, acknowledge or raise, log once.

The Cloud Run functions in ``functions/`` and the embedded host call the same methods: returning
acknowledges the message, raising makes its carrier deliver it again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fanfold.app.aggregate import Aggregator
from fanfold.app.dispatch import dispatch
from fanfold.app.finish import Finisher
from fanfold.app.notices import refuse
from fanfold.app.notify import Notifier
from fanfold.app.relay import Relay
from fanfold.app.sweep import Sweeper
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import (
    Permanent,
    Rejected,
    SchedulePaused,
    Transient,
    words_of,
)
from fanfold.domain.model.request import Arrival
from fanfold.domain.model.run import Run
from fanfold.domain.model.states import Outcome, RunStatus
from fanfold.domain.protocol.shown_message import without_signed_tokens
from fanfold.domain.syntax.text import plural
from fanfold.logs import Log, Seldom
from fanfold.messages import events, run_request, topology
from fanfold.ports.bus import Bus, Delivery, Message
from fanfold.ports.ledger import DeadLetter, Ledger
from fanfold.ports.outside import Clock
from fanfold.runtime.log_lines import Fields, LogLine, answer_line, end_line, job_line, put_trace

#: How long the record of a refused request is kept where no configuration can be read, in seconds.
REFUSED_KEEP_S = 400 * 86_400.0

#: So many of the slots that were missed together are named in the line that tells them.
_RECORDS_SHOWN = 5

#: Most sentences of trouble that the line of one sweep spells out.
MOST_TROUBLE = 5

#: The field ``configuration`` of a log line that an alert looks for.
UNREADABLE = "unreadable"

#: Works on a delivery; returns what became of it.
UseCase = Callable[[Delivery, Fields], LogLine]


@dataclass(frozen=True, slots=True)
class Functions:
    """The three functions, put together by :func:`fanfold.runtime.parts.assemble`.

    ``catalogue`` returns the configuration as it now is, and raises a Permanent error if it
    cannot be read. ``readable`` then returns what of it can be: its slots, and whom to tell; None
    if not even those. ``writer`` names this process in what it writes. ``is_paced`` says that the
    bus pushes jobs whether or not there is a place for them.
    """

    ledger: Ledger
    bus: Bus
    clock: Clock
    finisher: Finisher
    relay: Relay
    aggregator: Aggregator
    sweeper: Sweeper
    notifier: Notifier
    catalogue: Callable[[], Catalogue]
    readable: Callable[[], Catalogue | None]
    writer: str
    log: Log
    is_paced: bool = False
    seldom: Seldom = field(default_factory=Seldom)

    def named(self, function: str) -> Callable[[Delivery], None]:
        """Return the function that the topology calls *function*."""
        by_name = {
            "dispatcher": self.take_request,
            "collector_relay": self.take_job,
            "aggregator": self.take_result,
        }
        return by_name[function]

    def take_request(self, delivery: Delivery) -> None:
        """Dispatcher: turn a run request into a run, or into the record of its refusal."""
        self.work("dispatcher", delivery, self._dispatch)

    def take_job(self, delivery: Delivery) -> None:
        """Collector relay: invoke one collector for one run."""
        self.work("collector_relay", delivery, self._relay)

    def take_result(self, delivery: Delivery) -> None:
        """Aggregator: take in one result, sweep, or tell people and machines of a run."""
        kind = events.event_type(delivery.message)
        use_case = self._aggregate
        if delivery.subscription == topology.NOTIFICATIONS:
            use_case = self._notify
        elif kind == events.SWEEP_TICK or delivery.subscription == topology.SWEEP_TICKS:
            use_case = self._sweep
        self.work("aggregator", delivery, use_case)

    def _dispatch(self, delivery: Delivery, fields: Fields) -> LogLine:
        arrival = Arrival(delivery.message_id, delivery.published_at)
        try:
            run = dispatch(
                run_request.decode_run_request(delivery.message),
                arrival,
                catalogue=self._configured(fields),
                ledger=self.ledger,
                bus=self.bus,
                clock=self.clock,
                # One for each delivery: two of one request, side by side, are two writers.
                writer=f"{self.writer}/{uuid.uuid4().hex[:8]}",
                finisher=self.finisher,
                is_paced=self.is_paced,
            )
        except SchedulePaused as exc:
            return "NOTICE", str(exc)
        except Permanent as exc:
            run = self.refuse(exc, delivery.message, arrival)
            severity = self._severity_of_refusal(exc, run, fields)
        else:
            severity = "WARNING" if run.status is RunStatus.REJECTED else "INFO"
        fields |= {"run_id": run.run_id, "status": run.status.value, "asked": run.asked}
        put_trace(run.trace_id, fields)
        return severity, run.about or f"run {run.status.value}"

    def _severity_of_refusal(self, why: Permanent, record: Run, fields: Fields) -> str:
        """Return how loudly a refusal is told: by night nobody reads a warning.

        A schedule whose slot has its run already loses nothing by the refusal.
        """
        if fields.get("configuration") == UNREADABLE:
            return "ERROR"
        run_id = why.run_id if isinstance(why, Rejected) else None
        has_its_run = run_id is not None and self.ledger.run(run_id) is not None
        return "ERROR" if record.trigger.kind == "schedule" and not has_its_run else "WARNING"

    def _configured(self, fields: Fields) -> Catalogue:
        """Return the configuration; where it cannot be read, *fields* says so for the alert."""
        try:
            return self.catalogue()
        except Permanent:
            fields["configuration"] = UNREADABLE
            raise

    def refuse(self, why: Permanent, message: Message, arrival: Arrival) -> Run:
        """Record that the request in *message* starts no run, tell it, and return the record."""
        problems = why.problems if isinstance(why, Rejected) else str(why).splitlines()[:10]
        record = refuse(
            problems or ["no reason given"],
            message,
            arrival,
            asked_id=(why.run_id if isinstance(why, Rejected) else None)
            or run_request.asked_id(message),
            ledger=self.ledger,
            clock=self.clock,
            writer=self.writer,
            keep_s=REFUSED_KEEP_S,
        )
        event = events.encode_notice(record, at=self.clock.now())
        self.bus.publish(topology.RUN_REPORTS, [event])
        return record

    def _relay(self, delivery: Delivery, fields: Fields) -> LogLine:
        job = events.decode_job(delivery.message)
        fields |= {"run_id": job.run_id, "collector": job.collector}
        return job_line(self.relay.work(job), fields)

    def _aggregate(self, delivery: Delivery, fields: Fields) -> LogLine:
        result = events.decode_result(delivery.message)
        fields |= {"run_id": result.run_id, "collector": result.collector}
        told = self.aggregator.take(result)
        put_trace(told.trace_id, fields)
        failed = told.answer is not None and told.answer.outcome is not Outcome.SUCCEEDED
        line = answer_line(told.answer, fields) if told.answer and failed else ("INFO", told.words)
        if told.report is not None:
            self._tell_end(told.report, told.trace_id)
        return line

    def _tell_end(self, report: Mapping[str, Any], trace_id: str) -> None:
        """Log the end of a run that did not succeed, in a line of its own."""
        fields: Fields = {"function": "aggregator"}
        line = end_line(report, fields)
        if line[0] != "INFO":
            put_trace(trace_id, fields)
            self.log(*line, **fields)

    def _notify(self, delivery: Delivery, fields: Fields) -> LogLine:
        event = events.decode_run_event(delivery.message)
        fields |= {"run_id": event.run_id, "event": event.kind}
        try:
            catalogue = self.catalogue()
        except Permanent:
            # That nothing could be started is what people must hear of now.
            readable = self.readable()
            if readable is None:
                raise
            catalogue = readable
        return "INFO", self.notifier.take(event, catalogue)

    def _sweep(self, delivery: Delivery, fields: Fields) -> LogLine:
        # A slot that a wrong clock calls overdue would be recorded as missed for good.
        is_trusted = not events.clock_was_set(delivery.message)
        swept = self.sweeper.sweep(
            self._slots() if is_trusted else None, is_clock_trusted=is_trusted
        )
        self._tell_trouble(swept.trouble)
        for trace_id, answer in swept.answers:
            of_answer: Fields = {"function": "aggregator"}
            line = answer_line(answer, of_answer)
            put_trace(trace_id, of_answer)
            self.log(*line, **of_answer)
        for trace_id, report in swept.reports:
            self._tell_end(report, trace_id)
        done = {action: what for action, what in swept.by_action.items() if what}
        fields.update(done)
        if swept.missed:
            return "WARNING", _missed_words(swept.missed)
        return "INFO", "swept" if done else "nothing to sweep"

    def _tell_trouble(self, trouble: Sequence[str]) -> None:
        """Log what the sweep met, in one line; the same line again once in a while."""
        more = len(trouble) - MOST_TROUBLE
        said = "; ".join(trouble[:MOST_TROUBLE]) + (f"; and {more} more" if more > 0 else "")
        if trouble and self.seldom.may_tell(said):
            self.log("ERROR", f"the sweep goes on, but: {said}", function="aggregator")

    def _slots(self) -> Catalogue | None:
        """Return what tells the slots, also where the rest of the configuration cannot be read."""
        try:
            return self.catalogue()
        except Permanent as exc:
            readable = self.readable()
            watched = "" if readable else ", and missed runs are not looked for"
            self.log(
                "ERROR",
                f"the configuration cannot be read, so no run starts{watched}: {exc}",
                function="aggregator",
                configuration=UNREADABLE,
            )
            return readable

    def work(
        self, function: str, delivery: Delivery, use_case: UseCase, *, began_s: float | None = None
    ) -> None:
        """Let *use_case* work on *delivery* for *function*, and log what became of it.

        Args:
            function: The function's name in the topology.
            delivery: What it works on.
            use_case: What is done.
            began_s: When the work on it began, by ``time.perf_counter``; now if absent.

        Raises:
            Transient: The delivery comes back.
        """
        started = time.perf_counter() if began_s is None else began_s
        fields: Fields = {
            "function": function,
            "message_id": delivery.message_id,
            "delivery_attempt": delivery.attempt,
            "traceparent": events.traceparent_in(delivery.message),
        }
        try:
            severity, outcome = self._settled(use_case, delivery, fields)
        except Transient as exc:
            self.log("NOTICE", f"comes back: {exc}", **fields, retry_after_s=exc.after_s)
            raise
        except Exception as exc:
            self.log("CRITICAL", f"a bug, please report it: {words_of(exc)}", **fields)
            raise
        spent_ms = round((time.perf_counter() - started) * 1000, 1)
        self.log(severity, outcome, **fields, duration_ms=spent_ms)

    def _settled(self, use_case: UseCase, delivery: Delivery, fields: Fields) -> LogLine:
        """Return the log line of a delivery that is then acknowledged."""
        try:
            return use_case(delivery, fields)
        except Permanent as exc:
            self.ledger.park(self._letter(delivery, exc))
            return "ERROR", f"dead letter: {exc}"

    def _letter(self, delivery: Delivery, why: Permanent) -> DeadLetter:
        data = delivery.message.data
        if delivery.subscription == topology.COLLECTOR_RESULTS:
            data = without_signed_tokens(data)
        return DeadLetter(
            delivery.message_id,
            delivery.subscription,
            str(why),
            data,
            delivery.message.attributes,
            self.clock.now(),
        )


def _missed_words(records: Sequence[str]) -> str:
    """Return what a sweep says that found slots without a run; *records* are the ids of theirs."""
    shown = ", ".join(records[-_RECORDS_SHOWN:])
    left = len(records) - _RECORDS_SHOWN
    more = f", and {left} earlier" if left > 0 else ""
    return f"missed: no run came for {plural(len(records), 'slot')}: {shown}{more}"
