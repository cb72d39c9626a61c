"""The shipped use cases under every order of events that a seed can think of.

One seed is one schedule: several deliveries of several messages run side by side, one port call at
a time, in an order that the seed draws. Between any two port calls a process may die, a call may
fail before or after it took effect, a message may come twice, late or never, time may pass, and a
sweep may start. Then the faults stop, and the run must end in one balanced report.

Only one thread runs at any moment, so the same seed is the same schedule.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.simulation.processes import Killed, Process, Stepped
from tests.support import START, MovingClock, World, broken, catalogue, collector, ok

from fanfold.app.relay import store_answer
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import Run
from fanfold.domain.model.states import Phase
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.domain.report import fold
from fanfold.messages import events, run_request
from fanfold.messages.topology import (
    COLLECTOR_JOBS,
    COLLECTOR_RESULTS,
    RUN_REPORTS,
    RUN_REQUESTS,
    SWEEP_TICKS,
)
from fanfold.ports.bus import Delivery, Message
from fanfold.rendering.report_json import to_bytes

FUNCTIONS = {
    RUN_REQUESTS: "dispatcher",
    COLLECTOR_JOBS: "collector_relay",
    COLLECTOR_RESULTS: "aggregator",
    SWEEP_TICKS: "aggregator",
}

#: Most deliveries that run side by side.
SIDE_BY_SIDE = 4


class Bag:
    """A bus that promises nothing but at least once: any order, any number of times."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Message]] = []
        self.reports: list[str] = []

    def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        for message in messages:
            if topic == RUN_REPORTS:
                self.reports.append(message.attributes["ce-id"])
            else:
                self.messages.append((topic, message))
        return [str(number) for number, _ in enumerate(messages)]


class Simulation:
    """One world that plays seed after seed, each a run of its own.

    Where it *is_paced*, there is one place for the two collectors.
    """

    def __init__(self, folder: Path, *, is_paced: bool = False) -> None:
        self.chance = random.Random(0)
        self.faulty = False
        self.bag = Bag()
        self.processes: list[Process] = []
        self.calls: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.trace: list[str] = []
        self.first: dict[str, str] = {}
        self.leased_until: dict[str, datetime] = {}
        self.recovers_from = START
        self.run_id = ""
        self.kind = True
        configured = catalogue(
            *(
                collector(name, max_attempts=2, backoff_s=5.0, max_backoff_s=10.0)
                for name in ("dvf", "plu")
            ),
            run_timeout_s=600.0,
            # Where jobs are held back, plu waits until dvf releases it.
            max_concurrent_collectors=1,
        )
        self.world = World(
            folder, configured=configured, clock=MovingClock(), wrap=self._wrap, is_paced=is_paced
        )
        self.world.client.invoke = self._invoke  # type: ignore[method-assign]

    def play(self, seed: int, actions: int = 120) -> None:
        """Play *seed*: faults first, then none; fail with its trace if a promise is broken."""
        self.chance = random.Random(seed)
        self.run_id = f"seed-{seed}"
        self.kind = self.chance.random() < 0.5
        self.bag, self.processes, self.calls = Bag(), [], Counter()
        self.wrong, self.trace, self.first, self.leased_until = [], [], {}, {}
        request = run_request.encode_run_request(RunRequest(run_id=self.run_id))
        self.bag.messages = [(RUN_REQUESTS, request)] * self.chance.choice((1, 1, 2))
        self.faulty = True
        for _ in range(actions):
            self._act()
            self._look()
        self.faulty = False
        self.recovers_from = self.world.clock.now()
        self._recover()
        self._audit()
        assert not self.wrong, f"seed {seed}: {self.wrong}\n" + "\n".join(self.trace)

    def draw_fault(self) -> str:
        if not self.faulty or self.chance.random() > 0.06:
            return ""
        return self.chance.choice(("dies before", "dies after", "fails before", "fails after"))

    def sleep(self, process: Process) -> None:
        """Let *process* lie still now and then for longer than a claim is fresh."""
        if self.faulty and self.chance.random() < 0.3:
            self.world.clock.forward(1.0)
            for _ in range(self.chance.randrange(1, 8)):
                process.pause()

    def _wrap(self, name: str, port: Any) -> Any:
        return Stepped(_Current(self) if name == "bus" else port, self)

    def _act(self) -> None:
        choices: list[Callable[[], None]] = [self._pass_time]
        choices += [self._step] * (4 * len(self.processes))
        if len(self.processes) < SIDE_BY_SIDE:
            choices += [self._deliver] * (4 if self.bag.messages else 0)
            choices += [self._sweep, self._answer_again]
        self.chance.choice(choices)()

    def _pass_time(self) -> None:
        seconds = self.chance.choice((0.1, 1.0, 10.0, 60.0, 95.0))
        self._note(f"{seconds} s pass")
        self.world.clock.forward(seconds)

    def _step(self) -> None:
        process = self.chance.choice(self.processes)
        process.step()
        if process.ended:
            self.processes.remove(process)

    def _answer_again(self) -> None:
        """Let a collector that has an answer give another one: late evidence."""
        answers = self.world.ledger.answers(self.run_id)
        if not answers:
            return
        number = len(self.trace)
        answer = replace(self.chance.choice(answers), writer=f"late/{number}", records=number)
        ledger, bus, now = self.world.parts.ledger, self.world.parts.bus, self.world.clock.now()

        def ended(how: str) -> None:
            self._note(f"{answer.collector} answers again: {how}")

        def store() -> None:
            store_answer(answer, ledger=ledger, bus=bus, now=now)

        self.processes.append(Process(store, ended))

    def _sweep(self) -> None:
        self._start(SWEEP_TICKS, events.encode_tick(at=self.world.clock.now()), lambda _: None)

    def _deliver(self) -> None:
        index = self.chance.randrange(len(self.bag.messages)) if self.faulty else 0
        topic, message = self.bag.messages[index]
        draw = self.chance.random() if self.faulty else 1.0
        if draw < 0.03 and topic != RUN_REQUESTS:
            self._note(f"lost: {topic} {message.attributes.get('ce-id')}")
            self.bag.messages.pop(index)
            return
        if draw > 0.15 or not self.faulty:
            self.bag.messages.pop(index)

        def on_end(how: str) -> None:
            if how != "acknowledged":
                self.bag.messages.append((topic, message))

        self._start(topic, message, on_end)

    def _start(self, topic: str, message: Message, on_end: Callable[[str], None]) -> None:
        at = self.world.clock.now()
        delivery = Delivery(message, message.attributes.get("ce-id", "request"), at, topic, 1)
        take = self.world.parts.functions.named(FUNCTIONS[topic])
        what = f"{topic} {message.attributes.get('ce-id', '')}"

        def ended(how: str) -> None:
            self._note(f"{what}: {how}")
            on_end(how)

        self.processes.append(Process(lambda: take(delivery), ended))

    def _invoke(self, call: Call) -> Reply:
        """The collector. Whoever comes here must still have every right to."""
        name = call.spec.name
        self.calls[name] += 1
        self._note(f"{name} is called, attempt {call.attempt}")
        if self.world.ledger.answer(self.run_id, name) is not None:
            self.wrong.append(f"{name} was called although it has an answer")
        run = self.world.run(self.run_id)
        if self.world.clock.now() >= run.deadline or call.deadline > run.deadline:
            self.wrong.append(f"{name} was called past the deadline")
        now = self.world.clock.now()
        if now < self.leased_until.get(name, now):
            self.wrong.append(f"{name} was called while another call holds its lease")
        job = next(job for job in self.world.ledger.jobs(self.run_id) if job.collector == name)
        if job.lease is None or now >= job.lease.until:
            self.wrong.append(f"{name} was called without a lease")
        else:
            self.leased_until[name] = job.lease.until
        process: Process = Process.here.process
        process.pause()
        if self.draw_fault().startswith("dies"):
            raise Killed
        self.leased_until.pop(name, None)
        draw = 1.0 if self.kind else self.chance.random()
        return broken(503) if draw < 0.3 else broken(404, retryable=False) if draw < 0.4 else ok(7)

    def _look(self) -> None:
        """Check what must hold after every step: an answer that was stored never changes."""
        for answer in self.world.ledger.answers(self.run_id):
            text = f"{answer.writer} {answer.outcome.value} {answer.end_time}"
            if self.first.setdefault(answer.collector, text) != text:
                self.wrong.append(f"the answer of {answer.collector} changed")

    def _recover(self) -> None:
        """Without faults: everything that runs ends, everything is delivered, sweeps come."""
        for _ in range(200):
            # What comes back waits for the next round: its lease or backoff needs time to pass.
            for _ in range(len(self.bag.messages)):
                self._deliver()
                self._end_all()
            self._end_all()
            run = self.world.run_or_none(self.run_id)
            if run is not None and run.announced_at is not None and not self._unlisted():
                return
            self.world.clock.forward(60.0)
            self._sweep()
        self.wrong.append("the run did not end")

    def _end_all(self) -> None:
        while self.processes:
            self._step()
            self._look()

    def _audit(self) -> None:
        """Check what must hold in the end, from what is stored alone."""
        run, ledger = self.world.run_or_none(self.run_id), self.world.ledger
        if run is None or run.phase is not Phase.FINAL or run.announced_at is None:
            self.wrong.append(f"not announced: {run}")
            return
        manifest, answers = ledger.manifest(self.run_id), ledger.answers(self.run_id)
        report = fold.fold(run, manifest, answers)
        if self.world.report(self.run_id) != to_bytes(report):
            self.wrong.append("report.json is not the fold of what is stored")
        if f"{self.run_id}/1" not in self.bag.reports:
            self.wrong.append("the finished event was never published")
        self._audit_revisions(run)
        lost = {job.collector: job.lost for job in ledger.jobs(self.run_id)}
        outcomes = set(self.world.outcomes(self.run_id).values())
        had_time = (run.deadline - self.recovers_from).total_seconds() > 400
        if had_time and self.kind and outcomes != {"succeeded"} and max(lost.values()) < 3:
            self.wrong.append(f"kind collectors, time enough, and yet {outcomes}")

    def _unlisted(self) -> bool:
        return any(run.run_id == self.run_id for run in self.world.ledger.unlisted())

    def _audit_revisions(self, run: Run) -> None:
        """Check that revisions have no gap, and that the last one lists all late evidence."""
        reports = [self.world.report(self.run_id, n) for n in range(1, run.revision + 2)]
        if None in reports[:-1] or reports[-1] is not None:
            self.wrong.append(f"revisions {[r is not None for r in reports]}, last {run.revision}")
            return
        kept = sorted(late.answer.records or 0 for late in self.world.ledger.lates(self.run_id))
        lists = [json.loads(each or b"")["late"] for each in reports[:-1]]
        listed = [sorted(one["records"] or 0 for one in each) for each in lists]
        if listed[-1] != kept or run.late_listed != len(kept):
            self.wrong.append(f"kept {kept}, listed {listed}, counted {run.late_listed}")
        if any(len(less) > len(more) for less, more in pairwise(listed)):
            self.wrong.append(f"a revision lists less than the one before: {listed}")
        if f"{self.run_id}/{run.revision}" not in self.bag.reports:
            self.wrong.append(f"revision {run.revision} was never published")

    def _note(self, text: str) -> None:
        self.trace.append(f"{self.world.clock.now():%H:%M:%S} {text}")


class _Current:
    """The bag of the seed that is being played."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        return self._simulation.bag.publish(topic, messages)
