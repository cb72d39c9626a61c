"""A spool: bytes that are written once and read as often as one likes, compressed beyond a MiB."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

#: How many bytes are kept as they are, and how many are compressed together.
BLOCK_BYTES = 1024 * 1024

#: The fastest: rows and lines that look alike shrink to a tenth all the same.
LEVEL = 1


class Spool:
    """Pieces of a document, in their order."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._open: list[bytes] = []
        self._open_bytes = 0
        self.pieces = 0

    def add(self, piece: bytes) -> None:
        """Put *piece* at the end."""
        self.pieces += 1
        self._open.append(piece)
        self._open_bytes += len(piece)
        if self._open_bytes >= BLOCK_BYTES:
            self._blocks.append(zlib.compress(b"".join(self._open), LEVEL))
            self._open, self._open_bytes = [], 0

    def __iter__(self) -> Iterator[bytes]:
        """Give the whole in blocks of about :data:`BLOCK_BYTES`."""
        for block in self._blocks:
            yield zlib.decompress(block)
        if self._open:
            yield b"".join(self._open)
