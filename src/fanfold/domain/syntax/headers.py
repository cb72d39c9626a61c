"""Headers that a collector may be sent: their names and their values.

The configuration check and the HTTP client use the same two functions: a header that the check
accepts is sent, and one that it refuses is never sent.
"""

from __future__ import annotations

import re

#: Longest name and longest value of a header, in characters.
MAX_NAME_CHARS, MAX_VALUE_CHARS = 100, 4000

#: Headers that fanfold or the connection itself sets.
RESERVED = frozenset(
    {
        *("accept-encoding", "connection", "content-encoding", "content-length", "content-type"),
        *("expect", "host", "idempotency-key", "keep-alive", "te", "trailer", "traceparent"),
        *("tracestate", "transfer-encoding", "upgrade"),
    }
)

_TOKEN = re.compile(rf"[A-Za-z0-9!#$%&'*+.^_`|~-]{{1,{MAX_NAME_CHARS}}}")


class BadHeader(ValueError):
    """A name or a value that is not sent.

    The text is one sentence; it never holds a value, which may be a secret. ``fix`` is what to
    write instead.
    """

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.fix = fix


def header_name(name: str) -> str:
    """Return *name* if a collector may be sent a header of this name.

    Raises:
        BadHeader: It may not.
    """
    if len(name) > MAX_NAME_CHARS:
        what = f"a header's name has at most {MAX_NAME_CHARS} characters, this one {len(name)}"
        raise BadHeader(what, "use a shorter name")
    if not _TOKEN.fullmatch(name):
        raise BadHeader(f"{name!r} is not a header's name", "letters, digits and '-'")
    lowered = name.lower()
    if lowered in RESERVED or lowered.startswith(("x-fanfold-", "proxy-")):
        what = f"fanfold or the connection sets header {name!r}"
        raise BadHeader(what, "use another header")
    return name


def header_value(value: str) -> str:
    """Return *value* as it is sent: without blanks at its ends.

    Raises:
        BadHeader: It cannot be sent.
    """
    if not value.isascii() or not value.isprintable():
        what = "a header's value is printable ASCII on one line"
        raise BadHeader(what, "remove line breaks and what is outside ASCII")
    if len(value) > MAX_VALUE_CHARS:
        what = f"a header's value has at most {MAX_VALUE_CHARS} characters"
        raise BadHeader(what, "send a shorter one")
    stripped = value.strip()
    if not stripped:
        raise BadHeader("a header's value is not empty", "give it one, or leave the header out")
    return stripped


def bearer_value(value: str) -> str:
    """Return *value*, ``Bearer`` and a token, as it is sent.

    Raises:
        BadHeader: It cannot be sent, or holds no token.
    """
    sent = header_value(value)
    if not sent.partition(" ")[2]:
        raise BadHeader("a header's value is not empty", "give it a token, or write auth: none")
    return sent
