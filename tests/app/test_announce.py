"""Who is told how a run ended: for each status, by the words of notify.on alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.conftest import MakeWorld
from tests.support import World, an_answer, catalogue, collector

from fanfold.app.announce import announcement_of
from fanfold.app.cancel import cancel
from fanfold.domain.model.collector import Group
from fanfold.domain.model.states import Outcome
from fanfold.messages import events
from fanfold.messages.topology import RUN_REPORTS

WORDS = ("failed", "recovered", "missed", "rejected", "cancelled", "succeeded")


def ended(world: World, how: str) -> World:
    world.ask()
    world.deliver()
    if how == "cancelled":
        cancel(
            "r1",
            reason="x",
            ledger=world.ledger,
            finisher=world.parts.finisher,
            clock=world.clock,
            writer="somebody",
        )
        return world
    for name in ("dvf", "plu"):
        is_bad = how == "failed" and name == "dvf"
        outcome = Outcome.TIMED_OUT if is_bad else Outcome.SUCCEEDED
        world.ledger.record(an_answer(name, run_id="r1", writer="w", outcome=outcome))
    world.parts.finisher.finish("r1")
    return world


def told(world: World, *on: str) -> bool:
    (message,) = [message for topic, message in world.published if topic == RUN_REPORTS]
    event = events.decode_run_event(message)
    configured = replace(world.configured, notify={"on": on, "to": ("x",)})
    return announcement_of(event, world.ledger, configured) is not None


@pytest.mark.parametrize("how", ["succeeded", "cancelled", "failed"])
def test_only_who_asked_to_hear_of_this_end_is_told(make_world: MakeWorld, how: str) -> None:
    world = ended(make_world(), how)
    assert world.run().status.value == how
    assert {word for word in WORDS if told(world, word)} == {how}
    others = [word for word in WORDS if word != how]
    assert not told(world, *others)
    assert not told(world)


@pytest.mark.parametrize(("at_least", "is_told"), [(1, False), (2, True)])
def test_nobody_hears_of_a_failure_that_its_group_tolerates(
    make_world: MakeWorld, at_least: int, *, is_told: bool
) -> None:
    group = Group("mirrors", at_least)
    members = [collector(name, group=group) for name in ("dvf", "plu")]
    world = ended(make_world(configured=catalogue(*members)), "failed")
    assert world.run().status.value == ("failed" if is_told else "succeeded")
    assert told(world, "failed") is is_told
