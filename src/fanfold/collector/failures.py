"""Why a collector did not succeed, as its answer says it.

* CollectorFailure    500  base; raise one of the others, or a class of your own
  + BadRequest        400  the request is not what fanfold sends
  + BadParams         400  ``params`` asks for something that makes no sense
  + BadAnswer         500  the collector returned what it may not answer
  + OutOfTime         504  the deadline of the call has come
  + TryLater          503  asking again may help: the source is down, or busy
  + GiveUp            424  asking again cannot help

The statuses are chosen for a caller that reads nothing else: 408, 429 and 5xx are worth another
attempt, any other 4xx is not. ``retryable`` says the same in the body, and wins.
"""

from __future__ import annotations

import http.client
import json
import math
import socket
import ssl
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import Message
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from fanfold.collector.retry_after import retry_after_s

#: Statuses of a source that another attempt may survive; so may every 5xx.
_RETRYABLE = frozenset({408, 425, 429})

#: What the standard library raises where a source cannot be reached, or stops in the middle.
_CONNECTION = (
    ConnectionError,
    TimeoutError,
    socket.gaierror,
    socket.herror,
    ssl.SSLError,
    http.client.HTTPException,
)

#: The same of libraries that may not be there, so they are known by their names.
_CONNECTION_NAMES = frozenset(
    {
        "aiohttp.client_exceptions.ClientConnectionError",
        "aiohttp.client_exceptions.ClientPayloadError",
        "httpx.TransportError",
        "requests.exceptions.ChunkedEncodingError",
        "requests.exceptions.ConnectionError",
        "requests.exceptions.Timeout",
        "urllib.error.URLError",
        "urllib3.exceptions.HTTPError",
    }
)

#: Where an error of other libraries keeps the status of the source.
_OWN_STATUS = {"aiohttp": "status", "google": "code", "urllib": "code"}


class CollectorFailure(Exception):
    """A failure with words for the report: *message* is one sentence, and holds no secret.

    A subclass says with ``status``, ``kind`` and ``retryable`` how fanfold shall take it.

    Args:
        message: What the report shows.
        kind: One word for programs, instead of the one of the class.
        retry_after_s: Shortest wait before the next attempt, in seconds.
    """

    #: HTTP status of the answer.
    status = 500
    #: One word for programs.
    kind = "failed"
    #: Whether the same call may succeed later.
    retryable = False

    def __init__(
        self, message: str, *, kind: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind or self.kind
        is_a_wait = retry_after_s is not None and 0 <= retry_after_s < math.inf
        self.retry_after_s = retry_after_s if is_a_wait else None

    def document(self) -> dict[str, Any]:
        """Return what the contract says of a failure."""
        return {
            "error": str(self),
            "kind": self.kind,
            "retryable": self.retryable,
            "retry_after": self.retry_after_s,
        }


class BadRequest(CollectorFailure):
    """The request is not what fanfold sends."""

    status = 400
    kind = "bad_request"


class BadParams(CollectorFailure):
    """A value of ``params`` is missing, unknown or out of range."""

    status = 400
    kind = "bad_params"


class BadAnswer(CollectorFailure):
    """The collector returned something that its answer may not hold."""

    kind = "bad_answer"


class OutOfTime(CollectorFailure):
    """The deadline came before the work was done."""

    status = 504
    kind = "deadline"
    retryable = True


class TryLater(CollectorFailure):
    """The source is down or busy: the same call may succeed later."""

    status = 503
    kind = "upstream_unavailable"
    retryable = True


class GiveUp(CollectorFailure):
    """The source refuses, now and later."""

    status = 424
    kind = "upstream_refused"


class Bug(CollectorFailure):
    """The collector raised something that it did not foresee."""

    kind = "bug"


def failure_of(error: BaseException) -> CollectorFailure:
    """Return *error* as a failure of the contract.

    Its own text is not in it: the text of an error that nobody foresaw may quote a row, or an
    address with a key. It says the source's status, or the error's name and place.
    """
    if isinstance(error, CollectorFailure):
        return error
    if (status := _status_of_source(error)) is not None:
        return _refused(error, status)
    if isinstance(error, json.JSONDecodeError):
        return TryLater("the source sent something else than JSON", kind="upstream_garbage")
    if isinstance(error, _CONNECTION) or not _CONNECTION_NAMES.isdisjoint(_names(error)):
        return TryLater(f"{_host(error)} did not answer: {type(error).__name__}")
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {PurePath(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return Bug(f"bug: {type(error).__name__}{place}")


def _refused(error: BaseException, status: int) -> CollectorFailure:
    said = f"{_host(error)} answered {status}"
    if status not in _RETRYABLE and status < 500:
        return GiveUp(said)
    kind = "upstream_rate_limited" if status == 429 else None
    return TryLater(said, kind=kind, retry_after_s=_wait_s(error))


def _status_of_source(error: BaseException) -> int | None:
    """Return the status that *error* tells of, by its response (requests, httpx) or by itself."""
    of_response = getattr(vars(error).get("response"), "status_code", None)
    own = getattr(error, _OWN_STATUS.get(type(error).__module__.partition(".")[0], ""), None)
    status = next((int(each) for each in (of_response, own) if isinstance(each, int)), 0)
    return status if 400 <= status < 600 else None


def _wait_s(error: BaseException) -> float | None:
    headers = getattr(vars(error).get("response", error), "headers", None) or {}
    header = headers.get("Retry-After") if isinstance(headers, Mapping | Message) else None
    return retry_after_s(None if header is None else str(header), now=datetime.now(UTC))


def _host(error: BaseException) -> str:
    """Return the host that *error* is about, without the rest of its address."""
    # Not by getattr: what httpx calls request raises where there is none.
    asked = (vars(error).get(name) for name in ("response", "_request", "request"))
    urls = (getattr(each, "url", None) for each in (error, *asked))
    url = next((str(each) for each in urls if each), "")
    try:
        return urlsplit(url).hostname or "the source"
    except ValueError:
        return "the source"


def _names(error: BaseException) -> set[str]:
    return {f"{each.__module__}.{each.__qualname__}" for each in type(error).__mro__}
