"""The fallback ends a run whatever step of it fails, whoever else closes it, or is away."""

from __future__ import annotations

import pytest
from tests.app.damage import assert_ended, foreign_answer, opened, report_of
from tests.app.doubles import Ports, unavailable
from tests.conftest import MakeWorld
from tests.support import World, a_closing

from fanfold.domain.model.errors import BadMessage, NotConfigured, SinkUnavailable
from fanfold.domain.model.states import Phase, RunStatus

PERMANENT = [BadMessage("too large"), NotConfigured("no bucket"), OverflowError("int too big")]


def failing(ports: Ports, port: str, method: str, trouble: Exception, times: int = 1000) -> None:
    def fail() -> None:
        raise trouble

    for _ in range(times):
        ports[port].once_before(method, fail)


@pytest.mark.parametrize("trouble", PERMANENT, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize(
    ("port", "method"),
    [
        ("ledger", "jobs"),
        ("ledger", "record"),
        ("ledger", "remember"),
        ("sink", "write"),
        ("bus", "publish"),
    ],
)
def test_a_step_that_never_works_does_not_keep_a_run_from_its_end(
    make_world: MakeWorld, port: str, method: str, trouble: Exception
) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    failing(ports, port, method, trouble)
    for _ in range(2):
        world.clock.forward(3600)
        world.parts.sweeper.sweep(world.configured)

    run = world.run()
    assert (run.phase, run.status) == (Phase.FINAL, RunStatus.FAILED)
    assert run.announced_at is not None
    assert str(trouble) in run.about
    assert (run.report == "") == (port == "sink")


def test_a_store_that_does_not_take_the_verdict_takes_the_fallbacks(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    failing(ports, "ledger", "finalize_run", BadMessage("a number out of range"), times=1)
    world.clock.forward(3600)
    world.parts.sweeper.sweep(world.configured)

    assert_ended(world)
    assert "a number out of range" in world.run().about


def test_a_step_that_fails_in_passing_is_only_repeated(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    for port, method in (("ledger", "jobs"), ("ledger", "finalize_run"), ("sink", "write")):
        ports[port].once_before(method, unavailable)
        world.clock.forward(3600)
        swept = world.parts.sweeper.sweep(world.configured)
        assert swept.trouble == ["r1: not now"]
    world.parts.sweeper.sweep(world.configured)

    assert "cannot be written" not in world.run().about
    assert world.run().announced_at is not None


def close(world: World) -> None:
    world.ledger.finalize_run("r1", a_closing(verdict=RunStatus.CANCELLED, about="by another"))


def test_a_fallback_that_lost_the_race_leaves_the_others_verdict(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    foreign_answer(world)
    ports["ledger"].once_before("finalize_run", lambda: close(world))
    world.clock.forward(3600)
    world.parts.sweeper.sweep(world.configured)

    assert (world.run().verdict, world.run().announced_at) == (RunStatus.CANCELLED, None)


@pytest.mark.parametrize("step", ["finalize_run", "remember", "mark_announced"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fallback_that_stopped_half_way_is_mended(
    make_world: MakeWorld, step: str, when: str
) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    foreign_answer(world)
    world.clock.forward(3600)
    getattr(ports["ledger"], f"once_{when}")(step, unavailable)
    assert world.parts.sweeper.sweep(world.configured).trouble
    world.clock.forward(60)
    world.parts.sweeper.sweep(world.configured)

    assert_ended(world)


def test_a_place_that_never_takes_the_report_ends_the_run_without_one(
    make_world: MakeWorld,
) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    world.clock.forward(3600)

    def away() -> None:
        raise SinkUnavailable("the folder is not there")

    for _ in range(20):
        ports["sink"].once_before("write", away)
    waited = 0
    while world.run().announced_at is None:
        (trouble,) = world.parts.sweeper.sweep(world.configured).trouble or [""]
        assert trouble in ("r1: the folder is not there", "")
        world.clock.forward(60)
        waited += 60
        assert waited <= 1200

    # The place had ten minutes to come back, and no more.
    assert 600 <= waited - 60 <= 720
    run = world.run()
    assert (run.status, run.report, run.phase) == (RunStatus.FAILED, "", Phase.FINAL)
    assert "cannot be written as it is: the folder is not there" in run.about
    assert set(world.finished_events()) == {"r1/1"}
    assert world.parts.sweeper.sweep(world.configured).trouble == []


def test_a_place_that_comes_back_in_time_takes_the_report(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    world.clock.forward(3600)

    def away() -> None:
        raise SinkUnavailable("the folder is not there")

    ports["sink"].once_before("write", away)
    assert world.parts.sweeper.sweep(world.configured).trouble
    world.clock.forward(500)
    assert world.parts.sweeper.sweep(world.configured).trouble == []
    assert report_of(world)["collectors"]["dvf"]["status"] == "succeeded"
    assert not world.run().about.startswith("failed: the report cannot")
