"""Which collectors a run asks, and why it skips the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import START, after, catalogue, collector

from fanfold.domain.model import names
from fanfold.domain.model.collector import Catalogue, CollectorHistory, Overlap
from fanfold.domain.model.errors import Rejected
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.model.run import Entry, Run
from fanfold.domain.rules.plan import check_age, identify, make_run, plan

ARRIVAL = Arrival("1122", after(7))
CATALOGUE = catalogue(
    collector("dvf", cron="15 2 * * *", tags=("daily",), params={"a": 1}),
    collector("plu", cron="0 4 * * *", tags=("daily", "geo"), on_overlap=Overlap.QUEUE),
    collector("insee", on_overlap=Overlap.ALLOW),
    collector("old", cron="15 2 * * *", enabled=False),
)


def planned(configured: Catalogue = CATALOGUE, **request: Any) -> tuple[Entry, ...]:
    busy = request.pop("busy", {})
    arrival = request.pop("arrival", ARRIVAL)
    return plan(RunRequest(**request), arrival, configured, histories={}, busy=busy)


def fate(manifest: tuple[Entry, ...]) -> dict[str, str]:
    return {each.name: each.skip.reason if each.skip else "asked" for each in manifest}


def problems(**request: Any) -> tuple[str, ...]:
    with pytest.raises(Rejected) as caught:
        planned(**request)
    return caught.value.problems


@pytest.mark.parametrize(
    ("request_", "fates"),
    [
        pytest.param({}, "asked asked asked disabled", id="every enabled one"),
        pytest.param(
            {"collectors": ("plu",)}, "not_selected asked not_selected disabled", id="one"
        ),
        pytest.param({"tags": ("geo",)}, "not_selected asked not_selected disabled", id="a tag"),
        pytest.param({"tags": ("geo", "daily")}, "asked asked not_selected disabled", id="any tag"),
        pytest.param({"exclude": ("plu",)}, "asked excluded asked disabled", id="all but one"),
        pytest.param(
            {"collectors": ("old",), "force": True},
            "not_selected not_selected not_selected asked",
            id="a disabled one that is named and forced",
        ),
        pytest.param({"force": True}, "asked asked asked disabled", id="force enables nobody"),
        pytest.param({"due": True}, "asked not_due not_due disabled", id="what is due"),
        pytest.param(
            {"schedule": "nightly"}, "asked not_due not_due disabled", id="a scheduled tick"
        ),
        pytest.param(
            {"schedule": "nightly", "cron": "0 4 * * *"},
            "not_due asked not_due disabled",
            id="the tick of one cron",
        ),
    ],
)
def test_who_is_asked(request_: dict[str, Any], fates: str) -> None:
    expected = dict(zip(("dvf", "plu", "insee", "old"), fates.split(), strict=True))
    assert fate(planned(**request_)) == expected


def test_who_is_not_due_is_told_when() -> None:
    _, plu, insee, _ = planned(schedule="nightly")
    assert plu.skip is not None
    assert plu.skip.next_due == datetime.fromisoformat("2026-11-23T04:00:00Z")
    assert insee.skip is not None
    assert insee.skip.next_due is None


def test_a_busy_collector_is_skipped_queued_or_allowed() -> None:
    busy = {"dvf": "r0", "plu": "r0", "insee": "r0"}
    manifest = planned(busy=busy)
    assert fate(manifest) == {
        "dvf": "overlap",
        "plu": "asked",
        "insee": "asked",
        "old": "disabled",
    }
    assert [each.queue_behind for each in manifest] == [None, "r0", None, None]


def test_force_asks_even_a_busy_collector() -> None:
    manifest = planned(busy={"dvf": "r0", "plu": "r0"}, force=True)
    assert fate(manifest)["dvf"] == "asked"
    assert [each.queue_behind for each in manifest] == [None] * 4


def test_a_collector_carries_its_past_and_its_parameters() -> None:
    request = RunRequest(params={"dvf": {"b": 2}})
    past = CollectorHistory(records=(1,))
    dvf, plu, *_ = plan(request, ARRIVAL, CATALOGUE, histories={"dvf": past}, busy={})
    assert (dvf.past, dict(dvf.spec.params)) == (past, {"a": 1, "b": 2})
    assert (plu.past, dict(plu.spec.params)) == (CollectorHistory(), {})


def test_everything_that_does_not_exist_is_said_at_once() -> None:
    said = problems(collectors=("dfv", "old"), exclude=("x",), params={"plou": {}}, tags=("dayly",))
    assert said == (
        "unknown collector 'dfv': did you mean 'dvf'?",
        "unknown collector 'x' (in 'exclude')",
        "unknown collector 'plou': did you mean 'plu'? (in 'params')",
        "no collector has the tag 'dayly': did you mean 'daily'?",
        "collector 'old' is disabled: set enabled: true, or ask with force",
    )


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        ({"schedule": "nightli"}, "did you mean 'nightly'?"),
        ({"schedule": "nightly", "cron": "x"}, "cron 'x': "),
    ],
)
def test_a_schedule_that_does_not_exist_is_said(request_: dict[str, Any], problem: str) -> None:
    assert problem in problems(**request_)[0]
    with pytest.raises(Rejected):
        identify(RunRequest(**request_), ARRIVAL, CATALOGUE)


def test_a_schedule_of_nobody_has_never_fired() -> None:
    with pytest.raises(Rejected, match="no enabled collector has a schedule"):
        identify(RunRequest(schedule="nightly"), ARRIVAL, catalogue("dvf"))


@pytest.mark.parametrize(
    ("request_", "run_id"),
    [
        pytest.param({}, "2026-11-23T0215Z-b3282a", id="ad hoc: minute and message"),
        pytest.param({"run_id": "mine"}, "mine", id="the id it names"),
        pytest.param({"schedule": "nightly"}, "2026-11-23T0215Z-nightly", id="the slot's"),
        pytest.param({"run_id": "mine", "dry_run": True}, "mine-planned", id="a plan's own"),
    ],
)
def test_a_runs_id_comes_from_the_message(request_: dict[str, Any], run_id: str) -> None:
    assert identify(RunRequest(**request_), ARRIVAL, CATALOGUE) == run_id


@pytest.mark.parametrize(
    ("early_s", "run_id"),
    [
        (60.0, "2026-11-23T0215Z-nightly"),
        (0.2, "2026-11-23T0215Z-nightly"),
        (60.1, "2026-11-22T0400Z-nightly"),
    ],
)
@pytest.mark.parametrize("cron", [None, "15 2 * * *"])
def test_a_tick_up_to_a_minute_early_belongs_to_the_coming_slot(
    early_s: float, run_id: str, cron: str | None
) -> None:
    request, arrival = RunRequest(schedule="nightly", cron=cron), Arrival("1", after(-early_s))
    if cron is not None and "0400" in run_id:
        run_id = "2026-11-22T0215Z-nightly"  # the last fire of that cron alone
    assert identify(request, arrival, CATALOGUE) == run_id
    run = make_run(run_id, request, arrival, CATALOGUE, (), now=after(0), writer="w", trace_id="t")
    assert f"{run.scheduled_for:%Y-%m-%dT%H%MZ}-nightly" == run_id


@pytest.mark.parametrize(("second", "minute"), [(0.0, 15), (0.2, 15), (30.0, 15), (30.1, 16)])
def test_a_tick_between_two_near_slots_belongs_to_the_nearer_one(
    second: float, minute: int
) -> None:
    often = catalogue(collector("dvf", cron="* * * * *"))
    request, arrival = RunRequest(schedule="nightly"), Arrival("1", after(second))
    assert identify(request, arrival, often) == f"2026-11-23T02{minute}Z-nightly"


def test_whoever_asks_by_hand_for_what_is_due_is_never_early() -> None:
    request = RunRequest(due=True, run_id="r1")
    run = make_run(
        "r1",
        request,
        Arrival("1", after(-10)),
        CATALOGUE,
        (),
        now=after(-10),
        writer="w",
        trace_id="",
    )
    assert run.scheduled_for == datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def test_a_slot_that_is_named_is_asked_under_its_own_id() -> None:
    request, later = RunRequest(slot=START), Arrival("1", after(400_000))
    assert identify(request, later, CATALOGUE) == "2026-11-23T0215Z-nightly"
    manifest = planned(slot=START, arrival=later)
    assert fate(manifest) == {
        "dvf": "asked",
        "plu": "not_due",
        "insee": "not_due",
        "old": "disabled",
    }
    run = make_run(
        "x", request, later, CATALOGUE, manifest, now=after(400_000), writer="w", trace_id=""
    )
    assert (run.scheduled_for, run.trigger.kind) == (START, "ad_hoc")


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        (
            {"slot": after(60)},
            "2026-11-23T02:16Z is no slot of the schedule: the nearest are 2026-11-23T02:15Z (Mon",
        ),
        (
            {"slot": after(0.5)},
            "2026-11-23T02:15:00.500000Z is no slot of the schedule: the nearest are",
        ),
        (
            {"slot": datetime(2026, 11, 25, 2, 15, tzinfo=UTC)},
            "2026-11-25T02:15Z is still to come, in 1d00h: the schedule starts it",
        ),
        (
            {"slot": datetime(9999, 12, 31, 23, 59, tzinfo=UTC)},
            "9999-12-31T23:59Z is no slot of the schedule: the nearest is 9999-12-31T04:00Z",
        ),
        (
            {"slot": datetime(1, 1, 1, tzinfo=UTC)},
            "0001-01-01T00:00Z is no slot of the schedule: the nearest is 0001-01-01T",
        ),
        ({"slot": START, "run_id": "mine"}, "run_id does not go with slot"),
    ],
)
def test_what_is_no_slot_or_not_yet_one_is_refused(named: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Rejected) as caught:
        identify(RunRequest(**named), Arrival("1", after(86_400)), CATALOGUE)
    assert str(caught.value).startswith(sentence)


def test_at_the_end_of_the_calendar_no_schedule_is_said_never_to_fire() -> None:
    paris = catalogue(collector("dvf", cron="15 3 * * *"), timezone="Europe/Paris")
    end = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    with pytest.raises(Rejected, match="it does not fire so near to the end of the calendar"):
        identify(RunRequest(slot=end), Arrival("1", after(0)), paris)


def test_a_time_that_a_clock_change_left_out_is_no_slot_and_the_sentence_says_why() -> None:
    paris = catalogue(collector("dvf", cron="30 2 * * *"), timezone="Europe/Paris")
    never = datetime.fromisoformat("2027-03-28T02:30+01:00")
    with pytest.raises(Rejected) as caught:
        identify(RunRequest(slot=never), Arrival("1", never.replace(month=4)), paris)
    assert str(caught.value) == (
        "2027-03-28T01:30Z is no slot of the schedule: the nearest are 2027-03-28T01:00Z (Sun 28 "
        "Mar 03:00 Europe/Paris) and 2027-03-29T00:30Z (Mon 29 Mar 02:30 Europe/Paris); clocks in "
        "Europe/Paris jump from 02:00 to 03:00 on 2027-03-28: no time between exists"
    )


@given(st.floats(0, 6239.9), st.text(min_size=1))  # until a minute before the next slot
def test_a_tick_that_is_late_is_still_the_tick_of_its_slot(late_s: float, message: str) -> None:
    request, arrival = RunRequest(schedule="nightly"), Arrival(message, after(late_s))
    assert identify(request, arrival, CATALOGUE) == "2026-11-23T0215Z-nightly"


def test_an_id_that_cannot_be_one_is_rejected() -> None:
    with pytest.raises(Rejected, match="cannot be used"):
        identify(RunRequest(run_id="a/b"), ARRIVAL, CATALOGUE)


def made(configured: Catalogue = CATALOGUE, **request: Any) -> Run:
    asked = RunRequest(**request)
    run_id = identify(asked, ARRIVAL, configured)
    return make_run(
        run_id,
        asked,
        ARRIVAL,
        configured,
        plan(asked, ARRIVAL, configured, histories={}, busy={}),
        now=after(9),
        writer="w",
        trace_id="t",
    )


def test_a_run_has_its_figures_and_its_deadline() -> None:
    run = made(schedule="nightly")
    assert (run.total, run.asked) == (4, 1)
    assert (run.start_time, run.deadline) == (after(9), after(3609))
    assert (run.scheduled_for, run.trigger.kind, run.trigger.by) == (START, "schedule", "nightly")
    assert names.is_run_id(run.run_id)


def test_a_run_knows_who_asked() -> None:
    assert made().trigger.kind == "ad_hoc"
    assert made(retry_of="r0").trigger.kind == "retry"
    assert made(reason="why not").trigger.reason == "why not"


@pytest.mark.parametrize(("tolerated", "fraction", "expected"), [(2, False, 2), (0.7, True, 2)])
def test_a_share_of_tolerated_failures_is_of_those_asked(
    tolerated: float, expected: int, *, fraction: bool
) -> None:
    tolerant = replace(CATALOGUE, tolerated_failures=tolerated, tolerated_is_fraction=fraction)
    assert made(tolerant).tolerated_failures == expected


@pytest.mark.parametrize(
    ("age_s", "why"),
    [
        pytest.param(86_401, "24.0 h ago", id="too old"),
        pytest.param(-301, "301 s in the future", id="from the future"),
    ],
)
def test_a_request_out_of_its_time_is_refused(age_s: float, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        check_age(Arrival("1", START), CATALOGUE, now=after(age_s))


def test_the_refusal_of_an_old_request_gives_both_ages_in_hours() -> None:
    patient = replace(CATALOGUE, max_trigger_age_s=5_400_000.0)
    with pytest.raises(Rejected) as caught:
        check_age(Arrival("1", START), patient, now=after(7_200_000))
    assert "published 2000.0 h ago, and requests older than 1500.0 h (" in str(caught.value)


@pytest.mark.parametrize("age_s", [86_400, 0, -300])
def test_a_request_in_its_time_is_taken(age_s: float) -> None:
    check_age(Arrival("1", START), CATALOGUE, now=after(age_s))
