"""The run's deadline closes what is still open."""

from __future__ import annotations

import time

from tests.scenarios.collectors import Says
from tests.scenarios.world import World, statuses

from fanfold.domain.model.request import RunRequest


def test_whatever_has_not_answered_by_the_deadline_timed_out(world: World) -> None:
    names = ["dvf", *(f"slow{number}" for number in range(4))]
    world.configure(
        names, run_timeout="3s", max_concurrent_collectors=2, defaults={"timeout": "2s"}
    )
    for name in names[1:]:
        world.collectors.script[name] = lambda *_: Says(wait_s=20)
    world.start()

    world.ask(RunRequest(run_id="r1"))
    report = world.report("r1")

    assert statuses(report)["dvf"] == "succeeded"
    assert {statuses(report)[name] for name in names[1:]} == {"timed_out"}
    assert report["status"] == "failed"
    deadline = report["deadline"]
    for asked in world.collectors.asked:
        assert asked.body["deadline"] <= deadline[:19] + "Z" or asked.body["deadline"] <= deadline


def test_a_collector_that_was_never_started_says_so(world: World) -> None:
    world.configure(
        ["first", "second"],
        run_timeout="3s",
        max_concurrent_collectors=1,
        defaults={"timeout": "3s"},
    )
    for name in ("first", "second"):
        world.collectors.script[name] = lambda *_: Says(wait_s=20)
    world.start()

    world.ask(RunRequest(run_id="r1"))
    report = world.report("r1")

    assert set(statuses(report).values()) == {"timed_out"}
    reasons = {one["error"] for one in report["collectors"].values()}
    assert any("never started" in reason for reason in reasons)
    assert len(world.collectors.asked) == 1


def test_a_collector_that_never_got_a_place_says_so(world: World) -> None:
    world.configure(
        ["long", "waits"],
        max_concurrent_collectors=1,
        collectors={"waits": {"wait_timeout": "500ms"}},
    )
    world.collectors.script["long"] = lambda *_: Says({"records": 1}, wait_s=2.5)
    world.start()
    world.ask(RunRequest(run_id="r1"))
    world.wait_until_asked("long")
    time.sleep(0.6)
    world.sweep()

    report = world.report("r1")

    assert statuses(report) == {"long": "succeeded", "waits": "timed_out"}
    one = report["collectors"]["waits"]
    assert one["error_kind"] == "wait_timeout"
    assert one["error"].startswith("never got a place: waited ")
    assert world.collectors.calls("waits") == []
