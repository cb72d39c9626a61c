"""What a retry asks: whatever its run asked that did not succeed, with what it was asked with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.rendering.varieties import remembered
from tests.support import START, a_run, after, an_answer, catalogue, collector, entry, spec

from fanfold.domain.model.collector import Catalogue, CollectorHistory, Overlap
from fanfold.domain.model.errors import Rejected
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.model.run import Answer, Entry, Failure, Run, Trigger
from fanfold.domain.model.states import Outcome, Phase, RunStatus
from fanfold.domain.report.fold import fold
from fanfold.domain.rules import plan
from fanfold.domain.rules.retry import Retried, RetryPlan, joined, retry_plan
from fanfold.domain.rules.second_try import MAX_CARRIED_BYTES, MAX_EARLIER, retry_manifest

OUTCOMES = {
    "dvf": Outcome.SUCCEEDED,
    "plu": Outcome.FAILED,
    "sirene": Outcome.TIMED_OUT,
    "insee": Outcome.CANCELLED,
}


def _answers(run_id: str = "first") -> list[Answer]:
    return [an_answer(name, run_id=run_id, outcome=outcome) for name, outcome in OUTCOMES.items()]


def _retried(
    manifest: Sequence[Entry], answers: Sequence[Answer] | None = None, **of_run: Any
) -> Retried:
    given: dict[str, Any] = {"phase": Phase.FINAL, "verdict": RunStatus.FAILED} | of_run
    run = a_run("first", manifest=manifest, **given)
    return Retried(run, manifest, _answers() if answers is None else answers)


def _plan(manifest: Sequence[Entry], now: Catalogue, **options: Any) -> RetryPlan:
    return retry_plan(_retried(manifest), now, **options)


def _manifest(
    retried: Retried, now: Catalogue, busy: dict[str, str] | None = None, **request: Any
) -> dict[str, Entry]:
    asked = RunRequest(retry_of=retried.run.run_id, **request)
    made = retry_manifest(asked, retried, now, histories={}, busy=busy or {})
    return {each.name: each for each in made}


def test_failed_timed_out_and_cancelled_are_repeated_in_the_manifest_s_order() -> None:
    manifest = [entry(name) for name in ("sirene", "plu", "dvf", "insee")]
    repeat = _plan(manifest, catalogue(*OUTCOMES))
    assert repeat.collectors == ("sirene", "plu", "insee")
    assert repeat.others == {"succeeded": ("dvf",)}
    assert repeat.request.collectors == ("sirene", "plu", "insee")
    assert repeat.request.retry_of == "first"


def test_what_was_skipped_is_left_out_with_its_reason() -> None:
    manifest = [entry("dvf"), entry("plu"), entry("rare", skip="not_due")]
    repeat = _plan(manifest, catalogue("dvf", "plu", "rare"))
    assert repeat.collectors == ("plu",)
    assert repeat.others["not_due"] == ("rare",)


def test_what_is_gone_or_disabled_is_left_out() -> None:
    manifest = [entry(name) for name in OUTCOMES]
    repeat = _plan(manifest, catalogue("dvf", collector("plu", enabled=False), "sirene"))
    assert repeat.collectors == ("sirene",)
    assert (repeat.others["disabled_now"], repeat.others["gone"]) == (("plu",), ("insee",))


def test_those_that_are_named_are_asked_however_they_ended_and_no_others() -> None:
    manifest = [*(entry(name) for name in OUTCOMES), entry("rare", skip="not_due")]
    repeat = _plan(manifest, catalogue(*OUTCOMES, "rare"), named=("dvf", "rare"))
    assert repeat.collectors == ("dvf", "rare")
    assert repeat.others == {"not_selected": ("plu", "sirene", "insee")}


def test_without_collectors_there_is_no_request_for_it_would_ask_everything() -> None:
    repeat = _plan([entry("dvf")], catalogue("dvf"))
    assert repeat.collectors == ()
    with pytest.raises(ValueError, match="nothing to repeat"):
        _ = repeat.request


def test_all_that_was_asked_is_in_the_manifest_asked_again_or_with_its_answer() -> None:
    retried = _retried([*(entry(name) for name in OUTCOMES), entry("rare", skip="not_due")])
    made = _manifest(retried, catalogue(*OUTCOMES, "rare", "new"))
    assert list(made) == [*OUTCOMES, "rare"]
    assert [name for name, each in made.items() if each.skip is None] == ["plu", "sirene", "insee"]
    assert made["dvf"].carried == retried.standing["dvf"]
    assert [each.outcome for each in made["plu"].earlier] == [Outcome.FAILED]
    assert made["plu"].slot == START
    assert made["rare"].carried is None
    assert made["rare"].skip is not None
    assert made["rare"].skip.reason == "not_due"


def test_only_parameters_that_differ_from_the_configuration_go_along() -> None:
    then = spec("plu", params={"years": [2024], "deep": True, "since": 1})
    now = catalogue(collector("plu", params={"years": [2023], "deep": True, "new": 2}))
    made = _manifest(_retried([Entry(then)], [_answers()[1]]), now, params={"plu": {"since": 2}})
    assert made["plu"].spec.params == {"years": [2024], "deep": True, "new": 2, "since": 2}


def test_a_failure_that_cannot_be_asked_again_is_kept_with_its_reason() -> None:
    retried = _retried([entry(name) for name in OUTCOMES])
    now = catalogue("dvf", collector("plu", enabled=False), "sirene")
    made = _manifest(retried, now, busy={"sirene": "another"})
    reasons = {name: each.skip.reason for name, each in made.items() if each.skip}
    assert reasons == {
        "dvf": "answered",
        "plu": "disabled_now",
        "sirene": "overlap",
        "insee": "gone",
    }
    assert all(each.carried for each in made.values())


def test_nobody_s_job_waits_for_a_collector_that_is_not_asked_again() -> None:
    paced = replace(entry("dvf", behind="earlier"), releases="plu")
    made = _manifest(_retried([paced, entry("plu")]), catalogue("dvf", "plu"))
    assert (made["dvf"].releases, made["dvf"].queue_behind) == (None, None)


def test_one_that_waits_for_another_run_is_queued_and_force_asks_it_at_once() -> None:
    retried = _retried([entry("plu")], [_answers()[1]])
    now = catalogue(collector("plu", on_overlap=Overlap.QUEUE))
    assert _manifest(retried, now, {"plu": "other"})["plu"].queue_behind == "other"
    assert _manifest(retried, now, {"plu": "other"}, force=True)["plu"].queue_behind is None


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"collectors": ("plo",)}, r"'plo' is not in run first: did you mean 'plu'\?"),
        ({"collectors": ("insee",)}, "'insee' is not in the configuration any more"),
        ({"collectors": ("sirene",)}, "'sirene' is disabled"),
        ({"exclude": ("plo",)}, "in 'exclude'"),
        ({"params": {"plo": {}}}, "in 'params'"),
        ({"exclude": ("plu",)}, "nothing to retry|nothing of run"),
        ({"tags": ("daily",)}, "tags does not go with retry_of"),
        ({"due": True}, "due does not go with retry_of"),
    ],
)
def test_what_cannot_be_asked_is_refused(request_: dict[str, Any], said: str) -> None:
    retried = _retried([entry(name) for name in OUTCOMES])
    now = catalogue("dvf", "plu", collector("sirene", enabled=False))
    with pytest.raises(Rejected, match=said):
        _manifest(retried, now, **request_)


def test_a_run_that_succeeded_has_nothing_to_retry() -> None:
    with pytest.raises(Rejected, match="nothing to retry in run first: whatever it asked succeed"):
        _manifest(_retried([entry("dvf")]), catalogue("dvf"))


def _next_run(retried: Retried, now: Catalogue, **request: Any) -> tuple[Run, tuple[Entry, ...]]:
    asked, arrival = RunRequest(retry_of=retried.run.run_id, **request), Arrival("m", after(600))
    manifest = plan.plan(asked, arrival, now, histories={}, busy={}, retried=retried)
    run = plan.make_run(
        plan.identify(asked, arrival, now),
        asked,
        arrival,
        now,
        manifest,
        now=after(600),
        writer="w2",
        trace_id="",
        retried=retried,
    )
    return run, manifest


def test_a_chain_of_three_balances_and_says_where_each_was_answered() -> None:
    names = ("dvf", "plu", "sirene", "insee")
    now = catalogue(*names)
    why = Failure("http", "HTTP 503")
    bad: dict[str, Any] = {"outcome": Outcome.FAILED, "records": None, "error": why}
    first = _retried(
        [entry(name) for name in names],
        [an_answer(n, run_id="first", **(bad if n in {"plu", "sirene"} else {})) for n in names],
    )
    second, manifest = _next_run(first, now)
    assert (second.run_id, second.retry_of, second.scheduled_for) == ("first-try2", "first", START)
    assert (second.total, second.asked, second.trigger.kind) == (4, 2, "retry")
    given = [
        an_answer("plu", run_id="first-try2", end_time=after(700)),
        an_answer("sirene", run_id="first-try2", **bad),
    ]
    report = fold(second, manifest, given)
    assert report["about"] == (
        "3 of 4 succeeded, plu at the second try, 02:26: sirene failed at the second try (HTTP 503)"
    )
    assert report["collectors"]["dvf"]["answered_in"] == "first"
    assert report["collectors"]["plu"]["earlier"][0]["error"] == "HTTP 503"

    third, manifest = _next_run(Retried(second, manifest, given), now)
    assert (third.run_id, third.asked) == ("first-try3", 1)
    last = [an_answer("sirene", run_id="first-try3", end_time=after(900))]
    report = fold(third, manifest, last)
    assert report["about"] == (
        "all 4 succeeded, plu at the second try, 02:26, sirene at the third try, 02:30"
    )
    assert report["summary"]["succeeded"] == report["summary"]["total"] == 4
    where = {name: one["answered_in"] for name, one in report["collectors"].items()}
    assert where == {
        "dvf": "first",
        "plu": "first-try2",
        "sirene": "first-try3",
        "insee": "first",
    }
    runs = [each["run_id"] for each in report["collectors"]["sirene"]["earlier"]]
    assert runs == ["first", "first-try2"]
    assert report["collectors"]["plu"]["earlier"][0]["run_id"] == "first"
    assert [(each.collector, each.slot) for each in remembered(third, manifest, last)] == [
        ("sirene", START)
    ]


def test_a_share_of_tolerated_failures_counts_those_that_are_carried_over() -> None:
    tolerant = catalogue(*OUTCOMES, tolerated_failures=0.5, tolerated_is_fraction=True)
    run, _ = _next_run(_retried([entry(name) for name in OUTCOMES]), tolerant)
    assert (run.asked, run.tolerated_failures) == (3, 2)


def test_the_first_and_the_last_of_many_tries_are_kept() -> None:
    retried, now = _retried([entry("plu")], [_answers()[1]]), catalogue("plu")
    for _ in range(MAX_EARLIER + 5):
        run, manifest = _next_run(retried, now)
        failed = [an_answer("plu", run_id=run.run_id, outcome=Outcome.FAILED)]
        retried = Retried(run, manifest, failed)
    earlier = [each.run_id for each in retried.manifest[0].earlier]
    assert len(earlier) == MAX_EARLIER
    assert (earlier[0], earlier[-1]) == ("first", f"first-try{MAX_EARLIER + 5}")


def test_a_large_answer_is_carried_over_as_far_as_there_is_room_and_says_so() -> None:
    large = an_answer(
        "dvf",
        run_id="first",
        artifacts=tuple("é" * 1000 for _ in range(60)),
        warnings=("odd",),
        metrics={"rows": 3},
    )
    assert MAX_CARRIED_BYTES < 60 * 1000 * 6
    retried = _retried([entry("dvf"), entry("plu")], [large, _answers()[1]])
    kept = _manifest(retried, catalogue("dvf", "plu"))["dvf"].carried
    assert kept is not None
    assert (kept.artifacts, kept.metrics, kept.records) == ((), {"rows": 3}, 10)
    assert kept.warnings == ("odd", "artifacts are only in the report of run first")


def test_several_runs_are_retried_by_one_for_the_newest_slot() -> None:
    now = catalogue("a", "b", collector("c", params={"year": 1}))
    night = _retried(
        [entry("a"), entry("b", skip="not_due"), entry("c")],
        [an_answer("a", run_id="first", outcome=Outcome.FAILED), an_answer("c", run_id="first")],
    )
    by_hand = Retried(
        a_run("hand", scheduled_for=None, trigger=Trigger("ad_hoc")),
        [entry("b", params={"year": 7}), entry("a", skip="not_selected")],
        [an_answer("b", run_id="hand", outcome=Outcome.FAILED)],
    )
    plans = [(retry_plan(each, now), each) for each in (by_hand, night)]
    repeat = joined(plans, now)
    assert (repeat.run_id, repeat.collectors) == ("first", ("a", "b"))
    assert repeat.params == {"b": {"year": 7}}
    assert repeat.others == {"succeeded": ("c",)}

    # The dispatcher adds how b ended in its own run, and b's own slot, here none.
    found = Retried(night.run, night.manifest, night.answers, {"b": (by_hand.answers[0], None)})
    made = _manifest(found, now, collectors=("a", "b"), params=repeat.params)
    assert made["b"].spec.params == {"year": 7}
    assert [each.run_id for each in made["b"].earlier] == ["hand"]
    assert (made["a"].slot, made["b"].slot) == (START, None)


def test_the_slot_that_is_tried_again_is_not_in_the_past_of_its_collector() -> None:
    past = CollectorHistory(
        outcomes="sf", times=(0, int(START.timestamp())), kinds="ss", records=(4,)
    )
    retried = _retried([entry("plu")], [_answers()[1]])
    made = retry_manifest(
        RunRequest(retry_of="first"), retried, catalogue("plu"), histories={"plu": past}, busy={}
    )
    assert made[0].past == CollectorHistory(outcomes="s", times=(0,), kinds="s", records=(4,))
