"""An open run, and what can be damaged in its store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from tests.conftest import MakeWorld
from tests.support import World, an_answer, catalogue, collector

from fanfold.domain.model.states import Phase, RunStatus

BALANCED = ("succeeded", "failed", "timed_out", "cancelled", "skipped")


Breaks = Callable[[World], None]


def opened(make_world: MakeWorld, **changes: Any) -> World:
    """Return a world with an open run of dvf, plu and a disabled one, dvf with its answer."""
    configured = catalogue("dvf", "plu", collector("old", enabled=False))
    world = make_world(configured=configured, **changes)
    world.ask()
    world.deliver()
    world.ledger.record(an_answer("dvf", run_id="r1", records=7))
    return world


def execute(world: World, statement: str, parameters: tuple[str, ...] = ()) -> None:
    with sqlite3.connect(world.folder / "fanfold.db") as file:
        file.execute(statement, parameters)


def foreign_answer(world: World) -> None:
    execute(
        world,
        "INSERT INTO answer SELECT run_id, 'stranger', writer, "
        "json_set(document, '$.collector', 'stranger') FROM answer",
    )


def answer_of_another_run(world: World) -> None:
    execute(world, "UPDATE answer SET document = json_set(document, '$.run_id', 'r0')")


def unreadable_answer(world: World) -> None:
    execute(world, "UPDATE answer SET document = '{\"half\"'")


def answer_that_is_none(world: World) -> None:
    execute(world, "UPDATE answer SET document = '[]'")


def enormous_wait(world: World) -> None:
    execute(world, "UPDATE answer SET document = json_set(document, '$.queued_s', 9e999)")


def enormous_count(world: World) -> None:
    seven, huge = '"records":7', f'"records":9{"0" * 40}'
    execute(world, "UPDATE answer SET document = replace(document, ?, ?)", (seven, huge))


def lost_manifest(world: World) -> None:
    execute(world, "DELETE FROM manifest WHERE collector = 'plu'")


def no_manifest(world: World) -> None:
    execute(world, "DELETE FROM manifest")


def unreadable_manifest(world: World) -> None:
    execute(world, "UPDATE manifest SET document = 'null' WHERE collector = 'old'")


def unreadable_job(world: World) -> None:
    execute(world, "UPDATE job SET attempts = '[1]' WHERE collector = 'plu'")


def other_totals(world: World) -> None:
    execute(world, "UPDATE run SET document = json_set(document, '$.total', 9, '$.asked', 8)")


def unreadable_run(world: World) -> None:
    execute(world, "UPDATE run SET document = '{\"half\"'")


def unknown_phase(world: World) -> None:
    execute(world, "UPDATE run SET phase = 'paused', verdict = 'perhaps'")


def no_text(world: World) -> None:
    execute(world, "UPDATE run SET document = CAST(x'ff00fe' AS TEXT)")


ALL = [
    foreign_answer,
    answer_of_another_run,
    lost_manifest,
    no_manifest,
    other_totals,
    unknown_phase,
]


#: Damage that one collector alone has to bear.
OF_ONE_COLLECTOR = [
    unreadable_answer,
    answer_that_is_none,
    enormous_wait,
    unreadable_manifest,
    unreadable_job,
]


def report_of(world: World) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(world.report() or b"null")
    return report


def assert_ended(world: World) -> None:
    """Check that the run is closed as failed, with a report that balances and says the same."""
    run = world.run()
    assert (run.phase, run.status, run.revision) == (Phase.FINAL, RunStatus.FAILED, 1)
    assert run.announced_at is not None
    assert run.about.startswith("failed: the report cannot be written as it is: ")
    assert set(world.finished_events()) == {"r1/1"}
    report = report_of(world)
    assert (report["status"], report["about"]) == ("failed", run.about)
    summary = report["summary"]
    assert summary["total"] == len(report["collectors"])
    assert summary["total"] == sum(summary[key] for key in BALANCED)
    assert world.dead() == []
