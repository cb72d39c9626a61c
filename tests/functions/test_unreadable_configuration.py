"""A configuration that cannot be read disarms neither the watch over slots nor notifications."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.functions.conftest import Deliver
from tests.support import World, catalogue, collector

from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import Permanent
from fanfold.domain.model.states import RunStatus
from fanfold.messages.topology import RUN_REPORTS, RUN_REQUESTS
from fanfold.ports.bus import Message
from fanfold.runtime import parts
from fanfold.settings import Settings

NIGHTLY = catalogue(collector("dvf", cron="15 2 * * *"), missed_after_s=2700.0)

#: A file in which one collector has no URL: every request is refused.
FILE = """\
version: 2
scheduler:
  name: nightly
  missed_after: 45m
  collectors:
    dvf: {schedule: "15 2 * * *"}
notify:
  on: [rejected]
  to: ["json://localhost/x"]
"""


def unreadable() -> Catalogue:
    raise Permanent("dvf has no URL")


def broken(world: World, readable: Callable[[], Catalogue | None]) -> None:
    """Let *world* have a configuration of which only *readable* can be read."""
    functions = replace(world.parts.functions, catalogue=unreadable, readable=readable)
    world.parts.functions = functions


def test_a_slot_that_nobody_could_start_is_missed_all_the_same(world: World) -> None:
    world.configured = NIGHTLY
    world.ask()
    world.settle()
    broken(world, lambda: NIGHTLY)
    world.clock.forward(timedelta(days=1, hours=1).total_seconds())
    world.logged.clear()

    world.tick()

    assert RunStatus.MISSED in {run.status for run in world.ledger.recent_runs(5)}
    (error,) = [each for each in world.logged if each[0] == "ERROR"]
    assert error[1] == "the configuration cannot be read, so no run starts: dvf has no URL"
    assert error[2]["configuration"] == "unreadable"


def test_a_refused_schedule_is_told_with_what_can_be_read(world: World, deliver: Deliver) -> None:
    told: list[Catalogue] = []

    def targets(configured: Catalogue) -> object:
        told.append(configured)
        return replace(nobody, people=(), machines=())

    nobody = world.parts.functions.notifier.targets(NIGHTLY)
    notifier = replace(world.parts.functions.notifier, targets=targets)  # type: ignore[arg-type]
    world.parts.functions = replace(world.parts.functions, notifier=notifier)
    broken(world, lambda: NIGHTLY)
    deliver(Message(b"{}", {"schedule": "nightly"}), RUN_REQUESTS, times=1)

    world.settle()

    assert RUN_REPORTS in {topic for topic, _ in world.published}
    assert told == [NIGHTLY]
    assert world.ledger.dead_letters(10) == []


def test_what_a_broken_file_says_of_its_slots_and_of_people_is_read(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(FILE, "utf-8")

    read = parts._readable_slots(Settings(config=file), {})

    assert read is not None
    assert [each.cron for each in read.collectors] == ["15 2 * * *"]
    assert read.missed_after_s == 2700
    assert read.notify["on"] == ("rejected",)


@pytest.mark.parametrize(
    ("right", "wrong"), [("15 2 * * *", "15 25 * * *"), ("missed_after", "timezone")]
)
def test_slots_that_may_be_wrong_are_not_watched(tmp_path: Path, right: str, wrong: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(FILE.replace(right, wrong), "utf-8")

    assert parts._readable_slots(Settings(config=file), {}) is None
