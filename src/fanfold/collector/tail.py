"""The last lines of a collector's log, as its answer carries them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

#: Most lines that go with an answer, and most bytes of them in UTF-8: what fanfold keeps.
MAX_LINES, MAX_BYTES = 20, 4_000


class Tail:
    """The last lines, each with its time in UTC. Threads may share it."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._lock = threading.Lock()

    def add(self, words: object) -> None:
        """Add a line. Line breaks in *words* become spaces."""
        line = f"{datetime.now(UTC):%H:%M:%SZ} {' '.join(str(words)[:MAX_BYTES].split())}"
        with self._lock:
            self._lines.append(line)

    def with_answer(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the *document* of an answer with the last lines under ``log``, if there are any.

        A document that has a log of its own keeps it.
        """
        kept: list[str] = []
        left_bytes = MAX_BYTES
        with self._lock:
            lines = list(self._lines)
        for line in reversed(lines):
            left_bytes -= len(line.encode("utf-8", "replace"))
            if kept and left_bytes < 0:
                break
            kept.insert(0, line.encode("utf-8", "replace")[:MAX_BYTES].decode("utf-8", "ignore"))
        return {"log": kept, **document} if kept else dict(document)
