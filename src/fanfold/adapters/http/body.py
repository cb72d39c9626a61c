"""Unfolds the body of a response: at most one layer of gzip, and never past the cap."""

from __future__ import annotations

import zlib

from fanfold.adapters.http.exchange import MAX_BODY_BYTES

_IDENTITY = frozenset({"", "identity"})
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
    encoding = encoding.strip().lower()
    if encoding in _IDENTITY:
        return body
    if encoding not in _GZIP:
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
