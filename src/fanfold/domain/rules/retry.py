"""Which collectors of a run that is over are worth asking again, and why the others are not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanfold.domain.model.collector import Catalogue, Collector
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import Answer, Entry
from fanfold.domain.model.states import Outcome

#: Why collectors that failed cannot be asked again; other reasons are as in ``Skip.reason``.
GONE, DISABLED_NOW = "gone", "disabled_now"

#: Why collectors that failed need not be asked again: another run asked them since.
ASKED_SINCE = "asked_since"


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What a retry of one run would ask.

    ``collectors`` are asked, in the manifest's order. ``others`` are the rest by the reason why
    not: ``succeeded``, a skip's reason, :data:`GONE`, :data:`DISABLED_NOW` or :data:`ASKED_SINCE`.
    ``params`` are those that the run used and the configuration does not say (any more).
    """

    run_id: str
    collectors: tuple[str, ...]
    others: Mapping[str, tuple[str, ...]]
    params: Mapping[str, Mapping[str, Any]]

    @property
    def request(self) -> RunRequest:
        """The request that asks for it. There is none without collectors: it would ask all."""
        if not self.collectors:
            raise ValueError("nothing to repeat")
        return RunRequest(collectors=self.collectors, params=self.params, retry_of=self.run_id)


def retry_plan(
    run_id: str,
    manifest: Sequence[Entry],
    answers: Sequence[Answer],
    catalogue: Catalogue,
    *,
    failing: Collection[str] | None = None,
) -> RetryPlan:
    """Return what a retry of a final run asks: whatever it asked that did not succeed.

    Args:
        run_id: The run.
        manifest: Its collectors, with the parameters of then.
        answers: Its answers.
        catalogue: The configuration of now, by which they are asked again.
        failing: Those whose last outcome this run's is; if given, no others are asked again.
    """
    succeeded = {each.collector for each in answers if each.outcome is Outcome.SUCCEEDED}
    known = {collector.name: collector for collector in catalogue.collectors}
    again: list[str] = []
    others: dict[str, list[str]] = {}
    params: dict[str, dict[str, Any]] = {}
    for entry in manifest:
        now = known.get(entry.name)
        reason = _why_not(entry, now, succeeded)
        if reason is None and failing is not None and entry.name not in failing:
            reason = ASKED_SINCE
        if reason is not None or now is None:
            others.setdefault(reason or GONE, []).append(entry.name)
            continue
        again.append(entry.name)
        differing = _differing(entry.spec.params, now.spec.params)
        if differing:
            params[entry.name] = differing
    named = {reason: tuple(names) for reason, names in others.items()}
    return RetryPlan(run_id, tuple(again), named, params)


def joined(plans: Sequence[RetryPlan]) -> RetryPlan:
    """Return one plan that asks what all of *plans* ask, as a retry of the first plan's run."""
    first = plans[0]
    asked = tuple(dict.fromkeys(name for each in plans for name in each.collectors))
    others = {
        reason: left
        for reason, names in first.others.items()
        if (left := tuple(name for name in names if name not in asked))
    }
    params = {name: given for each in plans for name, given in each.params.items()}
    return RetryPlan(first.run_id, asked, others, params)


def _why_not(entry: Entry, now: Collector | None, succeeded: set[str]) -> str | None:
    if entry.skip is not None:
        return entry.skip.reason
    if entry.name in succeeded:
        return "succeeded"
    if now is None:
        return GONE
    return None if now.enabled else DISABLED_NOW


def _differing(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in then.items() if key not in now or now[key] != value}
