"""The relay's work on a job in steps, for the lane: it does many jobs side by side.

The steps are those of :class:`fanfold.app.relay.Relay`, which the Cloud Run function takes one
after the other. Here each one has its place in a turn of the lane: what is stored is part of the
turn's commit, and what is told waits until that commit is made.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fanfold.app.relay import Recorded
from fanfold.app.told import Told
from fanfold.domain.model.errors import (
    BusUnavailable,
    ComeBack,
    Permanent,
    StoreUnavailable,
    Transient,
)
from fanfold.domain.protocol.contract import Call
from fanfold.domain.rules.attempt import conclude
from fanfold.domain.rules.claim import Granted
from fanfold.logs import Log
from fanfold.messages import events, topology
from fanfold.ports.bus import Delivery
from fanfold.ports.outside import Came
from fanfold.runtime.functions import Functions
from fanfold.runtime.health import WorkWatch
from fanfold.runtime.log_lines import Fields, LogLine, job_line

_FUNCTION = "collector_relay"


@dataclass(slots=True)
class Work:
    """A job that was claimed. ``start`` is when its call began; ``began_s`` when the work did."""

    delivery: Delivery
    job: events.JobMessage
    granted: Granted
    began_s: float
    start: datetime


class JobSteps:
    """See :class:`fanfold.adapters.embedded.lane.JobSteps`.

    Args:
        functions: Whose relay works, and whose aggregator counts.
        watch: Looks how long each call lasts.
    """

    def __init__(self, functions: Functions, watch: WorkWatch) -> None:
        self._watch = watch
        self._log: Log = functions.log
        self._functions = replace(functions, log=self._keep)
        self._lines: list[tuple[str, str, dict[str, Any]]] = []
        self._recorded: list[Recorded] = []

    def begin_turn(self) -> None:
        """See :meth:`fanfold.adapters.embedded.lane.JobSteps.begin_turn`."""
        self._lines.clear()
        self._recorded.clear()

    def claim(self, deliveries: Sequence[Delivery]) -> Sequence[Work | Transient | None]:
        """See :meth:`fanfold.adapters.embedded.lane.JobSteps.claim`."""
        began_s = time.perf_counter()
        relay = self._functions.relay
        jobs = [_job(delivery) for delivery in deliveries]
        keys = [(job.run_id, job.collector) for job in jobs if isinstance(job, events.JobMessage)]
        now = relay.clock.now()
        claims = iter(relay.ledger.claim_all(keys, holder=relay.holder, now=now))
        works: list[Work | Transient | None] = []
        for delivery, job in zip(deliveries, jobs, strict=True):
            if isinstance(job, Permanent):
                works.append(self._tell(delivery, None, began_s, job))
                continue
            became: Granted | Told | Transient | Permanent
            try:
                became = relay.claimed(job, next(claims), now)
            except (Transient, Permanent) as exc:
                became = exc
            if isinstance(became, Granted):
                works.append(Work(delivery, job, became, began_s, now))
            else:
                works.append(self._tell(delivery, job, began_s, became))
        return works

    def begin(self, work: Work) -> Call | Transient:
        """See :meth:`fanfold.adapters.embedded.lane.JobSteps.begin`."""
        try:
            call, work.start = self._functions.relay.begin(work.granted, work.job.traceparent)
        except Transient as exc:
            self._tell(work.delivery, work.job, work.began_s, exc)
            return exc
        self._watch.begin(id(work), _FUNCTION, work.delivery)
        return call

    def store(self, ended: Sequence[tuple[Work, Came]]) -> Sequence[Transient | None]:
        """See :meth:`fanfold.adapters.embedded.lane.JobSteps.store`."""
        return [self._store(work, came) for work, came in ended]

    def _store(self, work: Work, came: Came) -> Transient | None:
        relay = self._functions.relay
        self._watch.end(id(work))
        if isinstance(came.reply, Exception):
            raise came.reply
        follows = conclude(
            work.granted, came.reply, start=work.start, end=came.at, jitter=relay.jitter()
        )
        stored: Told | Permanent | ComeBack | Recorded
        try:
            stored = relay.store(work.granted, follows, came.at)
        except Permanent as exc:
            stored = exc
        if isinstance(stored, Recorded):
            self._recorded.append(stored)
            stored = stored.told()
        if isinstance(stored, Told):
            relay.release_next(work.granted.entry, work.job)
        return self._tell(work.delivery, work.job, work.began_s, stored)

    def _tell(
        self,
        delivery: Delivery,
        job: events.JobMessage | None,
        began_s: float,
        became: Told | Transient | Permanent,
    ) -> Transient | None:
        """Log what *became* of a delivery, as of any other; return why it comes back.

        Raises:
            StoreUnavailable, BusUnavailable: That is the file's trouble, and not the job's.
        """

        def use_case(_: Delivery, fields: Fields) -> LogLine:
            if job is not None:
                fields |= {"run_id": job.run_id, "collector": job.collector}
            if isinstance(became, Exception):
                raise became
            return job_line(became, fields)

        try:
            self._functions.work(_FUNCTION, delivery, use_case, began_s=began_s)
        except (StoreUnavailable, BusUnavailable):
            raise
        except Transient as exc:
            return exc
        return None

    def count(self) -> None:
        """See :meth:`fanfold.adapters.embedded.lane.JobSteps.count`."""
        last = {each.stored.run_id: each for each in self._recorded if each.is_first}
        told = [each for each in self._recorded if not each.is_first]
        told += [
            each
            for each in last.values()
            if self._functions.aggregator.has_work(each.stored.run_id)
        ]
        messages = [message for each in told for message in each.messages()]
        if messages:
            self._functions.bus.publish(topology.COLLECTOR_RESULTS, messages)

    def failed(self, delivery: Delivery, bug: Exception) -> None:
        """See :meth:`fanfold.adapters.embedded.lane.JobSteps.failed`."""

        def use_case(*_: object) -> LogLine:
            raise bug

        with suppress(Exception):  # it is the very one
            self._functions.work(_FUNCTION, delivery, use_case)

    def end_turn(self) -> None:
        """See :meth:`fanfold.adapters.embedded.lane.JobSteps.end_turn`."""
        for severity, words, fields in self._lines:
            self._log(severity, words, **fields)
        self._lines.clear()

    def _keep(self, severity: str, message: str, **fields: Any) -> None:
        self._lines.append((severity, message, fields))


def _job(delivery: Delivery) -> events.JobMessage | Permanent:
    """Return the job that *delivery* asks for, or why it asks for none."""
    try:
        return events.decode_job(delivery.message)
    except Permanent as exc:
        return exc
