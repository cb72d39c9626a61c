"""A run is watched for as long as was said, and what libraries log keeps its severity."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from tests.conftest import MakeWorld
from tests.support import an_answer

from fanfold.cli.commands.serve import _Forward
from fanfold.cli.runs.follow import End, Follower


class Quiet:
    """Progress that nobody sees, and an interrupt that never comes."""

    every_s = 0.05

    def update(self, _: object) -> None:
        """Show nothing."""

    def wait(self, seconds: float) -> bool:
        time.sleep(min(seconds, 0.02))
        return False


def follower(world: Any, wait_s: float | None) -> Follower:
    quiet: Any = Quiet()
    return Follower(world.parts, "r1", None, quiet, quiet, wait_s, 0.02)


def test_who_waits_gives_up_after_the_time_that_was_said_and_not_before(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    world.ask()
    world.deliver()
    begun = time.monotonic()
    assert follower(world, 0.4).follow() is End.TIMED_OUT
    assert 0.4 <= time.monotonic() - begun < 5


@pytest.mark.parametrize("wait_s", [None, 60.0])
def test_who_waits_sees_the_end(make_world: MakeWorld, wait_s: float | None) -> None:
    world = make_world()
    world.ask()
    world.deliver()
    for name in ("dvf", "plu"):
        world.ledger.record(an_answer(name, run_id="r1", writer="w"))
    world.parts.finisher.finish("r1")
    assert follower(world, wait_s).follow() is End.ANNOUNCED


@pytest.mark.parametrize(
    ("level", "severity"),
    [(logging.WARNING, "WARNING"), (logging.ERROR, "ERROR"), (logging.CRITICAL, "ERROR")],
)
def test_what_a_library_logs_is_one_line_of_its_severity(level: int, severity: str) -> None:
    lines: list[tuple[str, str]] = []

    def log(told: str, message: str, **_: object) -> None:
        lines.append((told, message))

    forward: Any = _Forward(log)  # type: ignore[arg-type]
    forward.emit(logging.LogRecord("a.lib", level, "x.py", 1, "it\nbroke", None, None))
    assert lines == [(severity, "a.lib: it")]
