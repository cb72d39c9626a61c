"""One JSON line per event, in Cloud Logging's fields; use cases do not log, functions do.

Field names: https://docs.cloud.google.com/logging/docs/structured-logging. A line holds ids, states
and figures; never a token, a secret, or what a collector sent.
"""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, TextIO

from fanfold.domain.syntax.traceparent import ids_of

#: Severities in rising order, as Cloud Logging has them.
SEVERITIES = ("DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL")

#: Longest text in one field, in characters: a log line is no place for a body.
MAX_TEXT = 2000


class Log(Protocol):
    """Writes one event."""

    def __call__(self, severity: str, message: str, **fields: Any) -> None:
        """Write *message* with *fields* that say which run, collector and attempt it is about."""
        ...


class JsonLog:
    """Writes events as JSON lines to *stream*. Safe to share between threads.

    Args:
        stream: Where to.
        project: The Google Cloud project, for trace names; may be empty.
        at_least: Least severity that is written.
        labels: Labels of every line, for instance the function's name.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        project: str = "",
        at_least: str = "INFO",
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self.stream = stream
        self.project = project
        self.level = SEVERITIES.index(at_least)
        self.labels = dict(labels or {})
        self._lock = threading.Lock()

    def __call__(self, severity: str, message: str, **fields: Any) -> None:
        """See :class:`Log`. ``traceparent`` becomes Cloud Logging's trace and span fields."""
        if SEVERITIES.index(severity) < self.level:
            return
        line: dict[str, Any] = {
            "severity": severity,
            "message": message[:MAX_TEXT],
            "time": datetime.now(UTC).isoformat(),
        }
        ids = ids_of(fields.pop("traceparent", None))
        if ids is not None:
            trace, span = ids
            name = f"projects/{self.project}/traces/{trace}" if self.project else trace
            line["logging.googleapis.com/trace"] = name
            line["logging.googleapis.com/spanId"] = span
        labels = {**self.labels}
        for key, value in fields.items():
            if value is None:
                continue
            if key in ("run_id", "collector", "function"):
                labels[key] = str(value)[:MAX_TEXT]
            line[key] = value[:MAX_TEXT] if isinstance(value, str) else value
        if labels:
            line["logging.googleapis.com/labels"] = labels
        text = json.dumps(line, ensure_ascii=False, default=_plain)
        text = text.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair is no text
        with self._lock:
            self.stream.write(text + "\n")
            self.stream.flush()


def _plain(value: Any) -> Any:
    """Return what JSON can carry of *value*: a dataclass by its fields, anything else as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    return str(value)


def silent(severity: str, message: str, **fields: Any) -> None:
    """Write nothing."""
