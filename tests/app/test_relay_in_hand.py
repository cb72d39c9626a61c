"""The relay: what a collector said is stored again and again while the lease lives."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.app.doubles import Ports, unavailable
from tests.app.one_job import opened, results, the_job, work
from tests.conftest import MakeWorld
from tests.support import World, accepted, after, broken

from fanfold.domain.model.errors import AnswerInHand, BusUnavailable, ComeBack, NotConfigured
from fanfold.domain.rules.claim import LEASE_MARGIN_S

#: How long the lease of an attempt lasts whose collector answers at once, in seconds.
LEASE_S = 60.0 + LEASE_MARGIN_S


def not_confirmed() -> None:
    raise BusUnavailable("not confirmed")


def forbidden() -> None:
    """A role was taken away: somebody may give it back while the lease lives."""
    raise NotConfigured("no permission to use Firestore")


def unreachable_until(
    world: World, instant_s: float, fail: Callable[[], None]
) -> Callable[[], None]:
    """Return what fails until the clock is *instant_s* seconds after the start."""

    def happen() -> None:
        if world.clock.now() < after(instant_s):
            fail()

    return happen


def often(ports: Ports, port: str, method: str, happen: Callable[[], None]) -> None:
    for _ in range(1000):
        ports[port].once_before(method, happen)


@pytest.mark.parametrize(
    ("port", "method", "fail"),
    [
        ("ledger", "record", unavailable),
        ("bus", "publish", not_confirmed),
        ("ledger", "record", forbidden),
        ("bus", "publish", forbidden),
    ],
)
def test_an_answer_is_stored_when_the_store_comes_back(
    make_world: MakeWorld, port: str, method: str, fail: Callable[[], None]
) -> None:
    ports = Ports()
    world = opened(make_world, ports)
    often(ports, port, method, unreachable_until(world, 14.0, fail))

    assert work(world) == "succeeded"
    assert after(14) <= world.clock.now() < after(20)
    assert world.outcomes() == {"dvf": "succeeded"}
    assert results(world) == ["r1/dvf"]
    assert world.client.called("dvf") == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("port", "method"), [("ledger", "record"), ("bus", "publish")])
def test_a_lost_reply_of_a_store_is_repeated_without_another_call(
    make_world: MakeWorld, port: str, method: str, when: str
) -> None:
    ports = Ports()
    world = opened(make_world, ports)
    getattr(ports[port], f"once_{when}")(method, unavailable)

    assert work(world) == "succeeded"
    assert set(results(world)) == {"r1/dvf"}
    assert list(world.ledger.lates("r1")) == []
    assert world.client.called("dvf") == 1


def test_an_answer_is_given_up_when_the_lease_ends_and_not_before(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, ports)
    often(ports, "ledger", "record", unavailable)
    with pytest.raises(
        AnswerInHand, match=r"r1/dvf was called, .* \d+ tries, .* not now"
    ) as caught:
        work(world)

    assert after(LEASE_S - 6) <= world.clock.now() < after(LEASE_S)
    assert isinstance(caught.value.__cause__, Exception)
    assert world.outcomes() == {}


def test_the_tries_do_not_make_a_busy_loop(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, ports)
    often(ports, "ledger", "record", unavailable)
    with pytest.raises(AnswerInHand):
        work(world)

    assert 15 <= ports["ledger"].called.count("record") <= 40


def test_a_retry_and_an_acceptance_are_stored_again_too(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, ports)
    world.client.says("dvf", broken(503), accepted())
    for _ in range(3):
        ports["ledger"].once_before("release", unavailable)
        ports["ledger"].once_before("accept", unavailable)
    with pytest.raises(ComeBack):
        work(world)
    assert [each.outcome for each in the_job(world).attempts] == ["retry"]

    world.clock.forward(20)
    assert "accepted" in work(world)
    assert [each.outcome for each in the_job(world).attempts] == ["retry", "accepted"]
    assert world.client.called("dvf") == 2


def test_an_acceptance_whose_reply_was_lost_is_still_one(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, ports)
    world.client.says("dvf", accepted())
    ports["ledger"].once_after("accept", unavailable)
    with pytest.raises(ComeBack):
        work(world)

    assert "accepted" in work(world)
    assert world.client.called("dvf") == 1


def test_an_answer_that_is_stored_after_the_deadline_is_late_and_the_report_tells_no_lie(
    make_world: MakeWorld,
) -> None:
    ports = Ports()
    world = opened(make_world, ports)
    world.clock.forward(3590)  # the run ends in ten seconds
    other = make_world(configured=world.configured, clock=world.clock, published=world.published)

    def locked_past_the_deadline() -> None:
        if world.clock.now() < after(3600):
            unavailable()
        other.tick()

    often(ports, "ledger", "record", locked_past_the_deadline)
    assert work(world) == "succeeded, kept as late: it already timed_out"
    other.settle()

    answer = world.ledger.answer("r1", "dvf")
    assert answer is not None
    assert answer.error is not None
    assert answer.error.message == (
        "attempt 1 began 10s before the run's deadline, and no answer of it was stored by then"
    )
    assert [late.answer.records for late in world.ledger.lates("r1")] == [10]
    assert world.finished_events() == ["r1/1", "r1/2"]
