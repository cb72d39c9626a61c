"""Some collectors fail, hang, or talk nonsense; the others never notice."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from tests.scenarios.collectors import Says
from tests.scenarios.world import World, statuses

from fanfold.domain.model.request import RunRequest


def test_one_fails_and_the_others_succeed(world: World) -> None:
    world.configure(["dvf", "plu"])
    world.collectors.script["plu"] = lambda *_: Says({"error": "no such commune"}, status=404)
    world.start()

    world.ask(RunRequest(run_id="r1"))
    report = world.report("r1")

    assert statuses(report) == {"dvf": "succeeded", "plu": "failed"}
    assert report["status"] == "failed"
    assert report["collectors"]["plu"]["error"] == "HTTP 404: no such commune"
    assert "plu" in report["about"]


def test_one_hangs_past_its_timeout_and_keeps_nobody_waiting(world: World) -> None:
    world.configure(["dvf", "slow"], collectors={"slow": {"timeout": "1s"}})
    world.collectors.script["slow"] = lambda *_: Says(wait_s=20)
    world.start()
    started = time.monotonic()

    world.ask(RunRequest(run_id="r1"))
    report = world.report("r1")

    assert statuses(report) == {"dvf": "succeeded", "slow": "timed_out"}
    assert report["collectors"]["slow"]["error_kind"] == "timeout"
    assert time.monotonic() - started < 10
    assert len(world.collectors.calls("slow")) == 1


def test_a_passing_failure_is_tried_again_and_succeeds(world: World) -> None:
    retries = {"retries": {"max": 2, "backoff": "1s", "max_backoff": "1s"}}
    world.configure(["dvf"], defaults=retries)
    world.collectors.script["dvf"] = lambda _, before: Says(status=200 if before else 503)
    world.start()

    world.ask(RunRequest(run_id="r1"))
    report = world.report("r1")

    attempts = report["collectors"]["dvf"]["attempts"]
    assert [attempt["outcome"] for attempt in attempts] == ["retry", "succeeded"]
    assert [call.body["attempt"] for call in world.collectors.calls("dvf")] == [1, 2]
    keys = {call.headers["Idempotency-Key"] for call in world.collectors.calls("dvf")}
    assert keys == {"r1/dvf"}


def test_zero_records_is_a_failure_that_is_not_tried_again(world: World) -> None:
    world.configure(["plu"], defaults={"retries": {"max": 2}})
    world.collectors.script["plu"] = lambda *_: Says({"records": 0})
    world.start()

    world.ask(RunRequest(run_id="r1"))
    report = world.report("r1")

    assert statuses(report) == {"plu": "failed"}
    assert report["collectors"]["plu"]["error_kind"] == "expectation"
    assert len(world.collectors.calls("plu")) == 1


def test_garbage_fails_its_collector_alone(world: World) -> None:
    world.configure(["dvf", "plu"])
    world.collectors.script["plu"] = lambda *_: Says(b'{"records": NaN')
    world.start()

    world.ask(RunRequest(run_id="r1"))
    report = world.report("r1")

    assert statuses(report) == {"dvf": "succeeded", "plu": "failed"}
    assert report["collectors"]["plu"]["error_kind"] == "bad_response"


def test_an_optional_collector_may_fail_in_a_run_that_succeeds(world: World) -> None:
    world.configure(["dvf", "plu"], collectors={"plu": {"criticality": "optional"}})
    world.collectors.script["plu"] = lambda *_: Says(status=400)
    world.start()

    world.ask(RunRequest(run_id="r1"))
    report = world.report("r1")

    assert statuses(report) == {"dvf": "succeeded", "plu": "failed"}
    assert report["status"] == "succeeded"


def test_a_change_of_columns_and_old_data_fail_and_a_group_tolerates_its_mirror(
    world: World,
) -> None:
    expect = {"schema": "fail", "max_date_age": {"value": "2d", "severity": "fail"}}
    world.configure(
        ["mirror", "sirene"],
        collectors={"sirene": {"expect": expect}},
        groups={"sirene": {"any_of": ["sirene", "mirror"]}},
    )
    columns: list[dict[str, str]] = [{"name": "siren", "type": "text"}]
    today = datetime.now(UTC).date().isoformat()
    answer: dict[str, Any] = {"records": 5, "schema": columns, "data_until": today}
    world.collectors.script["sirene"] = lambda *_: Says(dict(answer))
    world.start()
    world.ask(RunRequest(run_id="r1"))
    assert statuses(world.report("r1")) == {"mirror": "succeeded", "sirene": "succeeded"}

    answer["schema"] = [*columns, {"name": "naf", "type": "text"}]
    answer["data_until"] = "2026-01-01"
    world.ask(RunRequest(run_id="r2"))
    report = world.report("r2")
    one = report["collectors"]["sirene"]
    assert statuses(report) == {"mirror": "succeeded", "sirene": "failed"}
    assert "got others: came: naf (text)" in one["error"]
    assert "expected data at most 2d00h old, got " in one["error"]
    assert one["data_until"] == "2026-01-01"
    assert (report["groups"]["sirene"]["tolerates"], report["status"]) == (["sirene"], "succeeded")
    assert report["groups"]["sirene"]["about"] == (
        "expected at least 1 of mirror, sirene; 1 succeeded (mirror), 1 failed (sirene)"
    )
