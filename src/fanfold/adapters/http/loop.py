"""Invokes collectors with libcurl, any number at once, in one thread: the loop form.

What comes before and after a transfer is the same code as in the blocking form. What may wait (a
token, a secret, a name to look up) has a thread of its own, so that the loop never waits but for
sockets: no collector can keep a neighbour's answer waiting. The loop turns in its caller's thread.
Should that one be kept elsewhere, by a disk that stands still, a stand-in turns it meanwhile.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

import pycurl

from fanfold.adapters.http.concluding import conclude
from fanfold.adapters.http.credentials import Renewable
from fanfold.adapters.http.failures import TransferEnd, failure_of, is_starved, starved
from fanfold.adapters.http.lookups import Lookups, NoAddress
from fanfold.adapters.http.preparing import NotSent, Preparation
from fanfold.adapters.http.started import Started
from fanfold.adapters.http.transfer import Exchange, end_of, load
from fanfold.adapters.http.transfers import Transfers
from fanfold.domain.model.collector import AuthKind
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.ports.outside import Came, Credentials, Secrets

#: How long a call waits before it asks again for a free file descriptor, in seconds.
STARVED_PAUSE_S = 0.25

#: libcurl's own limit of a transfer lies this far behind the call's end, in seconds. The loop
#: judges the end itself, once all that has come is read: libcurl would judge first.
SPARE_S = 60.0

#: Before calls are broken off, sockets that are ready are read at most this often: one that floods
#: must not keep the others from their end.
MOST_READS = 20

#: After a pause of this length, in seconds, the stand-in turns the loop.
AWAY_S = 0.1


#: Calls by an instant of the monotonic clock. The number keeps their order where two are equal.
_Timed = list[tuple[float, int, Started]]


class CurlLoop:
    """See :class:`fanfold.ports.outside.Calls`.

    Args:
        credentials: Makes the headers that prove who is calling.
        secrets: Fills in the proxy's URL.
        env: Where the host's proxies and certificates are named.
        places: Most calls that are under way at once.
        now: Tells the time.
    """

    def __init__(
        self,
        credentials: Credentials,
        secrets: Secrets,
        env: Mapping[str, str],
        *,
        places: int,
        now: Callable[[], datetime],
    ) -> None:
        self._renewable = credentials if isinstance(credentials, Renewable) else None
        self._preparation = Preparation(credentials, self._renewable, secrets, env)
        self._lookups = Lookups()
        self._now = now
        # What several threads touch: these queues and flags. All else is the turning one's.
        self._inbox: deque[Started] = deque()
        self._came: deque[Came] = deque()
        self._is_closed = False
        self._turning = threading.Lock()
        self._turned_at = time.monotonic()
        self._has_started = threading.Event()
        self._places = places
        self._opened: Transfers | None = None  # descriptors are for one who turns the loop
        self._sent: dict[pycurl.Curl, Started] = {}
        self._number = itertools.count()
        self._ends: _Timed = []
        self._paused: _Timed = []
        self._stand_in = threading.Thread(
            target=self._turn_instead, name="fanfold-calls", daemon=True
        )

    def start(self, calls: Sequence[tuple[object, Call]]) -> None:
        """See :meth:`fanfold.ports.outside.Calls.start`."""
        if self._stand_in.ident is None:
            self._stand_in.start()
        now = time.monotonic()
        self._inbox.extend(Started(key, call, now + call.timeout_s) for key, call in calls)
        self._has_started.set()
        self.wake()

    def take(self) -> Sequence[Came]:
        """See :meth:`fanfold.ports.outside.Calls.take`."""
        taken = []
        with suppress(IndexError):
            while True:
                taken.append(self._came.popleft())
        return taken

    def turn(self, wait_s: float) -> bool:
        """See :meth:`fanfold.ports.outside.Calls.turn`."""
        if not self._turning.acquire(blocking=False):
            self.wake()  # the stand-in gives way
            self._turning.acquire()
        try:
            self._turn(wait_s)
        finally:
            self._turned_at = time.monotonic()
            self._turning.release()
        return bool(self._came)

    def wake(self) -> None:
        """See :meth:`fanfold.ports.outside.Calls.wake`."""
        if self._opened is not None:
            self._opened.wake()

    def close(self) -> None:
        """See :meth:`fanfold.ports.outside.Calls.close`."""
        self._is_closed = True
        self._has_started.set()
        self.wake()
        if self._stand_in.ident is not None:
            self._stand_in.join()
        with self._turning:
            self._sent.clear()
            if self._opened is not None:
                self._opened.close()

    @property
    def _transfers(self) -> Transfers:
        if self._opened is None:
            self._opened = Transfers(self._places)
        return self._opened

    def _turn_instead(self) -> None:
        """Turn the loop while its caller is kept elsewhere and calls are under way."""
        while not self._is_closed:
            self._has_started.wait()
            if not (self._inbox or self._sent or self._paused or self._is_closed):
                self._has_started.clear()
            elif time.monotonic() - self._turned_at < AWAY_S or not self._turning.acquire(
                blocking=False
            ):
                time.sleep(AWAY_S)
            else:
                try:
                    self._turn(AWAY_S)
                finally:
                    self._turning.release()

    def _turn(self, wait_s: float) -> None:
        """Wait until something happened, at most *wait_s*, and do what follows from it."""
        due_at = [timed[0][0] for timed in (self._ends, self._paused) if timed]
        if due_at:
            wait_s = max(0.0, min(wait_s, min(due_at) - time.monotonic()))
        self._transfers.turn(0.0 if self._inbox else wait_s)
        self._take_ended()
        now = time.monotonic()
        if self._ends and self._ends[0][0] <= now:
            self._judge(now)
        while self._paused and self._paused[0][0] <= now:
            self._guarded(self._go_on, heapq.heappop(self._paused)[2])
        while self._inbox:
            self._guarded(self._go_on, self._inbox.popleft())

    def _judge(self, now: float) -> None:
        """Break off the calls whose time was over at *now*, once all that has come is read.

        This process may have stood still: what lies ready came in time.
        """
        for _ in range(MOST_READS):
            if not self._transfers.read(0.0):
                break
        self._take_ended()
        while self._ends and self._ends[0][0] <= now:
            handle = heapq.heappop(self._ends)[2].handle
            if handle is not None:
                timed_out = pycurl.error(pycurl.E_OPERATION_TIMEDOUT, "")
                self._take_one(handle, end_of(handle, timed_out))

    def _guarded(self, step: Callable[[Started], None], started: Started) -> None:
        """Do *step*; whatever it raises is the end of its own call alone."""
        try:
            step(started)
        except NotSent as exc:
            self._reply(started, Reply(failure=exc.failure))
        except Exception as exc:  # noqa: BLE001 - the loop has other calls
            self._reply(started, exc)

    def _go_on(self, started: Started) -> None:
        """Send the call, if nothing of its preparation can wait; else prepare it apart."""
        spec = started.call.spec
        if started.prepared is None and spec.auth.kind is AuthKind.NONE and not spec.proxy:
            started.prepared = self._preparation.prepare(started.call, started.until)
        if started.prepared is not None and started.addresses is None:
            started.addresses = self._lookups.known(started.prepared)
        if started.addresses is not None:
            self._send(started)
            return
        apart = threading.Thread(
            target=self._prepare_apart, args=(started,), name="fanfold-prepare", daemon=True
        )
        try:
            apart.start()
        except RuntimeError:  # there is no room for another thread, here: the call waits
            self._pause(started)

    def _prepare_apart(self, started: Started) -> None:
        """Do what may wait for others, in a thread of its own, and hand the call back."""
        self._guarded(self._look_up, started)
        self.wake()

    def _look_up(self, started: Started) -> None:
        if started.prepared is None:
            started.prepared = self._preparation.prepare(started.call, started.until)
        try:
            started.addresses = self._lookups.look_up(started.prepared)
        except NoAddress as exc:
            end = TransferEnd(code=exc.code)
            if not is_starved(end):
                failure = failure_of(end, started.prepared.way, has_status=False)
                raise NotSent(failure) from None
            time.sleep(STARVED_PAUSE_S)
        self._inbox.append(started)

    def _send(self, started: Started) -> None:
        assert started.prepared is not None  # noqa: S101 - whoever calls has prepared it
        started.exchange = Exchange()
        started.handle = handle = self._transfers.handle()
        load(handle, started.prepared, started.exchange, spare_s=SPARE_S)
        if started.addresses:
            handle.setopt(pycurl.RESOLVE, started.addresses)
        self._sent[handle] = started
        if len(self._ends) > 2 * len(self._sent) + 64:  # most of them have ended long before
            self._ends = [each for each in self._ends if each[2].handle is not None]
            heapq.heapify(self._ends)
        heapq.heappush(self._ends, (started.until, next(self._number), started))
        self._transfers.begin(handle)

    def _take_ended(self) -> None:
        for handle, end in self._transfers.ended():
            self._take_one(handle, end)

    def _take_one(self, handle: pycurl.Curl, end: TransferEnd) -> None:
        started = self._sent.pop(handle)
        started.handle = None
        # A handle keeps the addresses that it was given.
        self._transfers.end(handle, keep=end.code == 0 and not started.addresses)
        self._guarded(partial(self._end, end), started)

    def _end(self, end: TransferEnd, started: Started) -> None:
        """Say what came of the call, or send it once more."""
        prepared = started.prepared
        assert prepared is not None  # noqa: S101 - it was sent
        left_s = started.until - time.monotonic()
        if is_starved(end):
            # Files are short here, not there: the call waits for one, and nobody is blamed.
            if left_s <= STARVED_PAUSE_S:
                raise NotSent(starved(prepared.way))
            self._pause(started)
            return
        reply = conclude(prepared, started.exchange, end, self._now())
        spec = started.call.spec
        if (
            reply.http_status == 401
            and not started.is_renewed
            and left_s > 0
            and self._renewable is not None
            and self._renewable.renew(spec.auth, spec.url)
        ):
            started.is_renewed = True
            started.prepared = started.addresses = None
            self._go_on(started)
            return
        self._reply(started, reply)

    def _pause(self, started: Started) -> None:
        at = time.monotonic() + STARVED_PAUSE_S
        heapq.heappush(self._paused, (at, next(self._number), started))

    def _reply(self, started: Started, reply: Reply | Exception) -> None:
        self._came.append(Came(started.key, reply, self._now()))
