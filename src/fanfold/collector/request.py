"""Reading what fanfold posts: every key is optional, and a wrong type is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from fanfold.collector.call import Call, Previous
from fanfold.collector.failures import BadRequest

#: Longest body that is read, in bytes.
MAX_BODY_BYTES = 4 * 1024 * 1024

_JSON_TYPES = {dict: "object", str: "string", int: "number"}


def read_body(environ: Mapping[str, Any]) -> bytes:
    """Return the body of a WSGI request.

    Raises:
        BadRequest: Its length is no number, or too large.
    """
    length = environ.get("CONTENT_LENGTH") or ""
    if not length and environ.get("wsgi.input_terminated"):
        body: bytes = environ["wsgi.input"].read(MAX_BODY_BYTES + 1)
    elif length and not (length.isascii() and length.isdecimal()):
        raise BadRequest("Content-Length is no length in bytes")
    elif len(length) > 9 or int(length or 0) > MAX_BODY_BYTES:
        raise BadRequest(f"the body is over {MAX_BODY_BYTES} bytes")
    else:
        body = environ["wsgi.input"].read(int(length or 0))
    return within_limit(body)


def within_limit(body: bytes) -> bytes:
    """Return *body*.

    Raises:
        BadRequest: It is longer than :data:`MAX_BODY_BYTES`.
    """
    if len(body) > MAX_BODY_BYTES:
        raise BadRequest(f"the body is over {MAX_BODY_BYTES} bytes")
    return body


def credential_of(environ: Mapping[str, Any]) -> str:
    """Return what the request's ``Authorization`` proves itself with, without its scheme."""
    return str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")[2].strip()


def read_call(body: bytes, environ: Mapping[str, Any], name: str) -> Call:
    """Return the call that *body* holds; an empty body is ``{}``.

    Args:
        body: JSON, in UTF-8.
        environ: The WSGI environment: query, and the header ``X-Fanfold-Deadline``.
        name: What the collector is called where the body does not say it.

    Raises:
        BadRequest: It is not JSON, or a key has the wrong type.
    """
    fields = _object(body)
    previous = _typed(fields, "previous", dict) or {}
    records = _typed(previous, "records", int)
    attempt = _typed(fields, "attempt", int)
    if attempt is not None and attempt < 1:
        raise BadRequest("'attempt' must be 1 or more")
    header = environ.get("HTTP_X_FANFOLD_DEADLINE")
    return Call(
        run_id=_typed(fields, "run_id", str),
        collector=_typed(fields, "collector", str) or name,
        attempt=attempt or 1,
        deadline=_instant(_typed(fields, "deadline", str) or header, "deadline"),
        scheduled_for=_instant(_typed(fields, "scheduled_for", str), "scheduled_for"),
        params=_typed(fields, "params", dict),
        previous=Previous(_typed(previous, "revision", str), records),
        query=dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)),
        callback=_callback(fields),
        secrets=[credential_of(environ)],
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON") from None
    if not isinstance(fields, dict):
        raise BadRequest("the body must be a JSON object")
    return fields


def _callback(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    callback = _typed(fields, "callback", dict)
    if callback is None:
        return None
    url, token = _typed(callback, "url", str), _typed(callback, "token", str)
    return None if token is None and url is None else {"url": url, "token": token}


def _typed(fields: Mapping[str, Any], key: str, kind: type) -> Any:
    value = fields.get(key)
    # bool is an int in Python, but true is no attempt number.
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise BadRequest(f"{key!r} must be of JSON type {_JSON_TYPES[kind]}")
    return value


def _instant(text: str | None, key: str) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"the {key} {text[:40]!r} is not an ISO 8601 instant") from None
    if instant.tzinfo is None:
        raise BadRequest(f"the {key} has no time zone; write it as 2026-01-31T03:15:00Z")
    return instant
