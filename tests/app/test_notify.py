"""Notifier: each event once to each target, and no target in the way of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from tests.conftest import MakeWorld
from tests.support import World, catalogue

from fanfold.app.notify import Notifier, Tellings
from fanfold.domain.model.errors import NotConfigured, TargetAway, TargetRefuses
from fanfold.messages import events
from fanfold.ports.bus import Message
from fanfold.ports.outside import Targets

REPORT = {
    **dict.fromkeys(("summary", "start_time", "end_time", "status", "about")),
    "run_id": "r1",
    "revision": 1,
}
EVENT = events.decode_run_event(
    events.encode_finished(REPORT, "reports/r1", at=datetime(2026, 11, 23, tzinfo=UTC))
)


@dataclass
class StubTarget:
    """Raises what it is told to, once each, then takes every event."""

    key: str
    raises: list[Exception] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    name: str = "a stub"

    def tell(self, message: Message) -> None:
        if self.raises:
            raise self.raises.pop(0)
        self.told.append(message.attributes["ce-id"])


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world()


def notifier(world: World, *targets: StubTarget) -> Notifier:
    return Notifier(world.ledger, world.clock, lambda _: Targets(machines=targets))


def test_an_event_is_told_once_to_each_target(world: World) -> None:
    one, two = StubTarget("one"), StubTarget("two")
    notify = notifier(world, one, two)

    assert notify.take(EVENT, catalogue()) == "told 2 targets"
    assert notify.take(EVENT, catalogue()) == "no target to tell"
    assert (one.told, two.told) == (["r1/1"], ["r1/1"])


def test_a_target_that_is_away_keeps_no_other_from_being_told_and_is_told_later(
    world: World,
) -> None:
    away, well = StubTarget("away", [TargetAway("away: 503")]), StubTarget("well")
    notify = notifier(world, away, well)

    with pytest.raises(TargetAway, match="away: 503"):
        notify.take(EVENT, catalogue())
    assert well.told == ["r1/1"]
    assert notify.take(EVENT, catalogue()) == "told 1 target"
    assert (away.told, well.told) == (["r1/1"], ["r1/1"])


@pytest.mark.parametrize("error", [TargetRefuses("no: 403"), NotConfigured("no: 403")])
def test_a_target_that_refuses_keeps_no_other_from_being_told(
    world: World, error: Exception
) -> None:
    refuses, well = StubTarget("refuses", [error]), StubTarget("well")

    with pytest.raises(TargetRefuses, match="no: 403"):
        notifier(world, refuses, well).take(EVENT, catalogue())
    assert well.told == ["r1/1"]


def test_a_bug_in_a_target_is_no_trouble_of_the_target(world: World) -> None:
    bug, well = StubTarget("bug", [ValueError("oops")]), StubTarget("well")

    with pytest.raises(ValueError, match="oops"):
        notifier(world, bug, well).take(EVENT, catalogue())
    assert well.told == ["r1/1"]


def test_a_target_that_was_given_up_and_took_the_event_after_all_has_its_mark(
    world: World,
) -> None:
    slow = StubTarget("slow")
    given_up: list[Callable[[], None]] = []

    def give_up(tellings: Tellings) -> Mapping[str, Exception | None]:
        given_up.extend(tellings.values())
        return {key: TargetAway("slow: too late") for key in tellings}

    notify = notifier(world, slow)
    with pytest.raises(TargetAway, match="too late"):
        replace(notify, patience=give_up).take(EVENT, catalogue())
    given_up[0]()
    assert notify.take(EVENT, catalogue()) == "no target to tell"
    assert slow.told == ["r1/1"]


def test_who_is_away_is_waited_for_before_anything_is_given_up(world: World) -> None:
    away, refuses = StubTarget("a", [TargetAway("a: 503")]), StubTarget("r", [TargetRefuses("403")])

    with pytest.raises(TargetAway, match="a: 503; 403"):
        notifier(world, refuses, away).take(EVENT, catalogue())
