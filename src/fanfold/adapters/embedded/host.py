"""The embedded host: a local Eventarc. It delivers by the one topology, turn by turn.

Each turn of its one thread exchanges finished messages for new ones, in one commit. Jobs are worked
in that very thread, with the calls beside it (:mod:`~fanfold.adapters.embedded.lane`); each other
function has a worker of its own, so that a report that is written keeps no answer waiting. Places
are counted by the messages under a live lease of every process on the file. Leases are short and
are extended while their process lives: one that stands still soon holds no place.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.clock_changes import ClockChanges
from fanfold.adapters.embedded.duty import Duty, OnTrouble, has_ended
from fanfold.adapters.embedded.lane import Lane, LeasedJob, OneJobFailed, settlement
from fanfold.adapters.embedded.leases import LeasedMessage, Settlement
from fanfold.adapters.embedded.owners import Owner
from fanfold.adapters.embedded.wants import LEASE_S, Stirred, Wants
from fanfold.ports.bus import Delivery

#: How often the host looks whether another process published something, in seconds.
POLL_S = 0.05

#: The same while there was nothing to do for a second.
IDLE_POLL_S = 0.1

#: How often it looks for processes that died, in seconds.
CENSUS_S = 2.0

#: How often it looks whether the clock was set, in seconds.
CLOCK_LOOK_S = 1.0

#: How often messages that nobody reads are looked at for their age, in seconds.
PRUNE_EVERY_S = 3600.0

#: How often leases are extended, in seconds: a locked file makes one extension wait up to 10 s.
EXTEND_EVERY_S = 5.0

#: While stopping, the host looks this often for what is done, in seconds.
STOP_LOOK_S = 0.05

#: An exchange that did not succeed for this long stands still, in seconds.
STANDSTILL_S = 30.0

#: What a function is to the host: it returns to acknowledge, and raises to see the message again.
Function = Callable[[Delivery], None]


@dataclass(slots=True)
class _Turn:
    """What one commit held: what was settled, what was taken, and the jobs to be called."""

    settled: list[Settlement]
    taken: Sequence[LeasedMessage] = ()
    jobs: Sequence[LeasedJob] = ()
    at_once: Sequence[Settlement] = ()


class Host:
    """Runs functions on what the bus holds, from :meth:`start` to :meth:`stop`.

    Args:
        bus: Where messages come from.
        functions: By their names in the topology. A subscription of such a name is worked by that
            function, whatever the topology says.
        owner: This process among those on the file.
        changes: Looks whether the clock was set.
        on_trouble: Told in a sentence what does not work.
        lane: Works on the jobs of collectors; without one they are left to other processes.
    """

    def __init__(
        self,
        bus: SqliteBus,
        functions: Mapping[str, Function],
        owner: Owner,
        changes: ClockChanges,
        on_trouble: OnTrouble,
        *,
        lane: Lane | None = None,
    ) -> None:
        self.bus = bus
        self.functions = functions
        self.owner = owner
        self.lane = lane
        self._wants = Wants(bus.topology, frozenset(functions), lane)
        if lane is not None:
            bus.stirred = Stirred(lane.wake)
        self._work: dict[str, queue.SimpleQueue[LeasedMessage | None]] = {
            name: queue.SimpleQueue() for name in functions
        }
        self._done: queue.SimpleQueue[Settlement] = queue.SimpleQueue()
        self._in_hand: dict[int, LeasedMessage] = {}
        self._workers: dict[str, threading.Thread] = {}
        self._stopping = threading.Event()
        self._version = -1
        self._may_move = True
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
        for name, function in self.functions.items():
            self._workers[name] = threading.Thread(
                target=self._serve, args=(name, function), name=f"fanfold-{name}", daemon=True
            )
            self._workers[name].start()
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
        settling = Duty("the settling of messages", 0.0, self._settle, self._exchanging.on_trouble)
        while self._in_hand and time.monotonic() < until:
            self._wait(STOP_LOOK_S)
            settling.do_if_due()
        for work in self._work.values():
            work.put(None)
        if self.lane is not None:
            self.lane.close()
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
        for name, worker in self._workers.items():
            if has_ended(worker):
                still.append(f"{name}: its worker thread ended")
        return still

    def _serve(self, name: str, function: Function) -> None:
        """A worker's life: take a message, run the function, say what became of it."""
        work = self._work[name]
        while (held := work.get()) is not None:
            try:
                function(held.delivery)
            except BaseException as exc:  # noqa: BLE001 - one message must not end the worker
                self._done.put(settlement(held, exc))
            else:
                self._done.put(settlement(held))
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
        """Make one turn if something may be there to do, and wait until there may be again."""
        if self._may_move:
            self._turn(takes_more=True)
        self._may_move = self._await_change()

    def _settle(self) -> None:
        self._turn(takes_more=False)

    def _turn(self, *, takes_more: bool) -> bool:
        """Settle and lease once, in one commit, and pass on what was leased.

        Returns whether anything moved. What could not be committed is kept for the next turn.
        """
        done = self._take_done()
        came = 0 if self.lane is None else self.lane.take()
        try:
            turn = self._committed(lambda: self._commit(done, takes_more=takes_more))
        except BaseException:
            for each in done:
                self._done.put(each)
            raise
        for settled in turn.settled:
            self._in_hand.pop(settled.held.position, None)
        for taken in turn.taken:
            self._in_hand[taken.position] = taken
            name = self._wants.function_of(taken.delivery.subscription)
            if name in self._work:
                self._work[name].put(taken)
        if self.lane is not None:
            for settled in turn.at_once:
                self._in_hand.pop(settled.held.position, None)
            for settled in self.lane.start(turn.jobs):
                self._done.put(settled)
        return bool(done or came or turn.taken)

    def _committed(self, commit: Callable[[], _Turn]) -> _Turn:
        """Return what *commit* returns, once it is on disk."""
        database, lane = self.bus.database, self.lane
        if lane is None:
            return database.together(commit)
        try:
            return database.together(commit)
        except OneJobFailed:
            lane.is_careful = True
            return database.together(commit)
        finally:
            lane.is_careful = False

    def _commit(self, done: list[Settlement], *, takes_more: bool) -> _Turn:
        """Return what the turn's commit holds. It may be called again, after a roll-back."""
        turn = _Turn(list(done))
        if self.lane is not None:
            turn.settled += self.lane.store()
        # Whoever stirs has committed before: what was published until here is seen below.
        self.bus.stirred.clear()
        wants = self._wants.after(self._in_hand, turn.settled) if takes_more else ()
        leased = self.bus.exchange(turn.settled, wants, holder=self.owner.name)
        settled = {each.held.position for each in turn.settled}
        # A message whose lease ran out while it was worked here is still being worked.
        turn.taken = [
            each
            for each in leased
            if each.position not in self._in_hand or each.position in settled
        ]
        if self.lane is not None:
            jobs = [each for each in turn.taken if self._wants.is_job(each.delivery.subscription)]
            turn.jobs, turn.at_once = self.lane.claim(jobs)
            if turn.at_once:
                # In the commit that notes why they wait: nobody can bring them back in between.
                self.bus.exchange(turn.at_once, (), holder=self.owner.name)
        return turn

    def _await_change(self) -> bool:
        """Wait until something may be there to do, or a duty is due; return whether the former."""
        until = time.monotonic() + min(duty.due_in_s() for duty in self._housekeeping)
        if not self._done.empty() or self._wait(POLL_S / 5):
            return True  # as a rule: what is visible by when need not be looked up
        wanted = [want.subscription for want in self._wants.after(self._in_hand, ())]
        next_at = self.bus.next_visible_at(wanted)
        poll_s = POLL_S if self._may_move else IDLE_POLL_S
        while self._done.empty() and not self._stopping.is_set() and time.monotonic() < until:
            if next_at is not None and self.bus.clock.now() >= next_at:
                # Visible, but held back by what other processes do: look again, without spinning.
                self._wait(POLL_S / 5)
                return True
            if self._wait(poll_s):
                return True
            seen = self.bus.database.data_version()
            if seen != self._version:
                self._version = seen
                return True
        return not self._done.empty()

    def _wait(self, wait_s: float) -> bool:
        """Wait until something is stirred, at most *wait_s* seconds; return whether it is."""
        if self.lane is None:
            return self.bus.stirred.wait(wait_s)
        return self.lane.wait(wait_s, self.bus.stirred.is_set)

    def _take_done(self) -> list[Settlement]:
        done: list[Settlement] = []
        while True:
            try:
                done.append(self._done.get_nowait())
            except queue.Empty:
                return done
