"""Everything goes well."""

from __future__ import annotations

from tests.scenarios.world import World, folded, statuses

from fanfold.domain.model.request import RunRequest


def test_every_collector_answers_and_the_report_says_so(world: World) -> None:
    world.configure(["dvf", "sirene", "plu"], collectors={"plu": {"enabled": False}})
    world.start()

    world.ask(RunRequest(run_id="r1", reason="a look"))
    report = world.report("r1")

    assert statuses(report) == {"dvf": "succeeded", "sirene": "succeeded", "plu": "skipped"}
    assert report["status"] == "succeeded"
    assert report["summary"]["records"] == 10
    assert report["trigger"]["reason"] == "a look"
    assert world.collectors.counts() == {"dvf": 1, "sirene": 1}
    assert report == folded(world.parts, "r1")


def test_the_collector_is_told_what_the_contract_says(world: World) -> None:
    world.configure(["dvf"], collectors={"dvf": {"params": {"years": [2024]}}})
    world.start()

    world.ask(RunRequest(run_id="r1", params={"dvf": {"force": True}}))
    world.report("r1")

    asked = world.collectors.calls("dvf")[0]
    assert asked.headers["Idempotency-Key"] == "r1/dvf"
    assert asked.headers["traceparent"].startswith("00-")
    assert asked.body["run_id"] == "r1"
    assert asked.body["attempt"] == 1
    assert asked.body["params"] == {"years": [2024], "force": True}


def test_the_next_run_tells_the_collector_what_the_last_one_found(world: World) -> None:
    world.configure(["dvf"])
    world.start()

    for run_id in ("r1", "r2"):
        world.ask(RunRequest(run_id=run_id))
        world.report(run_id)

    assert world.collectors.calls("dvf")[1].body["previous"] == {"revision": None, "records": 5}


def test_200_collectors_are_counted_each_once(world: World) -> None:
    names = [f"c{number:03}" for number in range(200)]
    world.configure(names)
    world.start()

    world.ask(RunRequest(run_id="r1"))
    report = world.report("r1")

    assert report["summary"]["succeeded"] == 200
    assert world.collectors.counts() == dict.fromkeys(names, 1)
