"""Which collectors of a run that is over a retry asks, and why it does not ask the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fanfold.domain.model.collector import Catalogue, Collector
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import Answer, Entry, Run
from fanfold.domain.model.states import Outcome
from fanfold.domain.rules.pauses import PAUSED

#: Why collectors that failed cannot be asked again; other reasons are as in ``Skip.reason``.
GONE, DISABLED_NOW = "gone", "disabled_now"

#: Why collectors that failed need not be asked again: another run asked them since.
ASKED_SINCE = "asked_since"


@dataclass(frozen=True, slots=True)
class Retried:
    """A run that is retried.

    ``elsewhere`` has the last answers, in other runs, of collectors that this run skipped and that
    a retry without a name asks too, each with its slot. ``since`` has the answers with which
    another run made good what failed in this one, of collectors that need not be asked again.
    """

    run: Run
    manifest: Sequence[Entry]
    answers: Sequence[Answer]
    elsewhere: Mapping[str, tuple[Answer, datetime | None]] = field(default_factory=dict)
    since: Mapping[str, Answer] = field(default_factory=dict)

    @property
    def standing(self) -> Mapping[str, Answer]:
        """The answer that stands for each collector: given in this run, or carried over."""
        carried = {each.name: each.carried for each in self.manifest if each.carried is not None}
        own = {each.collector: each for each in self.answers if each.run_id == self.run.run_id}
        return carried | own


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What a retry of one run would ask.

    ``collectors`` are asked, in the manifest's order. ``others`` are the rest by the reason why
    not: ``succeeded``, a skip's reason, :data:`GONE`, :data:`DISABLED_NOW`, :data:`ASKED_SINCE`,
    ``paused`` or ``not_selected``. ``params`` are those that other runs gave to collectors that
    this one skipped.
    """

    run_id: str
    collectors: tuple[str, ...]
    others: Mapping[str, tuple[str, ...]]
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def request(self) -> RunRequest:
        """The request that asks for it. There is none without collectors: it would ask all."""
        if not self.collectors:
            raise ValueError("nothing to repeat")
        return RunRequest(collectors=self.collectors, params=self.params, retry_of=self.run_id)


def retry_plan(
    retried: Retried,
    catalogue: Catalogue,
    *,
    named: Collection[str] | None = None,
    failing: Collection[str] | None = None,
    force: bool = False,
    paused: Collection[str] = (),
) -> RetryPlan:
    """Return what a retry of a final run asks: whatever did not succeed, or what is *named*.

    Args:
        retried: The run.
        catalogue: The configuration of now, by which they are asked again.
        named: If given, these are asked, however they ended, and no others.
        failing: Those whose last outcome this run's is; if given, no others are asked again.
        force: Ask those that are named and disabled, too.
        paused: Those that are paused: they are asked only if they are named.
    """
    known = {collector.name: collector for collector in catalogue.collectors}
    standing = retried.standing
    again: list[str] = []
    others: dict[str, list[str]] = {}
    for entry in retried.manifest:
        answer = standing.get(entry.name)
        reason = _why_not(entry, answer, known.get(entry.name), named, force=force)
        if reason is None and failing is not None and entry.name not in failing:
            reason = ASKED_SINCE
        if reason is None and named is None and entry.name in paused:
            reason = PAUSED
        if reason is None:
            again.append(entry.name)
        else:
            others.setdefault(reason, []).append(entry.name)
    told = {reason: tuple(names) for reason, names in others.items()}
    return RetryPlan(retried.run.run_id, tuple(again), told)


def joined(plans: Sequence[tuple[RetryPlan, Retried]], catalogue: Catalogue) -> RetryPlan:
    """Return one plan that asks what all of *plans* ask, as a retry of one of their runs.

    That is the newest run of a slot, so that its slot is made good, or else the newest. *plans* are
    the newest first. The parameters that the other runs were given go along.
    """
    first = next((each for each in plans if each[1].run.scheduled_for is not None), plans[0])
    params: dict[str, Mapping[str, Any]] = {}
    for plan, retried in plans:
        if plan is not first[0]:
            params.update(_differing_params(retried.manifest, plan.collectors, catalogue))
    asked = {name for plan, _ in plans for name in plan.collectors}
    order = [entry.name for entry in first[1].manifest if entry.name in asked]
    others = {
        reason: left
        for reason, names in first[0].others.items()
        if (left := tuple(name for name in names if name not in asked))
    }
    return RetryPlan(first[0].run_id, tuple(order), others, params)


def nothing_words(plan: RetryPlan) -> str:
    """Return why *plan* asks nobody, in words."""
    if PAUSED in plan.others:
        return (
            f"nothing of run {plan.run_id} is asked again: {', '.join(plan.others[PAUSED][:8])} "
            "paused; name them to ask them all the same"
        )
    if plan.others.keys() & {GONE, DISABLED_NOW}:
        left = [*plan.others.get(GONE, ()), *plan.others.get(DISABLED_NOW, ())]
        return (
            f"nothing of run {plan.run_id} can be asked again: what did not succeed "
            f"({', '.join(left[:8])}) is disabled now, or not in the configuration any more"
        )
    return f"there is nothing to retry in run {plan.run_id}: whatever it asked succeeded"


def _why_not(
    entry: Entry,
    answer: Answer | None,
    now: Collector | None,
    named: Collection[str] | None,
    *,
    force: bool,
) -> str | None:
    """Return why the collector of *entry* is not asked again, None if it is."""
    if named is not None and entry.name not in named:
        return _skip_reason(entry, answer) or "not_selected"
    if named is None and (reason := _skip_reason(entry, answer)):
        return reason
    if now is None:
        return GONE
    return None if now.enabled or (force and named is not None) else DISABLED_NOW


def _skip_reason(entry: Entry, answer: Answer | None) -> str | None:
    if answer is None:
        return entry.skip.reason if entry.skip else None
    return "succeeded" if answer.outcome is Outcome.SUCCEEDED else None


def _differing_params(
    manifest: Sequence[Entry], collectors: Sequence[str], catalogue: Catalogue
) -> dict[str, Mapping[str, Any]]:
    """Return the parameters of *collectors* that the configuration does not say (any more)."""
    found = {}
    for entry in manifest:
        if entry.name in collectors:
            now = catalogue.collector(entry.name).spec.params
            found[entry.name] = differing(entry.spec.params, now)
    return {name: params for name, params in found.items() if params}


def differing(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of *then* that *now* does not have, or has with another value."""
    return {key: value for key, value in then.items() if key not in now or now[key] != value}
