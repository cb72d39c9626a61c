"""Makes one call and keeps what a person wants to know of it: the way out, the times, the bytes.

The call is prepared, made and concluded as in a run. What is kept is masked: nothing here shows a
secret. A variation asks in another way than a run does, to see what the collector makes of it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pycurl

from fanfold.adapters.http.concluding import BadBody, TooLarge, conclude, unfolded
from fanfold.adapters.http.credentials import Renewable
from fanfold.adapters.http.preparing import NotSent, Preparation, Prepared
from fanfold.adapters.http.transfer import Exchange, load, new_handle, perform
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.domain.protocol.masking import MASK, NOTHING_SECRET, Mask
from fanfold.domain.syntax.text import one_line
from fanfold.ports.outside import Credentials, Secrets

#: A slow reader takes so many bytes at a time, and waits so long between them, in seconds; and
#: waits no longer than this in all.
SLOW_BYTES, SLOW_PAUSE_S, SLOW_AT_MOST_S = 1024, 0.1, 3.0

#: Headers of a request or an answer that are credentials by their very name.
_CONFIDENTIAL = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "www-authenticate"}
)

#: A shorter text is no secret that an answer could repeat by more than chance.
_LEAST_SECRET_CHARS = 8


@dataclass(frozen=True, slots=True)
class Variation:
    """How a call differs from the one that a run makes; as it stands, in nothing.

    ``body`` is sent instead of the call's own; ``is_slow`` reads the answer slowly.
    """

    method: str = "POST"
    body: bytes | None = None
    is_slow: bool = False


#: The call of a run.
AS_IN_A_RUN = Variation()


@dataclass(frozen=True, slots=True)
class Phases:
    """How long each part of a call took, in seconds; None for a part that it did not come to."""

    lookup: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    body: float | None = None
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Traced:
    """What is known of a call. Texts are masked; they are empty where the call was not made.

    Args:
        reply: What came of it, as in a run.
        url: Whom it asked.
        request: The headers that were sent, by name, and the body as text.
        proxy: Its host and port, empty where the collector is called directly; and who set it.
        authorities: Where the certificates are that are trusted, and who set them.
        address: The address that took the connection.
        status: Of the answer, with its headers, its length in bytes, and its body as text.
        is_leak: Whether the answer repeats a secret of the request.
    """

    reply: Reply
    url: str = ""
    method: str = ""
    request: Mapping[str, str] = field(default_factory=dict)
    request_body: str = ""
    proxy: tuple[str, str] = ("", "")
    authorities: tuple[str, str] = ("", "")
    address: str = ""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    size_bytes: int = 0
    body: str = ""
    raw: bytes = field(default=b"", repr=False)
    is_leak: bool = False
    phases: Phases = Phases()
    mask: Mask = field(default_factory=lambda: Mask(()), repr=False)


class TracingClient:
    """Makes traced calls. Safe to share between threads.

    Args:
        credentials: Makes the headers that prove who is calling.
        secrets: Fills in the proxy's URL.
        env: Where the host's proxies and certificates are named.
    """

    def __init__(self, credentials: Credentials, secrets: Secrets, env: Mapping[str, str]) -> None:
        renewable = credentials if isinstance(credentials, Renewable) else None
        self._preparation = Preparation(credentials, renewable, secrets, env)
        self._under_way: set[Exchange] = set()

    def trace(self, call: Call, variation: Variation = AS_IN_A_RUN) -> Traced:
        """Return what came of *call*, made as *variation* says. Never raises for what came."""
        until = time.monotonic() + call.timeout_s
        try:
            prepared = self._preparation.prepare(call, until)
        except NotSent as exc:
            return Traced(Reply(failure=exc.failure))
        exchange, handle = Exchange(), new_handle()
        self._under_way.add(exchange)
        try:
            load(handle, prepared, exchange)
            _vary(handle, variation, exchange)
            end = perform(handle)
            phases = _phases(handle)
            address = str(handle.getinfo(pycurl.PRIMARY_IP) or "")
        finally:
            self._under_way.discard(exchange)
            handle.close()
        reply = conclude(prepared, exchange, end, datetime.now(UTC))
        return _traced(call, prepared, variation, exchange, (reply, phases, address))

    def stop(self) -> None:
        """Break off the calls under way, within about a second."""
        for exchange in tuple(self._under_way):
            exchange.is_stopped = True

    def words(self) -> str:
        """Return what a call under way waits for, in words."""
        statuses = [each.status for each in tuple(self._under_way)]
        if any(status is not None for status in statuses):
            return "reads the answer"
        return "waits for the answer"


def _vary(handle: pycurl.Curl, variation: Variation, exchange: Exchange) -> None:
    if variation.body is not None:
        handle.setopt(pycurl.POSTFIELDS, variation.body)
    if variation.method == "HEAD":
        handle.setopt(pycurl.NOBODY, 1)
    elif variation.method == "GET":
        handle.setopt(pycurl.HTTPGET, 1)
    elif variation.method != "POST":
        handle.setopt(pycurl.CUSTOMREQUEST, variation.method)
    if variation.is_slow:
        left_s = SLOW_AT_MOST_S

        def slowly(block: bytes) -> int | None:
            nonlocal left_s
            if left_s > 0:
                time.sleep(SLOW_PAUSE_S)
                left_s -= SLOW_PAUSE_S
            return exchange.on_body(block)

        handle.setopt(pycurl.BUFFERSIZE, SLOW_BYTES)
        handle.setopt(pycurl.WRITEFUNCTION, slowly)


def _phases(handle: pycurl.Curl) -> Phases:
    """Return what libcurl measured; its times count from the beginning of the call."""
    lookup, connect, tls, ready, first, total = (
        float(handle.getinfo(each))
        for each in (
            pycurl.NAMELOOKUP_TIME,
            pycurl.CONNECT_TIME,
            pycurl.APPCONNECT_TIME,
            pycurl.PRETRANSFER_TIME,
            pycurl.STARTTRANSFER_TIME,
            pycurl.TOTAL_TIME,
        )
    )
    return Phases(
        lookup=lookup or None,
        connect=max(0.0, connect - lookup) if connect else None,
        tls=max(0.0, tls - connect) if tls else None,
        first_byte=max(0.0, first - max(ready, tls, connect)) if first else None,
        body=max(0.0, total - first) if first else None,
        total=total,
    )


def _traced(
    call: Call,
    prepared: Prepared,
    variation: Variation,
    exchange: Exchange,
    came: tuple[Reply, Phases, str],
) -> Traced:
    mask = prepared.mask
    headers = exchange.headers()
    raw = exchange.body()
    try:
        whole = unfolded(raw, headers.get("content-encoding", ""))
    except (BadBody, TooLarge):
        whole = raw
    text = whole.decode("utf-8", "replace")
    trusted = prepared.authorities
    sent = variation.body if variation.body is not None else prepared.body
    reply, phases, address = came
    return Traced(
        reply=reply,
        url=mask.text(prepared.url.text),
        method=variation.method,
        request=_shown(dict(_pairs(prepared.headers)), mask, call.spec.auth.headers),
        request_body=mask.text(sent.decode("utf-8", "replace")),
        proxy=(prepared.way_out.place, prepared.way_out.source),
        authorities=(trusted.path, trusted.source) if trusted else ("", ""),
        address=address,
        status=exchange.status,
        headers=_shown(headers, mask, ()),
        size_bytes=len(raw),
        body=mask.text(text),
        raw=whole,
        is_leak=_repeats(text, prepared, call),
        phases=phases,
        mask=mask,
    )


def _repeats(text: str, prepared: Prepared, call: Call) -> bool:
    """Return whether *text* holds the callback's token, or a credential of the request."""
    hidden = _CONFIDENTIAL | {
        name.lower() for name, template in call.spec.auth.headers.items() if "${" in template
    }
    values = [value for name, value in _pairs(prepared.headers) if name.lower() in hidden]
    secrets = [*values, *(value.partition(" ")[2] for value in values)]
    secrets.append((call.callback or {}).get("token", ""))
    kept = [each for each in secrets if len(each) >= _LEAST_SECRET_CHARS]
    return Mask(kept).text(text) != NOTHING_SECRET.text(text)


def _pairs(lines: list[str]) -> list[tuple[str, str]]:
    parts = (line.partition(":") for line in lines)
    return [(name, value.strip()) for name, _, value in parts if value]


def _shown(
    headers: Mapping[str, str], mask: Mask, secret: Mapping[str, str] | tuple[str, ...]
) -> dict[str, str]:
    """Return *headers* as they may be shown: no value that is *secret* by its name or its text."""
    hidden = _CONFIDENTIAL | {name.lower() for name in secret}
    return {
        one_line(name, 100): MASK if name.lower() in hidden else one_line(mask.text(value), 300)
        for name, value in headers.items()
    }
