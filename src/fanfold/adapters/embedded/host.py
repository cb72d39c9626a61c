"""The embedded host: a local Eventarc. It delivers by the one topology, in worker threads.

One thread exchanges finished messages for new ones, in one commit; each function has workers of
its own, so a slow collector never keeps an answer waiting. ``max_concurrent_collectors`` bounds the
relay's messages under lease by every process on the file, and so the calls under way.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fanfold.adapters.embedded.bus import LeasedMessage, PullRequest, Settlement, SqliteBus
from fanfold.adapters.embedded.owners import Owner
from fanfold.domain.model.errors import StoreUnavailable, Transient
from fanfold.ports.bus import Delivery

#: How often the host looks whether another process published something, in seconds.
POLL_S = 0.05

#: How often it looks for processes that died, in seconds.
CENSUS_S = 2.0

#: How often messages that nobody reads are looked at for their age, in seconds.
PRUNE_EVERY_S = 3600.0

#: Wait after the file could not be reached, in seconds.
STORE_PAUSE_S = 1.0

#: What a function is to the host: it returns to acknowledge, and raises to see the message again.
Function = Callable[[Delivery], None]


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers of one function.

    ``shared_limit`` bounds its messages under lease by all processes on the file.
    """

    function: Function
    workers: int
    shared_limit: bool = False


class Host:
    """Runs functions on what the bus holds, from :meth:`start` to :meth:`stop`.

    Args:
        bus: Where messages come from.
        crews: By the function's name in the topology.
        owner: This process among those on the file.
        on_trouble: Told in a sentence when the file cannot be reached.
    """

    def __init__(
        self,
        bus: SqliteBus,
        crews: Mapping[str, Crew],
        owner: Owner,
        on_trouble: Callable[[str], None],
    ) -> None:
        self.bus = bus
        self.crews = crews
        self.owner = owner
        self.on_trouble = on_trouble
        self._work: dict[str, queue.SimpleQueue[LeasedMessage | None]] = {
            name: queue.SimpleQueue() for name in crews
        }
        self._done: queue.SimpleQueue[Settlement] = queue.SimpleQueue()
        self._in_hand: dict[int, LeasedMessage] = {}
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin delivering. What dead processes held is freed first."""
        self.owner.free_the_dead()
        for name, crew in self.crews.items():
            for number in range(crew.workers):
                self._spawn(f"{name}-{number + 1}", self._serve, name, crew.function)
        self._spawn("exchange", self._exchange_until_stopped)

    def stop(self, grace_s: float) -> int:
        """Take no new message, wait for those in hand, and free the rest; return how many.

        Args:
            grace_s: The longest wait, in seconds.
        """
        self._stopping.set()
        self.bus.stirred.set()
        until = time.monotonic() + grace_s
        self._threads[-1].join()
        while self._in_hand and time.monotonic() < until:
            self._collect(0.05)
        for name, crew in self.crews.items():
            for _ in range(crew.workers):
                self._work[name].put(None)
        left = list(self._in_hand.values())
        self.bus.exchange(
            [Settlement(held, "the host stopped", after_s=0.0) for held in left],
            [],
            holder=self.owner.name,
        )
        return len(left)

    def _spawn(self, name: str, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name=f"fanfold-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, name: str, function: Function) -> None:
        """A worker's life: take a message, run the function, say what became of it."""
        work = self._work[name]
        while (held := work.get()) is not None:
            try:
                function(held.delivery)
            except Transient as exc:
                self._done.put(Settlement(held, str(exc) or type(exc).__name__, exc.after_s))
            except Exception as exc:  # noqa: BLE001 - a bug in one message must not end the worker
                self._done.put(Settlement(held, repr(exc)))
            else:
                self._done.put(Settlement(held))
            self.bus.stirred.set()

    def _exchange_until_stopped(self) -> None:
        next_census = next_extension = next_prune = 0.0
        version = -1
        while not self._stopping.is_set():
            now = time.monotonic()
            try:
                if now >= next_census:
                    self.owner.free_the_dead()
                    next_census = now + CENSUS_S
                if now >= next_extension:
                    self.bus.extend(list(self._in_hand.values()))
                    next_extension = now + self._extend_every_s()
                if now >= next_prune:
                    self.bus.prune()
                    next_prune = now + PRUNE_EVERY_S
                # Cleared before looking: what comes after this look wakes the wait below.
                self.bus.stirred.clear()
                if self._exchange() == 0:
                    version = self._await_change(version)
            except Exception as exc:  # noqa: BLE001 - a host that stands still ends no run
                self.on_trouble(str(exc) if isinstance(exc, StoreUnavailable) else repr(exc))
                self._stopping.wait(STORE_PAUSE_S)

    def _exchange(self) -> int:
        """Settle and lease once; return how many messages moved."""
        done = self._take_done()
        try:
            held = self.bus.exchange(done, self._wants(done), holder=self.owner.name)
        except Exception:
            for each in done:
                self._done.put(each)
            raise
        for settled in done:
            self._in_hand.pop(settled.held.position, None)
        for taken in held:
            self._in_hand[taken.position] = taken
            self._work[self._function_of(taken)].put(taken)
        return len(done) + len(held)

    def _wants(self, done: list[Settlement]) -> list[PullRequest]:
        """Return what there is room for, once *done* is settled."""
        settled = {each.held.position for each in done}
        busy = Counter(
            self._function_of(held)
            for position, held in self._in_hand.items()
            if position not in settled
        )
        wants = []
        for subscription in self.bus.topology.fed():
            crew = self.crews.get(subscription.function or "")
            if crew is None:
                continue
            # Short work is taken in handfuls: its workers need not wait for a commit each.
            room = crew.workers if crew.shared_limit else crew.workers * 16
            free = room - busy[subscription.function or ""]
            if free > 0:
                limit = crew.workers if crew.shared_limit else None
                wants.append(PullRequest(subscription.name, free, limit))
        return wants

    def _await_change(self, version: int) -> int:
        """Wait until something may be there to do; return the file's version as last seen."""
        wanted = [want.subscription for want in self._wants([])]
        next_at = self.bus.next_visible_at(wanted)
        while not self._stopping.is_set():
            if next_at is not None and self.bus.clock.now() >= next_at:
                # Visible, but held back by what other processes do: look again, without spinning.
                self.bus.stirred.wait(POLL_S / 5)
                break
            if self.bus.stirred.wait(POLL_S):
                break
            seen = self.bus.database.data_version()
            if seen != version:
                return seen
        return version

    def _take_done(self) -> list[Settlement]:
        done: list[Settlement] = []
        while True:
            try:
                done.append(self._done.get_nowait())
            except queue.Empty:
                return done

    def _collect(self, wait_s: float) -> None:
        """While stopping: settle what comes back, lease nothing."""
        time.sleep(wait_s)
        done = self._take_done()
        if done:
            self.bus.exchange(done, [], holder=self.owner.name)
        for each in done:
            self._in_hand.pop(each.held.position, None)

    def _function_of(self, held: LeasedMessage) -> str:
        return self.bus.topology.subscriptions[held.delivery.subscription].function or ""

    def _extend_every_s(self) -> float:
        return min(each.ack_deadline_s for each in self.bus.topology.fed()) / 3
