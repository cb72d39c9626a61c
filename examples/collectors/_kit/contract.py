"""The collector contract: what fanfold posts, and what a collector answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .failures import BadRequest

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Request:
    """One attempt asked of a collector. Every key of the body is optional."""

    run_id: str | None
    attempt: int
    #: Instant (aware) after which nobody waits for the answer; None means no limit.
    deadline: datetime | None
    params: Mapping[str, Any]
    #: What the last success answered as ``revision`` and ``records``, if anything.
    previous_revision: str | None
    previous_records: int | None


@dataclass
class Result:
    """What was collected. ``records`` is None only where nobody can know it."""

    records: int | None
    revision: str | None = None
    #: Nothing is new since ``previous.revision``: a different word from 0 records.
    unchanged: bool = False
    warnings: list[str] = field(default_factory=list)
    metrics: dict[str, int | float] = field(default_factory=dict)
    #: URLs of what was written. These examples count and keep nothing, so: none.
    artifacts: list[str] = field(default_factory=list)

    def answer(self, *, received_bytes: int) -> dict[str, Any]:
        """Return the body of the 200, with *received_bytes* read from the upstream."""
        return {
            "records": self.records,
            "bytes": received_bytes,
            "artifacts": self.artifacts,
            "revision": self.revision,
            "unchanged": self.unchanged,
            "warnings": self.warnings,
            "metrics": self.metrics,
        }


def parse_request(body: bytes, *, deadline_header: str | None = None) -> Request:
    """Return the request that *body* holds; an empty body is ``{}``.

    The keys that only an asynchronous collector needs (``callback``, ``scheduled_for``)
    are accepted and not looked at.

    Raises:
        BadRequest: It is not JSON, or a key has the wrong type.
    """
    try:
        fields = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(fields, dict):
        raise BadRequest("the body must be a JSON object")
    previous = _typed(fields, "previous", dict) or {}
    return Request(
        run_id=_typed(fields, "run_id", str),
        attempt=_typed(fields, "attempt", int) or 1,
        deadline=_instant(_typed(fields, "deadline", str) or deadline_header),
        params=_typed(fields, "params", dict) or {},
        previous_revision=_typed(previous, "revision", str),
        previous_records=_typed(previous, "records", int),
    )


def _typed(fields: Mapping[str, Any], key: str, kind: type) -> Any:
    value = fields.get(key)
    # bool is an int in Python, but true is no attempt number.
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise BadRequest(f"{key!r} must be of JSON type {_JSON_TYPES[kind]}")
    return value


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(f"the deadline {text[:40]!r} is not an ISO 8601 instant") from error
    if instant.tzinfo is None:
        raise BadRequest("the deadline has no time zone; write it as 2026-01-31T03:15:00Z")
    return instant


_JSON_TYPES = {dict: "object", str: "string", int: "number"}
