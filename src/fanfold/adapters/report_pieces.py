"""A document in pieces, as those take it that store it: to be read, and to be compared."""

from __future__ import annotations

import hashlib

from fanfold.ports.outside import Chunks


class Pieces:
    """A document in pieces, to be read once from its beginning, as a binary file is."""

    def __init__(self, content: Chunks) -> None:
        self._rest = iter(content)
        self._held = b""
        self._read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next *size* bytes, fewer at the end; all that is left if it is negative."""
        parts: list[bytes] = [self._held]
        held_bytes = len(self._held)
        while size < 0 or held_bytes < size:
            piece = next(self._rest, None)
            if piece is None:
                break
            parts.append(piece)
            held_bytes += len(piece)
        whole = b"".join(parts)
        cut = len(whole) if size < 0 else size
        self._held = whole[cut:]
        self._read_bytes += min(cut, len(whole))
        return whole[:cut]

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._read_bytes


class Digest:
    """The SHA-256 of what is written to it: two documents with the same one are the same."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()
        self._written_bytes = 0

    def write(self, piece: bytes) -> int:
        """Add *piece*."""
        self._sum.update(piece)
        self._written_bytes += len(piece)
        return len(piece)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._written_bytes

    def digest(self) -> bytes:
        """Return the digest of all that was written."""
        return self._sum.digest()


def digest_of(content: Chunks) -> bytes:
    """Return the digest of a document in pieces."""
    digest = Digest()
    for piece in content:
        digest.write(piece)
    return digest.digest()
