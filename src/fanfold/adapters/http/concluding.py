"""Concludes a call: from what came, and how it ended, to the Reply."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from fanfold.adapters.http.body import BadBody, TooLarge, unfolded
from fanfold.adapters.http.exchange import Exchange
from fanfold.adapters.http.failures import (
    End,
    broken_off,
    failure_of,
    proxy_asks_for_login,
)
from fanfold.adapters.http.preparing import Prepared
from fanfold.domain.model.run import Failure
from fanfold.domain.protocol.contract import Reply, read_reply


def conclude(prepared: Prepared, exchange: Exchange, end: End, now: datetime) -> Reply:
    """Return what came of a call: always one reply, whatever was received.

    Of an answer that failed, the status decides: its body only says more, where it can be read.
    """
    status = exchange.status if exchange.is_complete else None
    body, failure = b"", _failure(prepared, exchange, end)
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


def _failure(prepared: Prepared, exchange: Exchange, end: End) -> Failure | None:
    """Return what kept the answer from being whole."""
    way, has_status = prepared.way, exchange.status is not None
    if exchange.too_large:
        return Failure("too_large", f"{way.place} answered with {exchange.too_large}")
    if end.code == 0 and exchange.is_complete:
        return None
    failure = (
        failure_of(end, way, has_status=has_status)
        if end.code
        else broken_off(way, has_status=has_status)
    )
    return replace(failure, message=prepared.mask.text(failure.message))
