"""W3C trace context, version 00: ``00-{32 hex digits}-{16 hex digits}-{2 hex digits}``.

One run is one trace. See https://www.w3.org/TR/trace-context/#traceparent-header.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

_FORM = re.compile(
    r"00-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})-[0-9a-f]{2}", re.ASCII
)


@lru_cache(maxsize=1024)  # each step of a job reads the same one
def ids_of(traceparent: str | None) -> tuple[str, str] | None:
    """Return the trace's id and the span's, or None if *traceparent* is not a trace context."""
    match = _FORM.fullmatch(traceparent or "")
    return None if match is None else (match["trace"], match["span"])


def trace_id_of(run_id: str, traceparent: str | None) -> str:
    """Return the id of a run's trace: that of whoever asked for it, or one made from *run_id*."""
    ids = ids_of(traceparent)
    return hashlib.sha256(run_id.encode()).hexdigest()[:32] if ids is None else ids[0]


def traceparent_of(trace_id: str, *parts: object) -> str:
    """Return the trace context of one step of a run, its span made from *parts*."""
    span = hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:16]
    return f"00-{trace_id}-{span}-01"
