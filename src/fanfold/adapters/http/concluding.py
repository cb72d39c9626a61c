"""Concludes a call: from what came, and how it ended, to the Reply."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import datetime

from fanfold.adapters.http.failures import (
    TransferEnd,
    broken_off,
    failure_of,
    proxy_asks_for_login,
)
from fanfold.adapters.http.preparing import Prepared
from fanfold.adapters.http.transfer import MAX_BODY_BYTES, Exchange
from fanfold.domain.model.run import Failure
from fanfold.domain.protocol.contract import Reply, read_reply

_IDENTITY = "identity"
_GZIP = frozenset({"gzip", "x-gzip"})


class TooLarge(Exception):
    """The body is longer than :data:`MAX_BODY_BYTES`."""

    def __init__(self) -> None:
        super().__init__(f"the answer is longer than {MAX_BODY_BYTES // 1024} KiB")


class BadBody(Exception):
    """The body cannot be unfolded. The text says why."""


def unfolded(body: bytes, encoding: str) -> bytes:
    """Return *body* as it was before it was encoded as *encoding* (``Content-Encoding``).

    Raises:
        TooLarge: There is more than may be.
        BadBody: It is encoded in another way, or not as it says.
    """
    layers = [each for each in encoding.lower().replace(" ", "").split(",") if each != _IDENTITY]
    layers = [each for each in layers if each]
    if not layers:
        return body
    if len(layers) > 1 or layers[0] not in _GZIP:
        raise BadBody("the answer is encoded in a way that was not asked for (only gzip is)")
    return _gunzipped(body)


def _gunzipped(packed: bytes) -> bytes:
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        body = inflater.decompress(packed, MAX_BODY_BYTES + 1)
    except zlib.error as exc:
        raise BadBody("the answer says that it is gzip and is not") from exc
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge
    if not packed:
        return b""
    if not inflater.eof or inflater.unused_data:
        raise BadBody("the answer's gzip is cut short or followed by something else")
    return body


def conclude(prepared: Prepared, exchange: Exchange, end: TransferEnd, now: datetime) -> Reply:
    """Return what came of a call: always one reply, whatever was received.

    Of an answer that failed, the status decides: its body only says more, where it can be read.
    """
    status = exchange.status if exchange.is_complete else None
    is_whole = status is not None and end.code == 0 and not exchange.too_large
    body, failure = b"", None if is_whole else _failure(prepared, exchange, end)
    headers = exchange.headers()
    if failure is None:
        try:
            body = unfolded(exchange.body(), headers.get("content-encoding", ""))
        except TooLarge as exc:
            failure = Failure("too_large", str(exc))
        except BadBody as exc:
            failure = Failure("bad_response", str(exc))
    if failure is not None and (status is None or 200 <= status < 300):
        return Reply(http_status=status, failure=failure)
    assert status is not None  # noqa: S101 - without a status there is a failure
    if status == 407 and prepared.way_out.proxy and prepared.url.scheme == "http":
        return Reply(failure=proxy_asks_for_login(prepared.way))
    return read_reply(status, headers, body, now=now, mask=prepared.mask, url=prepared.url.text)


def _failure(prepared: Prepared, exchange: Exchange, end: TransferEnd) -> Failure:
    """Return what kept the answer from being whole."""
    way, has_status = prepared.way, exchange.status is not None
    if exchange.too_large:
        return Failure("too_large", f"{way.place} answered with {exchange.too_large}")
    failure = (
        failure_of(end, way, has_status=has_status)
        if end.code
        else broken_off(way, has_status=has_status)
    )
    return replace(failure, message=prepared.mask.text(failure.message))
