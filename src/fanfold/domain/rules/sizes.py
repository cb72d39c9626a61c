"""How large a request, and a collector's part of a run's record, may be: refused, never cut.

The record of a run holds its manifest: everything needed to call each collector. What one store
cannot hold, no backend accepts, so that a run that starts on one machine starts on Google Cloud.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from fanfold.domain.model.collector import CollectorSpec
from fanfold.domain.model.request import RunRequest

#: Most bytes of one collector's settings and parameters, as compact JSON in ASCII. A Firestore
#: document holds 1 MiB, and with them the collector's past.
MAX_SPEC_BYTES = 600_000

#: Most characters of a request's reason that are read (a record keeps the first 500).
MAX_REASON_CHARS = 10_000

#: Most characters of a name or a tag in a request: no collector and no tag has as many.
MAX_WORD_CHARS = 1_000


def spec_problem(spec: CollectorSpec) -> str | None:
    """Return why *spec* does not fit into a run's record, or None if it does."""
    whole_bytes = _json_bytes(_members(spec))
    if whole_bytes <= MAX_SPEC_BYTES:
        return None
    params_bytes = _json_bytes(spec.params)
    what = "parameters" if params_bytes > whole_bytes // 2 else "settings"
    size_bytes = params_bytes if params_bytes > whole_bytes // 2 else whole_bytes
    return (
        f"its {what} take {size_bytes:,} bytes as JSON, and a run's record holds "
        f"{MAX_SPEC_BYTES:,} of a collector: pass the address of a file instead"
    )


def request_problems(request: RunRequest) -> list[str]:
    """Return a sentence for each text of *request* that is too long to be meant."""
    problems = []
    if request.reason is not None and len(request.reason) > MAX_REASON_CHARS:
        problems.append(too_long("reason", request.reason, MAX_REASON_CHARS))
    for key, words in (
        ("collectors", request.collectors or ()),
        ("exclude", request.exclude),
        ("tags", request.tags),
        ("params", tuple(request.params)),
        ("schedule", tuple(filter(None, (request.schedule, request.cron)))),
    ):
        problems += [
            too_long(key, word, MAX_WORD_CHARS) for word in words if len(word) > MAX_WORD_CHARS
        ]
    return problems


def too_long(key: str, text: str, most_chars: int) -> str:
    """Return the sentence about a *text* under *key* that is longer than *most_chars*."""
    return f"{key}: a text of {len(text):,} characters, where {most_chars:,} are the most"


def _json_bytes(value: object) -> int:
    return len(_ENCODER.encode(value))


def _members(value: Any) -> dict[str, Any] | str:
    """Return what JSON holds of *value*, a dataclass or anything else that JSON does not know."""
    if not is_dataclass(value):
        return str(value)
    return {name: getattr(value, name) for name in _names(value.__class__)}


_ENCODER = json.JSONEncoder(default=_members, separators=(",", ":"))


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))
