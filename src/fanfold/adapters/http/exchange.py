"""What one call receives: headers and body as libcurl hands them over, and never too much."""

from __future__ import annotations

import re

#: Largest body that is read, in bytes, as it travels and as it unfolds.
MAX_BODY_BYTES = 1024 * 1024

#: Most lines of one block of headers, and most bytes of all of them, trailers included.
MAX_HEADER_LINES = 100
MAX_HEADER_BYTES = 64 * 1024

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: |\r?\n|$)")

#: What a callback of libcurl returns to break the transfer off: less than it was given.
_REFUSE = 0


class Exchange:
    """One call under way. Its methods are libcurl's callbacks, and raise nothing.

    An answer may come after any number of informational ones (1xx), which are skipped. ``status``
    is that of the last block of headers; ``is_complete`` tells whether that block is the final
    answer's and ended as a block ends.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_fields",
        "_header_bytes",
        "_header_lines",
        "is_complete",
        "is_stopped",
        "status",
        "too_large",
    )

    def __init__(self) -> None:
        self.status: int | None = None
        self.is_complete = False
        self.is_stopped = False
        self.too_large = ""
        self._fields: list[bytes] = []
        self._header_lines = 0
        self._header_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0

    def on_header(self, line: bytes) -> int | None:
        """Take one line: a status, a header, a trailer, or the blank line that ends a block."""
        self._header_lines += 1
        self._header_bytes += len(line)
        if not self.is_complete and line.startswith(b"HTTP/"):
            self._begin(line)
        if self._header_lines > MAX_HEADER_LINES + 2 or self._header_bytes > MAX_HEADER_BYTES:
            self.too_large = "more headers than are read"
            return _REFUSE
        if self.is_complete:
            return None
        if line.strip(b"\r\n"):
            self._fields.append(line)
        elif self.status is not None and not (100 <= self.status < 200 and self.status != 101):
            self.is_complete = True
        return None

    def on_body(self, block: bytes) -> int | None:
        """Take a piece of the body, unless it is one too many."""
        self._body_bytes += len(block)
        if self._body_bytes > MAX_BODY_BYTES:
            self.too_large = f"an answer longer than {MAX_BODY_BYTES // 1024} KiB"
            self._body.clear()
            return _REFUSE
        self._body.append(block)
        return None

    def on_progress(self, *_: float) -> int:
        """Return whether the transfer is to be broken off, when libcurl asks."""
        return self.is_stopped

    def body(self) -> bytes:
        """Return the body as far as it came, still encoded."""
        return b"".join(self._body)

    def headers(self) -> dict[str, str]:
        """Return the headers of the last block, names in lower case; the last of a name counts."""
        found: dict[str, str] = {}
        for line in self._fields[1:]:
            name, colon, value = line.decode("latin-1").partition(":")
            if colon:
                found[name.strip().lower()] = value.strip()
        return found

    def _begin(self, status_line: bytes) -> None:
        match = _STATUS.match(status_line)
        self.status = int(match[1]) if match else None
        self._fields.clear()
        self._header_lines = 1
