"""Invokes collectors with libcurl: one POST, one connection, one deadline, one reply.

This is the blocking form: a thread makes one call at a time. What comes before and after the
transfer (:mod:`~fanfold.adapters.http.preparing`, :mod:`~fanfold.adapters.http.concluding`) knows
nothing of it, so that another form can share them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pycurl

from fanfold.adapters.http.concluding import conclude
from fanfold.adapters.http.credentials import Renewable
from fanfold.adapters.http.failures import TransferEnd, is_starved, starved
from fanfold.adapters.http.preparing import NotSent, Preparation, Prepared
from fanfold.adapters.http.transfer import Exchange, load, new_handle, perform
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.ports.outside import Credentials, Secrets

#: How long a call waits before it asks again for a free file descriptor, in seconds.
STARVED_PAUSE_S = 0.25


def _now() -> datetime:
    return datetime.now(UTC)


class CurlCollectorClient:
    """See :class:`fanfold.ports.outside.CollectorClient`. Safe to share between threads.

    Nothing is sent twice: a connection that breaks after the request went out is a retryable
    failure. The one exception is a refused id token, fetched anew and tried once more within the
    same time.

    Args:
        credentials: Makes the headers that prove who is calling.
        secrets: Fills in the proxy's URL.
        env: Where the host's proxies and certificates are named.
        now: Tells the time, for waits that are stated as a date.
    """

    def __init__(
        self,
        credentials: Credentials,
        secrets: Secrets,
        env: Mapping[str, str],
        *,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._renewable = credentials if isinstance(credentials, Renewable) else None
        self._preparation = Preparation(credentials, self._renewable, secrets, env)
        self._now = now
        self._idle: list[pycurl.Curl] = []
        self._process = os.getpid()
        self._under_way: set[Exchange] = set()

    def invoke(self, call: Call) -> Reply:
        """See :meth:`fanfold.ports.outside.CollectorClient.invoke`."""
        until = time.monotonic() + call.timeout_s
        reply = self._attempt(call, until)
        if reply.http_status != 401 or time.monotonic() >= until:
            return reply
        if self._renewable and self._renewable.renew(call.spec.auth, call.spec.url):
            return self._attempt(call, until)
        return reply

    def close(self) -> None:
        """Break off the calls under way, and let go of what is kept. It may be used again."""
        for exchange in tuple(self._under_way):
            exchange.is_stopped = True
        self._idle.clear()

    def _attempt(self, call: Call, until: float) -> Reply:
        try:
            prepared = self._preparation.prepare(call, until)
        except NotSent as exc:
            return Reply(failure=exc.failure)
        exchange, end = self._transfer(prepared)
        # Files are short here, not there: the call waits for one, and nobody is blamed.
        while is_starved(end):
            left_s = until - time.monotonic()
            if left_s <= STARVED_PAUSE_S or exchange.is_stopped:
                return Reply(failure=starved(prepared.way))
            time.sleep(STARVED_PAUSE_S)
            exchange, end = self._transfer(prepared)
        return conclude(prepared, exchange, end, self._now())

    def _transfer(self, prepared: Prepared) -> tuple[Exchange, TransferEnd]:
        exchange = Exchange()
        self._under_way.add(exchange)
        try:
            handle = self._handle()
            load(handle, prepared, exchange)
            end = perform(handle)
        finally:
            self._under_way.discard(exchange)
        if end.code == 0:
            self._idle.append(handle)
        return exchange, end

    def _handle(self) -> pycurl.Curl:
        """Return a handle that nobody uses; after a fork the parent's are left alone."""
        if self._process != os.getpid():
            self._idle, self._process = [], os.getpid()
        try:
            return self._idle.pop()
        except IndexError:
            return new_handle()
