"""The manifest of a retry: who is asked again, and which answers are carried over.

It has every collector of the run that is retried. What is not asked again has its answer there, so
the report of the retry is whole, and stays so when the record of the first run has expired.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from fanfold.domain.model.collector import Catalogue, Collector, CollectorHistory, Overlap
from fanfold.domain.model.errors import Rejected
from fanfold.domain.model.names import did_you_mean
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import Answer, EarlierTry, Entry, Skip
from fanfold.domain.rules.history import without_slot
from fanfold.domain.rules.retry import (
    DISABLED_NOW,
    Retried,
    RetryPlan,
    differing,
    nothing_words,
    retry_plan,
)

#: Why the answer of a collector is carried over that need not be asked again.
ANSWERED = "answered"

#: Most tries of a collector that a retry remembers: the first, and the last of the others.
MAX_EARLIER = 20

#: Most bytes of an answer that is carried over, as compact JSON in ASCII: with its collector's
#: settings (at most 600,000) and past it fits into a Firestore document.
MAX_CARRIED_BYTES = 250_000

#: What a carried answer does without if it is larger, in this order.
_SPARED: Sequence[tuple[str, Any]] = (
    ("log", ()),
    ("artifacts", ()),
    ("metrics", {}),
    ("warnings", ()),
    ("expectations", ()),
    ("attempts", ()),
)


def retry_manifest(
    request: RunRequest,
    retried: Retried,
    catalogue: Catalogue,
    *,
    histories: Mapping[str, CollectorHistory],
    busy: Mapping[str, str],
    paused: Collection[str] = (),
) -> tuple[Entry, ...]:
    """Return the manifest of the retry that *request* asks for: all collectors of its run.

    Args:
        request: What was asked for.
        retried: The run that it retries.
        catalogue: The configuration of now: those that are asked again are asked by it.
        histories: What earlier runs know of the collectors.
        busy: The open run that still waits for a collector, by collector.
        paused: The collectors that are paused: they are asked only if they are named.

    Raises:
        Rejected: There is nothing to ask, or what is named cannot be asked.
    """
    named = request.collectors
    plan = retry_plan(retried, catalogue, named=named, force=request.force, paused=paused)
    problems = _problems(request, retried, catalogue, plan)
    again = set(plan.collectors) - set(request.exclude)
    if not again and not problems:
        problems = [nothing_words(plan)]
    if problems:
        raise Rejected(problems)
    why = {name: reason for reason, names in plan.others.items() for name in names}
    standing = retried.standing
    manifest = []
    for entry in retried.manifest:
        answer = standing.get(entry.name)
        if entry.name not in again:
            kept, reason = entry, why.get(entry.name, "excluded")
            if answer is not None and entry.name in retried.since:
                kept, answer = _tried(entry, answer), retried.since[entry.name]
                reason = ANSWERED
            manifest.append(_carried(kept, answer, reason))
            continue
        now = catalogue.collector(entry.name)
        held_by = None if request.force else busy.get(entry.name)
        if held_by is not None and now.on_overlap is Overlap.SKIP:
            manifest.append(_carried(entry, answer, "overlap"))
            continue
        behind = held_by if now.on_overlap is Overlap.QUEUE else None
        past = histories.get(entry.name, CollectorHistory())
        asked = _asked_again(entry, answer, now, retried, past)
        params = {**asked.spec.params, **request.params.get(entry.name, {})}
        manifest.append(
            replace(asked, spec=replace(asked.spec, params=params), queue_behind=behind)
        )
    return tuple(manifest)


def _problems(
    request: RunRequest, retried: Retried, catalogue: Catalogue, plan: RetryPlan
) -> list[str]:
    """Return a sentence for each name of *request* that cannot be asked or excluded."""
    run_id = retried.run.run_id
    of_run = {entry.name for entry in retried.manifest}
    known = {collector.name for collector in catalogue.collectors}
    odd = {
        "tags": request.tags,
        "due": request.due,
        "schedule": request.schedule,
        "slot": request.slot,
    }
    problems = [f"{key} does not go with retry_of" for key, given in odd.items() if given]
    for name in request.collectors or ():
        if name not in of_run:
            near = did_you_mean(name, of_run)
            problems.append(f"collector {name!r} is not in run {run_id}{near}")
        elif name not in known:
            problems.append(f"collector {name!r} is not in the configuration any more")
        elif name in plan.others.get(DISABLED_NOW, ()):
            problems.append(f"collector {name!r} is disabled: set enabled: true, or ask with force")
    for key, names in (("exclude", request.exclude), ("params", tuple(request.params))):
        problems += [
            f"unknown collector {name!r}{did_you_mean(name, of_run)} (in {key!r})"
            for name in names
            if name not in of_run
        ]
    return problems


def _carried(entry: Entry, answer: Answer | None, why: str) -> Entry:
    """Return the entry of a collector that is not asked again, with its *answer* if it has one.

    It waits for nobody, and nobody's job waits for it.
    """
    entry = replace(entry, queue_behind=None, releases=None)
    if answer is None:
        return replace(entry, skip=entry.skip or Skip(why))
    reason = ANSWERED if why in {"succeeded", "not_selected", ANSWERED} else why
    return replace(entry, skip=Skip(reason), carried=_lean(answer))


def _asked_again(
    entry: Entry, answer: Answer | None, now: Collector, retried: Retried, past: CollectorHistory
) -> Entry:
    """Return the entry of a collector that is asked again, by the configuration of *now*.

    The parameters of then go along. The slot is left out of its *past*: this try stands for it.
    """
    params = {**now.spec.params, **differing(entry.spec.params, now.spec.params)}
    if answer is not None:
        slot = entry.slot if retried.run.trigger.kind == "retry" else retried.run.scheduled_for
    elif entry.name in retried.elsewhere:
        answer, slot = retried.elsewhere[entry.name]
        params = dict(now.spec.params)
    else:
        was_due = entry.skip is None or entry.skip.reason == "overlap"
        slot = retried.run.scheduled_for if was_due else None
    tried = _tried(entry, answer) if answer is not None else entry
    return Entry(
        replace(now.spec, params=params),
        past=without_slot(past, slot),
        earlier=tried.earlier,
        slot=slot,
    )


def _tried(entry: Entry, answer: Answer) -> Entry:
    """Return *entry* with *answer* among the earlier tries: it stands no longer."""
    earlier = (*entry.earlier, _earlier_try(answer))
    if len(earlier) > MAX_EARLIER:
        earlier = (earlier[0], *earlier[1 - MAX_EARLIER :])
    return replace(entry, earlier=earlier)


def _earlier_try(answer: Answer) -> EarlierTry:
    return EarlierTry(
        answer.run_id,
        answer.outcome,
        answer.end_time,
        answer.error,
        attempts=len(answer.attempts),
        records=answer.records,
    )


def _lean(answer: Answer) -> Answer:
    """Return *answer* as far as a run's record has room for it, with a warning on what it lacks."""
    spared: list[str] = []
    lean = answer
    for key, nothing in _SPARED:
        if len(json.dumps(asdict(lean), default=str)) <= MAX_CARRIED_BYTES:
            break
        if getattr(lean, key) == nothing:
            continue
        lean = replace(lean, **{key: nothing})
        spared.append(key)
    if not spared:
        return answer
    where = f"{', '.join(spared)} are only in the report of run {answer.run_id}"
    return replace(lean, warnings=(*lean.warnings, where))
