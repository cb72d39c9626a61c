"""Jobs wait for the source behind their collectors, and no run waits for a source for ever."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.lane_world import LaneWorld
from tests.support import World, accepted, after, broken, catalogue, collector, ok

from fanfold.app.announce import announcement_of
from fanfold.app.cancel import cancel
from fanfold.domain.model.run import Failure
from fanfold.domain.model.upstream import Breaker, Upstream, UpstreamState
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.messages import events
from fanfold.messages.topology import RUN_REPORTS
from fanfold.ports.bus import Message
from fanfold.rendering.causes import causes
from fanfold.rendering.rows import problems

INSEE = "api.insee.fr"
NAMES = tuple(f"c{number:02}" for number in range(12))

#: The same promises on a bus that keeps a message for a stated time, and on one that pushes.
MakeAny = Callable[..., World]


@pytest.fixture(params=["kept", "pushed", "lane"])
def a_world(request: pytest.FixtureRequest, tmp_path: Path) -> MakeAny:
    def make(limits: Upstream, **of: Any) -> World:
        given = {"max_attempts": 1, "backoff_s": 10.0, "max_backoff_s": 10.0} | of
        configured = catalogue(
            *(collector(name, upstream=INSEE, limits=limits, **given) for name in NAMES),
            max_concurrent_collectors=12,
            run_timeout_s=1200.0,
        )
        kind = LaneWorld if request.param == "lane" else World
        world = kind(tmp_path, configured=configured, is_paced=request.param == "pushed")
        world.ask()
        return world

    return make


def says_all(world: World, *replies: Any) -> None:
    for name in NAMES:
        world.client.says(name, *replies)


def state(world: World) -> UpstreamState:
    return world.ledger.upstreams([INSEE])[INSEE]


def report(world: World) -> Any:
    found = world.report()
    assert found is not None
    return json.loads(found)


def test_no_minute_has_more_calls_than_the_source_bears(a_world: MakeAny) -> None:
    world = a_world(Upstream(INSEE, per_minute=4))
    begun: list[datetime] = []

    def looks(_: Call) -> Reply:
        begun.append(world.clock.now())
        return ok(1)

    says_all(world, looks)
    world.live(240, step_s=1 if not world.parts.functions.is_paced else 60)

    assert world.outcomes() == dict.fromkeys(NAMES, "succeeded")
    assert len(begun) == 12
    for first in begun:
        assert sum(0 <= (at - first).total_seconds() < 60 for at in begun) <= 4
    # The last four begin in the third minute, and not later: the sweep of each minute fills it.
    assert begun[-1] < after(200)


def test_a_wait_is_no_attempt_and_has_its_own_clock(a_world: MakeAny) -> None:
    world = a_world(Upstream(INSEE, per_minute=4))
    world.settle()
    waiting = [job for job in world.ledger.jobs("r1") if job.is_waiting]
    assert len(waiting) == 8
    assert {(job.started, job.attempts, job.lease) for job in waiting} == {(0, (), None)}

    world.live(240)
    answers = {each.collector: each for each in world.ledger.answers("r1")}
    waited = [answers[job.collector] for job in waiting]
    assert all(len(each.attempts) == 1 for each in answers.values())
    assert all(each.waited_s and each.waited_s >= 60 for each in waited)
    assert {each.queued_s for each in waited} == {0.0}
    assert [each.waited_s for each in answers.values()].count(None) == 4


def test_a_source_that_is_down_is_left_alone_and_the_run_ends(a_world: MakeAny) -> None:
    world = a_world(Upstream(INSEE, max_concurrent=2, breaker=Breaker(5, 300)))
    says_all(world, broken(503))
    world.live(1260)

    # Five open the breaker, and one more was under way. In 20 minutes three calls probe.
    assert 7 <= len(world.client.calls) <= 9
    assert world.run().status == "failed"
    failed = {name: one["error"] for name, one in report(world)["collectors"].items()}
    down = [error for error in failed.values() if "HTTP" not in error and "http 503" not in error]
    assert down
    assert set(down) == {"api.insee.fr is down (5 collectors failed first)"}
    assert set(world.outcomes().values()) == {"failed"}


def test_one_cause_stands_in_the_report_the_sentence_and_the_message_to_people(
    a_world: MakeAny,
) -> None:
    world = a_world(Upstream(INSEE, max_concurrent=2, breaker=Breaker(5, 300)))
    says_all(world, Reply(503, failure=Failure("http", "HTTP 503: busy", retryable=True)))
    world.live(1260)

    assert "api.insee.fr answered 503: 12 collectors (c00, c01, c02" in world.run().about
    made = report(world)
    (cause,) = causes(problems(made), made)
    assert cause.title == "api.insee.fr answered 503: 12 collectors"
    (finished,) = [each for topic, each in world.published if topic == RUN_REPORTS]
    told = announcement_of(
        events.decode_run_event(finished),
        world.ledger,
        replace(world.configured, notify={"on": ("failed",)}),
    )
    assert told is not None
    assert told.title == "✗ 12 new failures: api.insee.fr answered 503"
    assert "✗ api.insee.fr answered 503: 12 collectors" in told.body


def test_one_call_probes_and_its_success_brings_the_others_back(a_world: MakeAny) -> None:
    world = a_world(Upstream(INSEE, max_concurrent=2, breaker=Breaker(5, 60)), max_attempts=3)
    down_until = after(90)

    def looks(_: Call) -> Reply:
        return broken(503) if world.clock.now() < down_until else ok(1)

    says_all(world, looks)
    world.live(420, step_s=30)

    assert world.outcomes() == dict.fromkeys(NAMES, "succeeded")
    assert state(world).opened_at is None
    # Twelve that succeed, six that opened the breaker, and at most two probes.
    assert 17 <= len(world.client.calls) <= 20


def test_the_breaker_stays_open_from_one_run_to_the_next(a_world: MakeAny) -> None:
    world = a_world(Upstream(INSEE, max_concurrent=2, breaker=Breaker(5, 300)))
    says_all(world, broken(503))
    world.settle()
    calls = len(world.client.calls)
    assert calls in {5, 6}

    world.ask(run_id="r2", force=True)
    world.settle()
    assert len(world.client.calls) == calls
    says_all(world, ok(1))
    world.live(480)
    assert set(world.outcomes("r2").values()) <= {"succeeded"}


def test_who_accepted_holds_its_place_until_it_reports(a_world: MakeAny) -> None:
    world = a_world(Upstream(INSEE, max_concurrent=1), timeout_s=900.0)
    says_all(world, accepted())
    world.settle()
    (first,) = [job.collector for job in world.ledger.jobs("r1") if job.accepted_until]
    assert len(world.client.calls) == 1

    for _ in range(3):
        world.live(60)
    assert len(world.client.calls) == 1

    world.publish("collector-results", said(world, first))
    world.live(120)
    assert len(world.client.calls) == 2


def said(world: World, name: str) -> Any:
    body = {"run_id": "r1", "collector": name, "token": world.token(name), "status": "succeeded"}
    return Message(json.dumps({**body, "records": 5}).encode(), {})


def test_a_cancelled_run_leaves_no_place_taken(a_world: MakeAny) -> None:
    world = a_world(Upstream(INSEE, max_concurrent=1), timeout_s=900.0)
    says_all(world, accepted())
    world.settle()
    assert state(world).places
    cancel(
        "r1",
        reason="enough",
        ledger=world.ledger,
        finisher=world.parts.finisher,
        clock=world.clock,
        writer="w",
    )
    assert not state(world).places
