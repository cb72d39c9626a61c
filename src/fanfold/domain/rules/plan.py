"""Which collectors a run asks, and why it skips the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from fanfold.domain.model import names
from fanfold.domain.model.collector import Catalogue, Collector, CollectorHistory, Overlap
from fanfold.domain.model.errors import Rejected, SchedulePaused
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.model.run import Entry, Run, Skip, Trigger
from fanfold.domain.rules import pauses, schedule, sizes, slots
from fanfold.domain.rules.overdue import CLOCK_TOLERANCE_S
from fanfold.domain.rules.pauses import Pauses
from fanfold.domain.rules.retry import Retried
from fanfold.domain.rules.second_try import retry_manifest


def identify(request: RunRequest, arrival: Arrival, catalogue: Catalogue) -> str:
    """Return the run's id: from the message alone, so that a redelivery is the same run.

    Raises:
        Rejected: The id cannot be chosen, the schedule is unknown, or none of its crons has fired
            yet.
    """
    if request.dry_run:
        # Under the run's own id, the plan would be taken for the run.
        run_id = identify(replace(request, dry_run=False), arrival, catalogue)
        return run_id[: names.MAX_RUN_ID - len(names.PLANNED)] + names.PLANNED
    if request.run_id is not None and request.slot is not None:
        raise Rejected(["run_id does not go with slot: the slot names the run"])
    if request.retry_of is not None:
        run_id = names.retry_run_id(request.retry_of)
        if request.run_id not in {None, run_id}:
            raise Rejected([f"a retry chooses no run_id: that of {request.retry_of} is {run_id}"])
        return run_id
    if request.run_id is not None:
        problem = names.why_not_chosen(request.run_id, catalogue.schedule)
        if problem is not None:
            raise Rejected([f"run_id {request.run_id!r:.120} cannot be used: {problem}"])
        return request.run_id
    if request.schedule is not None or request.slot is not None:
        return names.scheduled_run_id(_slot(request, arrival, catalogue), catalogue.schedule)
    return names.ad_hoc_run_id(arrival.published_at, arrival.message_id)


def plan(
    request: RunRequest,
    arrival: Arrival,
    catalogue: Catalogue,
    *,
    histories: Mapping[str, CollectorHistory],
    busy: Mapping[str, str],
    retried: Retried | None = None,
    paused: Pauses = (),
) -> tuple[Entry, ...]:
    """Return the manifest: every collector of the configuration, asked or skipped.

    That of a retry has every collector of the run that it retries.

    Args:
        request: What was asked for.
        arrival: How the request came.
        catalogue: The configuration.
        histories: What earlier runs know of the collectors.
        busy: The open run that still waits for a collector, by collector.
        retried: The run that the request retries, if it does.
        paused: What is paused; see :mod:`fanfold.domain.rules.pauses`.

    Raises:
        Rejected: The request names what does not exist, with one sentence for each problem.
        SchedulePaused: A schedule asks, and it is paused.
    """
    problems = sizes.request_problems(request)
    if problems:
        raise Rejected(problems)
    if retried is not None:
        manifest = retry_manifest(
            request,
            retried,
            catalogue,
            histories=histories,
            busy=busy,
            paused=pauses.names_of(paused, arrival.published_at),
        )
        return _fitting(manifest)
    _check_names(request, catalogue)
    slot = _slot(request, arrival, catalogue) if _is_of_slot(request) else None
    if request.schedule is not None and slot is not None:
        pause = pauses.of_slot(paused, catalogue, slot)
        if pause is not None:
            raise SchedulePaused(f"no run: {pauses.sentence(pause, catalogue.timezone)}")
    manifest = tuple(
        _entry(
            collector,
            _skip(collector, request, catalogue, slot, arrival.published_at)
            or _paused(collector, request, catalogue, slot, at=arrival.published_at, paused=paused),
            request,
            past=histories.get(collector.name, CollectorHistory()),
            busy_in=busy.get(collector.name),
        )
        for collector in catalogue.collectors
    )
    return _fitting(manifest)


def _fitting(manifest: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Return *manifest* if a run's record has room for each of its entries.

    Raises:
        Rejected: It does not.
    """
    problems = [
        f"collector {entry.name!r}: {problem}"
        for entry in manifest
        if (problem := sizes.spec_problem(entry.spec)) is not None
    ]
    if problems:
        raise Rejected(problems)
    return manifest


def make_run(
    run_id: str,
    request: RunRequest,
    arrival: Arrival,
    catalogue: Catalogue,
    manifest: tuple[Entry, ...],
    *,
    now: datetime,
    writer: str,
    trace_id: str,
    retried: Retried | None = None,
) -> Run:
    """Return the run's first record. Its deadline counts from *now*, and is stored.

    A retry is for the slot of the run that it retries, and tolerates as many failures as that one
    would now.
    """
    asked = sum(entry.skip is None for entry in manifest)
    counted = asked + sum(entry.carried is not None for entry in manifest)
    tolerated = catalogue.tolerated_failures
    kind = "schedule" if request.schedule else "retry" if request.retry_of else "ad_hoc"
    slot = _slot(request, arrival, catalogue) if _is_of_slot(request) else None
    if retried is not None:
        slot = retried.run.scheduled_for
    return Run(
        run_id=run_id,
        writer=writer,
        trigger=Trigger(kind, request.schedule, request.reason, arrival.message_id),
        start_time=now,
        deadline=now + timedelta(seconds=catalogue.run_timeout_s),
        scheduled_for=slot,
        total=len(manifest),
        asked=asked,
        timezone=catalogue.timezone,
        tolerated_failures=int(
            tolerated * counted if catalogue.tolerated_is_fraction else tolerated
        ),
        report_to=catalogue.report_to,
        config_version=catalogue.version,
        retry_of=request.retry_of,
        expires_at=now + timedelta(seconds=catalogue.keep_s),
        trace_id=trace_id,
    )


def check_age(arrival: Arrival, catalogue: Catalogue, *, now: datetime) -> None:
    """Refuse a request that is too old, or from the future.

    After a run's record has expired a redelivery would otherwise start it again.

    Raises:
        Rejected: It is.
    """
    age_s = (now - arrival.published_at).total_seconds()
    if age_s > catalogue.max_trigger_age_s:
        raise Rejected(
            [
                (
                    f"the request was published {age_s / 3600:.1f} h ago, and requests older than "
                    f"{catalogue.max_trigger_age_s / 3600:.1f} h (scheduler.max_trigger_age) are "
                    "not run; publish it again if it is still wanted"
                )
            ]
        )
    if age_s < -CLOCK_TOLERANCE_S:
        raise Rejected([f"the request claims to be published {-age_s:.0f} s in the future"])


def _is_of_slot(request: RunRequest) -> bool:
    """Return whether the run answers for a slot: whoever asks for what is due asks for one."""
    return request.schedule is not None or request.slot is not None or request.due


def _slot(request: RunRequest, arrival: Arrival, catalogue: Catalogue) -> datetime:
    if request.schedule is not None and request.schedule != catalogue.schedule:
        problems = sizes.request_problems(request)
        if problems:
            raise Rejected(problems)
        near = names.did_you_mean(request.schedule, [catalogue.schedule])
        raise Rejected(
            [
                (
                    f"unknown schedule {request.schedule!r}{near or ':'} the configuration's is "
                    f"{catalogue.schedule!r} (scheduler.name)"
                )
            ]
        )
    at = arrival.published_at
    if request.slot is not None:
        try:
            return slots.named_slot(catalogue, request.slot, at, request.cron)
        except ValueError as exc:
            raise Rejected([str(exc)]) from exc
    slot_at = slots.tick_slot if request.schedule is not None else schedule.slot_of
    try:
        slot = slot_at(catalogue, at, request.cron)
    except ValueError as exc:
        raise Rejected([f"cron {request.cron!r}: {exc}"]) from exc
    if slot is None:
        raise Rejected(["no enabled collector has a schedule that has ever fired"])
    return slot


def _check_names(request: RunRequest, catalogue: Catalogue) -> None:
    known = {collector.name: collector for collector in catalogue.collectors}
    problems = [
        f"unknown collector {name!r}{names.did_you_mean(name, known)}"
        + ("" if key == "collectors" else f" (in {key!r})")
        for key, asked in (
            ("collectors", request.collectors or ()),
            ("exclude", request.exclude),
            ("params", tuple(request.params)),
        )
        for name in dict.fromkeys(asked)
        if name not in known
    ]
    tags = {tag for collector in catalogue.collectors for tag in collector.spec.tags}
    problems += [
        f"no collector has the tag {tag!r}{names.did_you_mean(tag, tags)}"
        for tag in dict.fromkeys(request.tags)
        if tag not in tags
    ]
    if not request.force:
        problems += [
            f"collector {name!r} is disabled: set enabled: true, or ask with force"
            for name in request.collectors or ()
            if name in known and not known[name].enabled
        ]
    if problems:
        raise Rejected(problems)


def why_not_chosen(collector: Collector, request: RunRequest) -> str | None:
    """Return the reason of the skip of a *collector* that *request* leaves out, None if it asks it.

    Whether it is due is another question.
    """
    named = request.collectors is not None and collector.name in request.collectors
    if not collector.enabled and not (named and request.force):
        return "disabled"
    if collector.name in request.exclude:
        return "excluded"
    if request.collectors is not None and not named:
        return "not_selected"
    if request.tags and not set(request.tags) & set(collector.spec.tags):
        return "not_selected"
    return None


def _skip(
    collector: Collector,
    request: RunRequest,
    catalogue: Catalogue,
    slot: datetime | None,
    at: datetime,
) -> Skip | None:
    reason = why_not_chosen(collector, request)
    if reason is not None:
        return Skip(reason)
    if slot is not None and not (
        collector.cron and schedule.fires_at(collector.cron, catalogue.timezone, slot)
    ):
        following = (
            schedule.next_fire(collector.cron, catalogue.timezone, at) if collector.cron else None
        )
        return Skip("not_due", following)
    return None


def _paused(
    collector: Collector,
    request: RunRequest,
    catalogue: Catalogue,
    slot: datetime | None,
    *,
    at: datetime,
    paused: Pauses,
) -> Skip | None:
    """Return the skip of a *collector* that is paused, None if it is asked all the same.

    Who names a collector means it. Only what a schedule asks for, or would, goes by the pauses of
    schedules.
    """
    if request.collectors is not None and collector.name in request.collectors:
        return None
    pause = pauses.of_collector(paused, collector.name, at)
    is_scheduled = request.schedule is not None or request.due
    if pause is None and is_scheduled and collector.cron and slot is not None:
        pause = pauses.of_cron(paused, collector.cron, slot)
    if pause is None:
        return None
    return Skip(pauses.PAUSED, pause.end, pauses.words(pause, catalogue.timezone))


def _entry(
    collector: Collector,
    skip: Skip | None,
    request: RunRequest,
    *,
    past: CollectorHistory,
    busy_in: str | None,
) -> Entry:
    spec = collector.spec
    extra = request.params.get(collector.name)
    if extra:
        spec = replace(spec, params={**spec.params, **extra})
    behind = None
    if skip is None and busy_in is not None and not request.force:
        if collector.on_overlap is Overlap.SKIP:
            skip = Skip("overlap")
        elif collector.on_overlap is Overlap.QUEUE:
            behind = busy_in
    return Entry(spec=spec, skip=skip, past=past, queue_behind=behind)
