"""One JSON line an event on standard output, in the fields that Cloud Logging reads."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from fanfold.collector.masking import Secrets

_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


def write(severity: str, message: str, fields: Mapping[str, Any], *, secrets: Secrets) -> None:
    """Print one line, without the *secrets*."""
    entry = secrets.masked({"severity": severity, "message": message, **fields})
    text = json.dumps(entry, ensure_ascii=False, default=str)
    # A log that nobody takes any more, or half a character in it, never ends the work.
    with contextlib.suppress(OSError, ValueError):
        # One write: lines of threads do not mix.
        sys.stdout.write(text.encode("utf-8", "replace").decode() + "\n")
        sys.stdout.flush()


def of_trace(traceparent: str) -> dict[str, str]:
    """Return the field that joins a line to the trace of the run, where the project is known."""
    project = os.environ.get("GOOGLE_CLOUD_PROJECT")
    trace = _TRACE.fullmatch(traceparent)
    if not project or trace is None:
        return {}
    return {"logging.googleapis.com/trace": f"projects/{project}/traces/{trace[1]}"}
