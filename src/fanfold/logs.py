"""One JSON line per event, in Cloud Logging's fields; use cases do not log, functions do.

Field names: https://docs.cloud.google.com/logging/docs/structured-logging. A line holds ids, states
and figures; never a token, a secret, or what a collector sent. Logging never raises: a full disk
or a reader that went away must not stop the work that the line is about.
"""

from __future__ import annotations

import dataclasses
import json
import os
import select
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from fanfold.domain.model.errors import words_of
from fanfold.domain.syntax.traceparent import ids_of

#: Severities in rising order, as Cloud Logging has them.
SEVERITIES = ("DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL")

#: Longest text in one field, in characters: a log line is no place for a body.
MAX_TEXT = 2000

#: How long a line waits for a reader that does not read, in seconds. Only the first line waits:
#: the lines after it are lost at once, until the reader reads again.
READER_PATIENCE_S = 1.0

#: Most bytes in one write: a pipe that is ready takes so many without waiting (POSIX PIPE_BUF).
_CHUNK_BYTES = 4096


class Log(Protocol):
    """Writes one event, and never raises."""

    def __call__(self, severity: str, message: str, **fields: Any) -> None:
        """Write *message* with *fields* that say which run, collector and attempt it is about."""
        ...


class Stream(Protocol):
    """Where lines go: an open text file, or an :class:`Outlet`."""

    def write(self, text: str, /) -> object:
        """Take *text*."""
        ...

    def flush(self) -> object:
        """Pass on what was taken."""
        ...


class Outlet:
    """Writes text to *descriptor* without a buffer, and gives up on a reader that stands still.

    Raises:
        OSError: From :meth:`write`, where the text could not be written whole.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._is_torn = self._is_stalled = False

    def write(self, text: str) -> None:
        """Write *text*, after a line break if the text before it was written in part."""
        text = f"\n{text}" if self._is_torn else text
        rest = memoryview(text.encode("utf-8", "replace"))
        until = time.monotonic() + (0.0 if self._is_stalled else READER_PATIENCE_S)
        while rest:
            wait_s = max(0.0, until - time.monotonic())
            self._is_stalled = not self._poll.poll(wait_s * 1000)
            if self._is_stalled:
                raise TimeoutError("whoever reads the log stands still")
            rest = rest[os.write(self.descriptor, rest[:_CHUNK_BYTES]) :]
            self._is_torn = bool(rest)

    def flush(self) -> None:
        """Nothing is kept back, so there is nothing to pass on."""


class JsonLog:
    """Writes events as JSON lines to *stream*. Safe to share between threads.

    ``lost`` counts the events that could not be written, and ``why_lost`` says why the last one
    could not. The first line after a loss says how many lines are missing before it.

    Args:
        stream: Where to; None where there is nothing to write to, so that every event is lost.
        project: The Google Cloud project, for trace names; may be empty.
        at_least: Least severity that is written.
        labels: Labels of every line, for instance the function's name.
    """

    def __init__(
        self,
        stream: Stream | None,
        *,
        project: str = "",
        at_least: str = "INFO",
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self.stream = stream
        self.project = project
        self.level = SEVERITIES.index(at_least)
        self.labels = dict(labels or {})
        self.lost = 0
        self.why_lost = ""
        self._lost_untold = 0
        self._lock = threading.Lock()

    def __call__(self, severity: str, message: str, **fields: Any) -> None:
        """See :class:`Log`. ``traceparent`` becomes Cloud Logging's trace and span fields."""
        if severity in SEVERITIES and SEVERITIES.index(severity) < self.level:
            return
        with self._lock:
            try:
                text = self._line(severity, message, fields)
                if self._lost_untold:
                    gap = f"{self._lost_untold} log lines before this one were lost"
                    text = self._line("WARNING", f"{gap}: {self.why_lost}", {}) + text
                self._write(text)
            except Exception as exc:  # noqa: BLE001 - no loss of a line may stop the work
                self.lost += 1
                self._lost_untold += 1
                self.why_lost = getattr(exc, "strerror", None) or str(exc) or words_of(exc)
            else:
                self._lost_untold = 0

    def _write(self, text: str) -> None:
        if self.stream is None:
            raise OSError("stdout is closed")
        self.stream.write(text)
        self.stream.flush()

    def _line(self, severity: str, message: str, fields: Mapping[str, Any]) -> str:
        line: dict[str, Any] = {
            "severity": severity,
            "message": message[:MAX_TEXT],
            "time": datetime.now(UTC).isoformat(),
        }
        labels = {**self.labels}
        for key, value in fields.items():
            if value is None:
                continue
            if key == "traceparent":
                line |= self._trace(value)
                continue
            if key in ("run_id", "collector", "function"):
                labels[key] = str(value)[:MAX_TEXT]
            line[key] = value[:MAX_TEXT] if isinstance(value, str) else value
        if labels:
            line["logging.googleapis.com/labels"] = labels
        text = json.dumps(line, ensure_ascii=False, default=_plain)
        # Half a surrogate pair cannot be encoded; a question mark stands for it.
        return text.encode("utf-8", "replace").decode("utf-8") + "\n"

    def _trace(self, traceparent: str) -> dict[str, str]:
        ids = ids_of(traceparent)
        if ids is None:
            return {}
        trace, span = ids
        name = f"projects/{self.project}/traces/{trace}" if self.project else trace
        return {"logging.googleapis.com/trace": name, "logging.googleapis.com/spanId": span}


def _plain(value: Any) -> Any:
    """Return what JSON can carry of *value*: a dataclass by its fields, anything else as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    return str(value)


def silent(severity: str, message: str, **fields: Any) -> None:
    """Write nothing."""


class Seldom:
    """Lets what repeats itself be told once in a while. Safe to share between threads.

    Args:
        every_s: The shortest time between two tellings of the same, in seconds.
    """

    def __init__(self, every_s: float = 60.0) -> None:
        self.every_s = every_s
        self._lock = threading.Lock()
        self._told_at: dict[str, float] = {}

    def may_tell(self, said: str) -> bool:
        """Return whether *said* was not told lately, and note that it is told now."""
        now = time.monotonic()
        with self._lock:
            self._told_at = {
                text: at for text, at in self._told_at.items() if now - at < self.every_s
            }
            is_new = said not in self._told_at
            if is_new:
                self._told_at[said] = now
        return is_new
