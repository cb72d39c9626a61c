"""Two hosts with a lane each on one file, under every order of events that a seed can think of.

One seed is one order of turns, ended calls, worked messages, passing time, commits that fail before
or after they took effect, and processes that are killed and started again. Then the faults stop,
and the run must end in one balanced report.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest
from tests.app.doubles import Ports, unavailable
from tests.lane_world import LaneWorld
from tests.simulation.test_simulation import FIRST_SEED, SEEDS
from tests.support import MovingClock, StubClient, catalogue

from fanfold.adapters.embedded.wants import LEASE_S
from fanfold.domain.model.errors import Transient
from fanfold.messages.topology import COLLECTOR_JOBS

NAMES = [f"c{number:02}" for number in range(9)]

#: Most calls at once of both hosts together.
PLACES = 4

#: How often something happens before the faults stop.
STEPS = 60


class Lanes:
    """The two hosts, and what is done to them."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir()
        self.folder = folder
        self.random = random.Random(seed)
        self.clock = MovingClock()
        self.client = StubClient()
        self.ports: dict[int, Ports] = {}
        #: How often a call may have been repeated: it was under way when its process died, or the
        #: commit with its lease or its answer was not known to be made.
        self.excuses = 0
        #: How often an attempt may be lost: the third time its collector is given up, by rule.
        self.losses_left = 2
        self.hosts = [self._started(), self._started()]
        self.hosts[0].ask()

    def _started(self) -> LaneWorld:
        ports = Ports()
        made = LaneWorld(
            self.folder,
            configured=catalogue(*NAMES, max_concurrent_collectors=PLACES),
            clock=self.clock,
            client=self.client,
            wrap=ports.wrap,
        )
        made.lane.places = made.lane.shared_limit = PLACES
        self.ports[id(made)] = ports
        made.owner.free_the_dead()
        return made

    def play(self) -> None:
        steps = [self.turn] * 8 + [self.end_a_call] * 8 + [self.work_a_message] * 4
        steps += [self.let_time_pass] * 2 + [self.tick, self.fail_a_commit, self.kill]
        for _ in range(STEPS):
            self.random.choice(steps)(self.random.choice(self.hosts))
            self.check_places()
        for host in self.hosts:
            self.turn(host)  # a fault that waits for its commit is over then
        self.calm_down()

    def calm_down(self) -> None:
        for _ in range(8):
            for host in self.hosts:
                host.settle()
            self.clock.forward(100)
            self.hosts[0].tick()

    def turn(self, host: LaneWorld) -> None:
        try:
            host.host._turn(takes_more=True)
        except Transient:
            return

    def end_a_call(self, host: LaneWorld) -> None:
        under_way = host.calls.started
        if under_way:
            ended = under_way.pop(self.random.randrange(len(under_way)))
            later, host.calls.started = under_way, [ended]
            host.calls.turn(0)
            host.calls.started = later

    def work_a_message(self, host: LaneWorld) -> None:
        host.work_what_is_taken(most=1)

    def let_time_pass(self, host: LaneWorld) -> None:
        self.clock.forward(self.random.choice([0.1, 3.0]))
        for each in self.hosts:
            each.host._extend()

    def tick(self, host: LaneWorld) -> None:
        self.hosts[0].parts.sweeper.sweep(None)

    def fail_a_commit(self, host: LaneWorld) -> None:
        database = self.ports[id(host)]["database"]
        if self.random.random() < 0.5 or not self.losses_left:
            database.once_before("together", unavailable)
        else:
            self.losses_left -= 1
            database.once_after("together", unavailable)
            self.excuses += PLACES
        self.turn(host)

    def kill(self, host: LaneWorld) -> None:
        if not self.losses_left:
            return
        self.losses_left -= 1
        assert host.owner._lock is not None
        self.excuses += len(host.calls.started) + len(host.calls.came) + len(host.lane._came)
        os.close(host.owner._lock)  # as the system does for a process that is gone
        host.close()
        self.hosts[self.hosts.index(host)] = self._started()

    def check_places(self) -> None:
        """Never are more jobs called than there are places, nor one of them twice."""
        calls = [call for host in self.hosts for _, call in host.calls.started]
        assert len(calls) <= PLACES
        assert max(Counter(call.spec.name for call in calls).values(), default=0) <= 1

    def check_end(self) -> None:
        world = self.hosts[0]
        run = world.run()
        assert world.outcomes() == dict.fromkeys(NAMES, "succeeded")
        assert (run.status.value, run.announced_at is not None) == ("succeeded", True)
        assert run.summary is not None
        assert run.summary["succeeded"] == len(NAMES)
        assert world.dead() == []
        assert COLLECTOR_JOBS not in world.bus.waiting()
        assert len(self.client.calls) <= len(NAMES) + self.excuses
        assert [line for host in self.hosts for line in host.logged if line[0] == "CRITICAL"] == []

    def close(self) -> None:
        for host in self.hosts:
            host.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + SEEDS // 4, 25))
def test_whatever_happens_to_two_lanes_the_run_ends_balanced(
    tmp_path: Path, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # no power cut is played
    for seed in range(first, first + 25):
        lanes = Lanes(tmp_path / str(seed), seed)
        try:
            lanes.play()
            lanes.check_end()
        except AssertionError as exc:
            raise AssertionError(f"seed {seed}: {exc}") from exc
        finally:
            lanes.close()


def test_a_host_that_stands_still_beyond_its_leases_is_asked_nothing_twice(tmp_path: Path) -> None:
    lanes = Lanes(tmp_path / "one", 1)
    first, second = lanes.hosts
    while not first.calls.started:
        lanes.turn(first)
        lanes.work_a_message(first)
    lanes.clock.forward(LEASE_S + 1)  # the first host stands still: its messages are free again
    lanes.turn(second)
    called = [{call.spec.name for _, call in host.calls.started} for host in lanes.hosts]
    assert len(called[0]) == PLACES
    assert not called[0] & called[1]  # the lease of a job is longer than its call
    lanes.calm_down()
    lanes.check_end()
    assert {lanes.client.called(name) for name in NAMES} == {1}
    lanes.close()
