"""Which slot is meant: by a tick, or by somebody who names it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.model.run import Run
from fanfold.domain.model.states import RunStatus
from fanfold.domain.rules import clock_nights, schedule
from fanfold.domain.syntax.command_line import fanfold
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import weekday

#: A tick that comes up to so much before a slot is the slot's, if no earlier slot is nearer.
EARLY = timedelta(seconds=60)

#: A tick that comes so much after its slot is no repetition by the carrier: somebody sent it.
REPEATED_WITHIN = timedelta(minutes=10)

#: A time with the name of its zone: ``2026-11-23T03:15[Europe/Paris]``.
_IN_ZONE = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)(?:\[(\S{1,60})\]| +(\S{1,60}))")

_LONGEST = 80


def read_instant(text: str) -> datetime:
    """Return the instant that *text* names: ``2026-11-23T02:15Z``, or with an offset or a zone.

    Raises:
        ValueError: It names none, or no zone, or a time that its zone does not have or has twice.
    """
    text = text.strip()
    match = _IN_ZONE.fullmatch(text)
    try:
        at = datetime.fromisoformat(match[1] if match else text if len(text) <= _LONGEST else "")
    except ValueError as exc:
        raise ValueError(f"{text!r:.80} is no time: write 2026-11-23T02:15Z") from exc
    if match is not None:
        return clock_nights.instant_in(at, match[2] or match[3])
    if at.tzinfo is None and re.fullmatch(r"[0-9-]*|[0-9]{4}-?W[0-9-]+", text):
        raise ValueError(f"{text} has no time of day: write {at:%Y-%m-%d}T02:15Z")
    if at.tzinfo is None:
        like = at.isoformat(timespec="minutes")
        raise ValueError(f"{text} names no zone: write {like}Z for UTC, or {like}[Europe/Paris]")
    try:
        return at.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError(f"{text} lies outside the calendar") from exc


def tick_slot(catalogue: Catalogue, at: datetime, cron: str | None = None) -> datetime | None:
    """Return the slot that a tick at *at* stands for: the last one, or one that is about to come.

    Of *cron* alone if it is given, otherwise of any enabled collector's. A timer may tick early: up
    to :data:`EARLY` before a slot the tick is that slot's, unless an earlier slot is nearer.

    Raises:
        ValueError: *cron* cannot be read.
    """
    last = schedule.slot_of(catalogue, at, cron)
    asked = schedule.crons(catalogue) if cron is None else {cron}
    coming = (schedule.next_fire(each, catalogue.timezone, at) for each in asked)
    following = min((each for each in coming if each is not None), default=None)
    if following is None or following - at > EARLY:
        return last
    return following if last is None or following - at < at - last else last


def named_slot(catalogue: Catalogue, slot: datetime, now: datetime, cron: str | None) -> datetime:
    """Return *slot* if it is one: of *cron*, or of any enabled collector's schedule.

    Raises:
        ValueError: It is none, or still to come; the sentence names the nearest ones.
    """
    zone = catalogue.timezone
    asked = schedule.crons(catalogue) if cron is None else {cron}
    if not any(schedule.last_fire(each, zone, slot) == slot for each in asked):
        raise ValueError(f"{_written(slot)} is no slot of the schedule{_nearest(catalogue, slot)}")
    if slot > now + EARLY:
        wait = duration((slot - now).total_seconds())
        raise ValueError(f"{_written(slot)} is still to come, in {wait}: the schedule starts it")
    return slot


def is_asked_again(request: RunRequest, arrival: Arrival, run: Run, timezone: str) -> bool:
    """Return whether *request* asks once more, on purpose, for the slot whose run is *run*.

    A redelivery does not, nor a tick that its carrier repeated. A tick may be repeated an hour
    later by a clock that was set back: then its time of day is the slot's.
    """
    if arrival.message_id == run.trigger.message_id:
        return False
    if run.scheduled_for is None or run.is_notice:
        return False
    if request.slot is not None:  # a timer names its schedule, a person does not
        return request.schedule is None
    if request.schedule is None:
        return False
    at, slot, tz = arrival.published_at, run.scheduled_for, schedule.zone_of(timezone)
    of_day = at.astimezone(tz).replace(tzinfo=None) - slot.astimezone(tz).replace(tzinfo=None)
    return min(abs(at - slot), abs(of_day)) > REPEATED_WITHIN


def already_has(run: Run) -> str:
    """Return the sentence that says that the slot of *run* has it."""
    return f"this slot already has run {run.run_id} ({run.status.value}); nothing was started"


def instead_of_slot(run: Run) -> str:
    """Return the command to type where somebody asks for the slot that has *run*."""
    if run.verdict is None:
        return fanfold("status", run.run_id)
    return fanfold("run") if run.verdict is RunStatus.SUCCEEDED else fanfold("retry", run.run_id)


def _nearest(catalogue: Catalogue, at: datetime) -> str:
    """Return what stands behind the sentence that *at* is no slot."""
    zone = catalogue.timezone
    crons = schedule.crons(catalogue)
    if not crons:
        return ": no enabled collector has one"
    before = [each for cron in crons if (each := schedule.last_fire(cron, zone, at))]
    after = [each for cron in crons if (each := schedule.next_fire(cron, zone, at))]
    near = [*([max(before)] if before else []), *([min(after)] if after else [])]
    words = " and ".join(f"{_written(each)} ({weekday(each, zone)} {zone})" for each in near)
    jump = clock_nights.jump_before(zone, at)
    left_out = f"; {jump}" if jump else ""
    if not words:
        return ": it does not fire so near to the end of the calendar"
    return f": the nearest {'are' if len(near) > 1 else 'is'} {words}{left_out}"


def _written(slot: datetime) -> str:
    """Return *slot* as one can type it."""
    text = slot.astimezone(UTC).isoformat(timespec="auto").removesuffix("+00:00")
    return text.removesuffix(":00") + "Z"
