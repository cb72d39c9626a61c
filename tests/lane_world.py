"""A :class:`World` whose jobs go by the lane: turn by turn, as the embedded host makes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.support import MovingClock, StubClient, World

from fanfold.adapters.embedded.clock_changes import ClockChanges
from fanfold.adapters.embedded.host import Host
from fanfold.adapters.embedded.lane import Lane, settlement
from fanfold.domain.model.errors import Transient
from fanfold.domain.protocol.contract import Call
from fanfold.ports.outside import Came
from fanfold.runtime.health import WorkWatch
from fanfold.runtime.job_steps import JobSteps


class PlayedCalls:
    """Makes the calls with the stub *client*, each when the loop is turned."""

    def __init__(self, client: StubClient, clock: MovingClock) -> None:
        self.client = client
        self.clock = clock
        self.started: list[tuple[object, Call]] = []
        self.came: list[Came] = []

    def start(self, calls: Sequence[tuple[object, Call]]) -> None:
        self.started += calls

    def turn(self, wait_s: float) -> bool:
        while self.started:
            key, call = self.started.pop(0)
            try:
                reply: Any = self.client.invoke(call)
            except Exception as exc:  # noqa: BLE001 - as the loop does
                reply = exc
            self.came.append(Came(key, reply, self.clock.now()))
        return bool(self.came)

    def wake(self) -> None: ...

    def take(self) -> Sequence[Came]:
        came, self.came = self.came, []
        return came

    def close(self) -> None: ...


class LaneWorld(World):
    """One process whose host makes its turns when the test says so."""

    def __init__(
        self, *args: Any, wrap: Callable[[str, Any], Any] = lambda _, port: port, **more: Any
    ) -> None:
        super().__init__(*args, wrap=wrap, **more)
        self.calls = PlayedCalls(self.client, self.clock)
        self.watch = WorkWatch(self.ledger, self.clock)
        steps = JobSteps(self.parts.functions, self.watch)
        self.lane = Lane(self.database, steps, self.calls, places=16, shared_limit=16)
        functions = self.parts.functions
        self.host = Host(
            self.bus,
            {
                "dispatcher": functions.take_request,
                "aggregator": functions.take_result,
                "notifications": functions.take_result,
            },
            self.owner,
            ClockChanges(self.database, self.clock),
            lambda _: None,
            lane=self.lane,
        )
        around = wrap("database", self.database)
        if around is not self.database:
            self.database.together = around.together  # type: ignore[method-assign]

    def deliver(self) -> int:
        """Make one turn, let its calls end, and work on what it took; return whether it moved."""
        try:
            moved = self.host._turn(takes_more=True)
        except Transient:
            return 1  # the next turn makes it again
        moved = bool(self.work_what_is_taken()) or moved
        return self.calls.turn(0) or moved or not self.host._done.empty()

    def work_what_is_taken(self, most: int | None = None) -> int:
        """Work on *most* of the messages that the host took for its functions; return how many."""
        worked = 0
        for name, work in self.host._work.items():
            while not work.empty() and worked != most:
                held = work.get()
                assert held is not None
                try:
                    self.host.functions[name](held.delivery)
                except Exception as exc:  # noqa: BLE001 - as the host does
                    self.host._done.put(settlement(held, exc))
                else:
                    self.host._done.put(settlement(held))
                worked += 1
        return worked
