"""Asking an upstream API: paced, patient once, never past the deadline, never unbounded."""

from __future__ import annotations

import contextlib
import json
import math
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import requests
import urllib3.exceptions

from fanfold.collector import OutOfTime, retry_after_s

from .failures import (
    CutShort,
    RateLimited,
    Truncated,
    UpstreamBusy,
    UpstreamDown,
    UpstreamGarbage,
    UpstreamNotFound,
    UpstreamRefused,
)
from .pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Longest wait for a connection, and for the next byte, in seconds.
CONNECT_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 60.0
#: Longest wait that a collector sits out by itself, in seconds. A longer Retry-After is
#: handed to the caller: it can do something better than hold a connection open.
PATIENCE_S: Final = 5.0
#: Wait before the one retry of a 502 or 503 that names no time, in seconds.
RETRY_WAIT_S: Final = 1.0
#: Largest answer that is read, in bytes.
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024

_PACES: dict[tuple[str, float], Pace] = {}
_PACES_LOCK = threading.Lock()


@dataclass(frozen=True)
class Api:
    """One upstream: a name for messages, where it is, and how fast it may be asked."""

    name: str
    base_url: str
    requests_per_second: float


class Upstream:
    """What one attempt may ask of the outside world; counts what it asked and got.

    All instances of a process share one pace per API: limits count per address.
    """

    def __init__(self, session: requests.Session, *, deadline: datetime | None) -> None:
        self._session = session
        self._deadline = deadline
        self.sent_requests = 0
        self.received_bytes = 0

    @property
    def is_sample(self) -> bool:
        """Whether answers come from the bundled samples."""
        return getattr(self._session.get_adapter("https://"), "is_sample", False)

    def json(
        self,
        api: Api,
        path: str,
        query: Mapping[str, str | int] | None = None,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the JSON document at *path*; see :meth:`read`.

        Raises:
            UpstreamGarbage: The answer is not JSON.
        """
        answer = self.read(api, path, query, body=body, headers=headers)
        try:
            return json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise UpstreamGarbage(
                f"{api.name} answered 200 with something else than JSON"
            ) from error

    def read(
        self,
        api: Api,
        path: str,
        query: Mapping[str, str | int] | None = None,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return the bytes at *path*: a GET, or a POST of the JSON *body*.

        A 429, 502 or 503 is tried again once, if the wait is short and ends before the
        deadline. More is the caller's business: retry storms get addresses banned.

        Raises:
            OutOfTime: The deadline came first.
            RateLimited: 429, with the wait it asked for.
            UpstreamDown: No connection, a time-out, or 5xx.
            UpstreamNotFound: 404.
            UpstreamRefused: Any other 3xx or 4xx.
            CutShort: The connection ended before the answer did.
        """
        request = requests.Request(
            "GET" if body is None else "POST",
            api.base_url + path,
            params=query,
            json=body,
            headers=headers,
        )
        try:
            return self._send(api, request)
        except (RateLimited, UpstreamBusy) as failure:
            wait_s = RETRY_WAIT_S if failure.retry_after_s is None else failure.retry_after_s
            unexplained = isinstance(failure, RateLimited) and failure.retry_after_s is None
            if unexplained or wait_s > PATIENCE_S or wait_s >= self._remaining_s():
                raise
            time.sleep(wait_s)
        return self._send(api, request)

    def _send(self, api: Api, request: requests.Request) -> bytes:
        self._wait_turn(api)
        remaining_s = self._remaining_s()
        prepared = self._session.prepare_request(request)
        settings = self._session.merge_environment_settings(
            prepared.url, proxies={}, stream=True, verify=None, cert=None
        )
        self.sent_requests += 1
        try:
            response = self._session.send(
                prepared,
                timeout=(min(CONNECT_TIMEOUT_S, remaining_s), min(READ_TIMEOUT_S, remaining_s)),
                # requests drops only Authorization across a redirect; a key in any other
                # header would follow it to wherever it points.
                allow_redirects=not request.headers,
                **settings,
            )
            with response:
                self._refuse_errors(api, response)
                return self._body(api, response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            self._remaining_s()
            # The message of the error holds the whole URL; its name says enough.
            if isinstance(error, urllib3.exceptions.ProtocolError):
                raise CutShort(f"{api.name} ended its answer too early") from error
            raise UpstreamDown(
                f"{api.name} did not answer: {type(error).__name__}", retry_after_s=None
            ) from error

    def _wait_turn(self, api: Api) -> None:
        # A transport that is nobody's server names a rate of its own.
        rate = getattr(
            self._session.get_adapter(api.base_url), "requests_per_second", api.requests_per_second
        )
        with _PACES_LOCK:
            pace = _PACES.setdefault((api.base_url, rate), Pace(rate))
        wait_s = pace.reserve_s(within_s=self._remaining_s())
        if wait_s is None:
            raise OutOfTime(f"the deadline comes before the next request that {api.name} allows")
        time.sleep(wait_s)

    def _remaining_s(self) -> float:
        """Return the time left in seconds, more than 0; raise OutOfTime if none is."""
        if self._deadline is None:
            return math.inf
        remaining_s = (self._deadline - datetime.now(UTC)).total_seconds()
        if remaining_s <= 0:
            raise OutOfTime(f"the deadline came after {self.sent_requests} requests")
        return remaining_s

    def _refuse_errors(self, api: Api, response: requests.Response) -> None:
        status = response.status_code
        if status < 300:
            return
        said = f"{api.name} answered {status}"
        wait_s = retry_after_s(response.headers.get("Retry-After"), now=datetime.now(UTC))
        if status == 429:
            raise RateLimited(said, retry_after_s=wait_s)
        if status in {502, 503}:
            raise UpstreamBusy(said, retry_after_s=wait_s)
        if status >= 500:
            raise UpstreamDown(said, retry_after_s=wait_s)
        if status == 404:
            raise UpstreamNotFound(said)
        raise UpstreamRefused(said)

    def _body(self, api: Api, response: requests.Response) -> bytes:
        """Return the body, read as it trickles in so that the deadline holds between bytes."""
        received = bytearray()
        with self._cut_off_at_deadline(response):
            while block := response.raw.read1(1 << 16, decode_content=True):
                received += block
                self._remaining_s()
                if len(received) > MAX_ANSWER_BYTES:
                    raise Truncated(
                        f"{api.name} sends more than {MAX_ANSWER_BYTES} bytes; ask for less"
                    )
        self._remaining_s()
        self.received_bytes += len(received)
        return bytes(received)

    @contextlib.contextmanager
    def _cut_off_at_deadline(self, response: requests.Response) -> Iterator[None]:
        # A socket's time-out starts again with each byte, so it cannot keep a deadline.
        if self._deadline is None:
            yield
            return

        def cut_off() -> None:
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                response.raw.shutdown()

        timer = threading.Timer(min(self._remaining_s(), threading.TIMEOUT_MAX), cut_off)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
