"""The embedded host: a local Eventarc. It delivers by the one topology, in worker threads.

One thread exchanges finished messages for new ones, in one commit; each function has workers of
its own, so a slow collector never keeps an answer waiting. ``max_concurrent_collectors`` bounds the
relay's messages under a live lease of every process on the file, and so the calls under way. Leases
are short and are extended while their process lives: one that stands still soon holds no place.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fanfold.adapters.embedded.bus import LeasedMessage, PullRequest, Settlement, SqliteBus
from fanfold.adapters.embedded.clock_changes import ClockChanges
from fanfold.adapters.embedded.duty import Duty, OnTrouble, has_ended
from fanfold.adapters.embedded.owners import Owner
from fanfold.domain.model.errors import Transient, words_of
from fanfold.ports.bus import Delivery

#: How often the host looks whether another process published something, in seconds.
POLL_S = 0.05

#: How often it looks for processes that died, in seconds.
CENSUS_S = 2.0

#: How often it looks whether the clock was set, in seconds.
CLOCK_LOOK_S = 1.0

#: How often messages that nobody reads are looked at for their age, in seconds.
PRUNE_EVERY_S = 3600.0

#: How long a message stays leased without an extension, in seconds.
LEASE_S = 20.0

#: How often leases are extended, in seconds: a locked file makes one extension wait up to 10 s.
EXTEND_EVERY_S = 5.0

#: An exchange that did not succeed for this long stands still, in seconds.
STANDSTILL_S = 30.0

#: What a function is to the host: it returns to acknowledge, and raises to see the message again.
Function = Callable[[Delivery], None]


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers of one function.

    ``shared_limit`` bounds its messages under lease by all processes on the file; None does not.
    """

    function: Function
    workers: int
    shared_limit: int | None = None


class Host:
    """Runs functions on what the bus holds, from :meth:`start` to :meth:`stop`.

    Args:
        bus: Where messages come from.
        crews: By the function's name in the topology. A subscription that has a crew of its own
            name is worked by that crew.
        owner: This process among those on the file.
        changes: Looks whether the clock was set.
        on_trouble: Told in a sentence what does not work.
    """

    def __init__(
        self,
        bus: SqliteBus,
        crews: Mapping[str, Crew],
        owner: Owner,
        changes: ClockChanges,
        on_trouble: OnTrouble,
    ) -> None:
        self.bus = bus
        self.crews = crews
        self.owner = owner
        self._work: dict[str, queue.SimpleQueue[LeasedMessage | None]] = {
            name: queue.SimpleQueue() for name in crews
        }
        self._done: queue.SimpleQueue[Settlement] = queue.SimpleQueue()
        self._in_hand: dict[int, LeasedMessage] = {}
        self._workers: dict[str, list[threading.Thread]] = {name: [] for name in crews}
        self._stopping = threading.Event()
        self._version = -1
        self._census = Duty("the census of processes", CENSUS_S, owner.free_the_dead, on_trouble)
        self._housekeeping = [
            self._census,
            Duty("the extension of leases", EXTEND_EVERY_S, self._extend, on_trouble),
            Duty("the look at the clock", CLOCK_LOOK_S, changes.look, on_trouble),
            Duty("the pruning of old messages", PRUNE_EVERY_S, self._prune, on_trouble),
        ]
        self._changes = changes
        self._exchanging = Duty("the exchange of messages", 0.0, self._exchange, on_trouble)
        self._exchanger = threading.Thread(
            target=self._exchange_until_stopped, name="fanfold-exchange", daemon=True
        )

    def start(self) -> None:
        """Begin delivering. What dead processes held is freed first."""
        self._census.do_if_due()
        for name, crew in self.crews.items():
            for number in range(crew.workers):
                worker = threading.Thread(
                    target=self._serve,
                    args=(name, crew.function),
                    name=f"fanfold-{name}-{number + 1}",
                    daemon=True,
                )
                self._workers[name].append(worker)
                worker.start()
        self._exchanger.start()

    def stop(self, grace_s: float) -> int:
        """Take no new message, wait for those in hand, and free the rest; return how many.

        Args:
            grace_s: The longest wait, in seconds.
        """
        self._stopping.set()
        self.bus.stirred.set()
        until = time.monotonic() + grace_s
        self._exchanger.join()
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

    def standing_still(self) -> Sequence[str]:
        """Return what of this host stands still, a sentence each; empty if all goes on."""
        still = []
        if has_ended(self._exchanger):
            still.append("the exchange of messages stands still: its thread ended")
        elif self._exchanging.undone_s() > STANDSTILL_S:
            undone_s = self._exchanging.undone_s()
            still.append(f"the exchange of messages stands still for {undone_s:.0f} s")
        for name, workers in self._workers.items():
            ended = sum(map(has_ended, workers))
            if ended:
                still.append(f"{name}: {ended} of {len(workers)} worker threads ended")
        return still

    def _serve(self, name: str, function: Function) -> None:
        """A worker's life: take a message, run the function, say what became of it."""
        work = self._work[name]
        while (held := work.get()) is not None:
            try:
                function(held.delivery)
            except Transient as exc:
                self._done.put(Settlement(held, str(exc) or type(exc).__name__, exc.after_s))
            except BaseException as exc:  # noqa: BLE001 - one message must not end the worker
                self._done.put(Settlement(held, words_of(exc)))
            else:
                self._done.put(Settlement(held))
            self.bus.stirred.set()

    def _exchange_until_stopped(self) -> None:
        while not self._stopping.is_set():
            for duty in self._housekeeping:
                duty.do_if_due()
            self._exchanging.do_if_due()
            if wait_s := self._exchanging.due_in_s():  # it failed
                self._stopping.wait(wait_s)

    def _extend(self) -> None:
        in_hand = list(self._in_hand.values())
        self.bus.extend(in_hand, holder=self.owner.name, lease_s=LEASE_S)

    def _prune(self) -> None:
        if self._changes.is_settled():
            self.bus.prune()

    def _exchange(self) -> None:
        """Settle and lease once. Where nothing moved, wait until something may be there to do."""
        # Cleared before looking: what comes after this look wakes the wait below.
        self.bus.stirred.clear()
        done = self._take_done()
        try:
            held = self.bus.exchange(done, self._wants(done), holder=self.owner.name)
        except BaseException:
            for each in done:
                self._done.put(each)
            raise
        for settled in done:
            self._in_hand.pop(settled.held.position, None)
        for taken in held:
            # A message whose lease ran out while it was worked here is still being worked.
            if taken.position not in self._in_hand:
                self._in_hand[taken.position] = taken
                self._work[self._crew_of(taken.delivery.subscription)].put(taken)
        if not done and not held:
            self._await_change()

    def _wants(self, done: list[Settlement]) -> list[PullRequest]:
        """Return what there is room for, once *done* is settled."""
        settled = {each.held.position for each in done}
        busy = Counter(
            self._crew_of(held.delivery.subscription)
            for position, held in self._in_hand.items()
            if position not in settled
        )
        wants = []
        for subscription in self.bus.topology.fed():
            name = self._crew_of(subscription.name)
            crew = self.crews.get(name)
            if crew is None:
                continue
            # Short work is taken in handfuls: its workers need not wait for a commit each.
            room = crew.workers if crew.shared_limit is not None else crew.workers * 16
            free = room - busy[name]
            if free > 0:
                wants.append(PullRequest(subscription.name, free, crew.shared_limit, LEASE_S))
        return wants

    def _await_change(self) -> None:
        """Wait until something may be there to do, or a duty is due."""
        until = time.monotonic() + min(duty.due_in_s() for duty in self._housekeeping)
        wanted = [want.subscription for want in self._wants([])]
        next_at = self.bus.next_visible_at(wanted)
        while not self._stopping.is_set() and time.monotonic() < until:
            if next_at is not None and self.bus.clock.now() >= next_at:
                # Visible, but held back by what other processes do: look again, without spinning.
                self.bus.stirred.wait(POLL_S / 5)
                return
            if self.bus.stirred.wait(POLL_S):
                return
            seen = self.bus.database.data_version()
            if seen != self._version:
                self._version = seen
                return

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

    def _crew_of(self, subscription: str) -> str:
        """Return the name of the crew that works the messages of *subscription*."""
        if subscription in self.crews:
            return subscription
        return self.bus.topology.subscriptions[subscription].function or ""
