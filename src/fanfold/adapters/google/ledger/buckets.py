"""How the answers of a run that is too large for one count are spread over buckets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

#: Most answers of one bucket, and of a run that needs no buckets.
MAX_BUCKET = 500


class Buckets:
    """Which bucket each asked collector belongs to: the same in every process.

    ``sizes`` holds, by bucket, how many answers make it full; empty where one count will do.
    """

    def __init__(self, asked: Sequence[str]) -> None:
        self.sizes: Mapping[int, int] = {}
        self._count = 0
        if len(asked) <= MAX_BUCKET:
            return
        hashes = [_hash(name) for name in asked]
        # Names do not spread evenly: more buckets, until the fullest is small enough.
        self._count = -(-len(asked) // MAX_BUCKET)
        while max((sizes := _sizes(hashes, self._count)).values()) > MAX_BUCKET:
            self._count += 1 + self._count // 20
        self.sizes = sizes

    def of(self, collector: str) -> int | None:
        """Return the collector's bucket, or None where one count will do."""
        return _hash(collector) % self._count if self._count else None


def _sizes(hashes: Sequence[int], count: int) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for each in hashes:
        sizes[each % count] = sizes.get(each % count, 0) + 1
    return sizes


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
