"""Reads the body of a response, and no more than it may be."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

#: Largest body that is read, in bytes, as it travels and as it unfolds.
MAX_BODY_BYTES = 1024 * 1024

#: Read at once, in bytes.
_BLOCK_BYTES = 65_536

_IDENTITY = frozenset({"", "identity"})
_GZIP = frozenset({"gzip", "x-gzip"})


class TooLarge(Exception):
    """The body is longer than :data:`MAX_BODY_BYTES`."""

    def __init__(self) -> None:
        super().__init__(f"the answer is longer than {MAX_BODY_BYTES // 1024} KiB")


class BadBody(Exception):
    """The body cannot be unfolded. The text says why."""


def read_body(response: BaseHTTPResponse) -> bytes:
    """Return the whole body of *response*, after at most one layer of gzip.

    Raises:
        TooLarge: There is more than may be.
        BadBody: It is encoded in another way, or not as it says.
        urllib3.exceptions.HTTPError: It could not be received.
    """
    encoding = (response.headers.get("content-encoding") or "").strip().lower()
    if encoding in _IDENTITY:
        return _received(response)
    if encoding not in _GZIP:
        raise BadBody("the answer is encoded in a way that was not asked for (only gzip is)")
    return _unfold(_received(response))


def _received(response: BaseHTTPResponse) -> bytes:
    if (response.length_remaining or 0) > MAX_BODY_BYTES:
        raise TooLarge
    first = response.read(_BLOCK_BYTES, decode_content=False)
    blocks = [first]
    size = len(first)
    while blocks[-1] and size <= MAX_BODY_BYTES:
        blocks.append(response.read(_BLOCK_BYTES, decode_content=False))
        size += len(blocks[-1])
    if size > MAX_BODY_BYTES:
        raise TooLarge
    return b"".join(blocks)


def _unfold(packed: bytes) -> bytes:
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
