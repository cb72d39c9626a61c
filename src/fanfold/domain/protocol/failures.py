"""Why a collector did not succeed, read from what it sent: messages, kinds, waits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from fanfold.domain.model.run import Failure
from fanfold.domain.protocol import fields
from fanfold.domain.protocol.plain_text import readable
from fanfold.domain.protocol.strict_json import NotJson, read_json
from fanfold.domain.syntax.limits import MAX_BODY_CHARS, MAX_TEXT_CHARS
from fanfold.domain.syntax.text import one_line

#: Longest wait that a collector may ask for, in seconds: a year. A longer one is that long.
MAX_RETRY_AFTER_S = 366 * 86_400.0

#: Failures that the same call may survive later; so may every 5xx.
RETRYABLE_STATUSES = frozenset({408, 425, 429})

#: Words for what fanfold itself saw; a collector that uses one as its ``kind`` is filed as http.
OWN_KINDS = frozenset({"timeout", "deadline", "expectation", "redirect", "cancelled", "lost"})

#: Some write it before JSON, where it has no place; it is skipped.
BOM = b"\xef\xbb\xbf"

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", re.ASCII)
_SECONDS = re.compile(r"\s*(\d{1,40}(\.\d{1,20})?)\s*", re.ASCII)
_TARGET_HOST = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#]*@)?([^/?#@\s]+)", re.IGNORECASE)


def failure_of(
    status: int, headers: Mapping[str, str], body: bytes, now: datetime | None
) -> tuple[Failure, float | None]:
    """Return why a response of *status* (400 to 599) failed, and the wait it asks for.

    See :func:`fanfold.domain.protocol.contract.read_reply` for the rules.
    """
    document = _error_document(body)
    said = _said(document) or readable(body, MAX_BODY_CHARS)
    message = one_line(f"HTTP {status}: {said}" if said else f"HTTP {status}", MAX_TEXT_CHARS)
    kind = "auth" if status in {401, 403} else _kind(document) or "http"
    by_default = status in RETRYABLE_STATUSES or status >= 500
    wait_s = retry_after_s(header(headers, "retry-after"), now)
    failure = Failure(kind, message, _own_word(document, by_default=by_default))
    return failure, _wait_s(document) if wait_s is None else wait_s


def stated_failure(document: Mapping[str, Any]) -> tuple[Failure, float | None]:
    """Return the failure of a collector that says ``"status": "failed"``, and its wait."""
    message = one_line(_said(document), MAX_TEXT_CHARS) or "the collector failed, unsaid why"
    failure = Failure(_kind(document) or "http", message, _own_word(document, by_default=False))
    return failure, _wait_s(document)


def reported_failure(document: Mapping[str, Any]) -> tuple[Failure, float | None] | None:
    """Return the failure that a 2xx answer reports in its own words, and its wait, or None.

    It is for answers without a record count: ``{"error": "quota exceeded"}``, ``{"success":
    false}`` and their kind say that nothing was gathered, whatever the status. The sign counts in
    any case of letters, as frameworks write it.
    """
    lower = {str(key).lower(): value for key, value in document.items()}
    sign = next((key for key, is_bad in _SIGNS.items() if is_bad(lower.get(key))), None)
    if sign is None:
        return None
    said = _said(lower) or f'"{sign}" is {fields.shown(lower[sign])}'
    message = one_line(f"the answer reports a failure and no record count: {said}", MAX_TEXT_CHARS)
    return Failure("reported", message, _own_word(lower, by_default=False)), _wait_s(lower)


def _is_error(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in _NO_ERROR
    return bool(value)


def _is_refusal(value: Any) -> bool:
    return value is False or (isinstance(value, str) and value.strip().lower() == "false")


def _is_bad_status(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _BAD_STATUSES
    return isinstance(value, int) and 400 <= value < 600


#: Texts that stand for "no error".
_NO_ERROR = frozenset({"", "none", "null", "no", "false", "0"})

#: What a ``status`` calls a failure; ``failed`` is the contract's own word, read before.
_BAD_STATUSES = frozenset({"error", "fail", "failed", "failure", "ko", "nok"})

#: The keys that report a failure, each with the test of its value.
_SIGNS: Mapping[str, Callable[[Any], bool]] = {
    "error": _is_error,
    "errors": _is_error,
    "success": _is_refusal,
    "succeeded": _is_refusal,
    "ok": _is_refusal,
    "status": _is_bad_status,
}


def redirect(status: int, headers: Mapping[str, str]) -> Failure:
    """Return the failure of a response that points elsewhere: it names the host, no more."""
    target = _TARGET_HOST.match(header(headers, "location")[:1000])
    where = f" to {one_line(target[1], 100)}" if target else ""
    message = f"HTTP {status} redirects{where}; redirects are not followed: configure the final URL"
    return Failure("redirect", message)


def bad_response(exc: ValueError) -> Failure:
    """Return the failure of an answer that breaks the contract as *exc* says."""
    message = one_line(f"the answer breaks the contract: {exc}", MAX_TEXT_CHARS)
    return Failure("bad_response", message)


def retry_after_s(value: str, now: datetime | None) -> float | None:
    """Return the wait that a ``Retry-After`` header asks for, in seconds, or None if unreadable.

    At least 0 and at most :data:`MAX_RETRY_AFTER_S`. A date needs *now*.
    """
    if seconds := _SECONDS.fullmatch(value):
        return min(float(seconds[1]), MAX_RETRY_AFTER_S)
    if now is None or len(value) > 64:
        return None
    try:
        at = parsedate_to_datetime(value)
        wait_s = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)


def header(headers: Mapping[str, str], name: str) -> str:
    """Return the header called *name* (lower case), or ``""``; *headers* may be in any case."""
    value = headers.get(name)
    if value is None:
        value = next((headers[key] for key in headers if key.lower() == name), "")
    return value


def _error_document(body: bytes) -> Mapping[str, Any]:
    try:
        document = read_json(body.removeprefix(BOM))
    except NotJson:
        return {}
    return document if isinstance(document, Mapping) else {}


def _said(document: Mapping[str, Any]) -> str:
    """Return the message of an error: ``error``, text or object, or what frameworks call it.

    Of ``errors``, a list, it is the first that says something.
    """
    found = [document.get("error"), *_items(document.get("errors"))]
    candidates = [each.get("message") if isinstance(each, Mapping) else each for each in found]
    candidates += [document.get("message"), document.get("detail")]
    return next((text for text in candidates if isinstance(text, str) and text.strip()), "")


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _detail(document: Mapping[str, Any], key: str) -> Any:
    """Return *key* of the document, or else of its ``error`` object."""
    error = document.get("error")
    own = document.get(key)
    return error.get(key) if own is None and isinstance(error, Mapping) else own


def _kind(document: Mapping[str, Any]) -> str | None:
    kind = _detail(document, "kind")
    legal = isinstance(kind, str) and _KIND.fullmatch(kind) and kind not in OWN_KINDS
    return kind if legal else None


def _own_word(document: Mapping[str, Any], *, by_default: bool) -> bool:
    retryable = _detail(document, "retryable")
    return retryable if isinstance(retryable, bool) else by_default


def _wait_s(document: Mapping[str, Any]) -> float | None:
    wait_s = _detail(document, "retry_after")
    if not fields.is_number(wait_s) or wait_s < 0:
        return None
    return float(min(wait_s, MAX_RETRY_AFTER_S))
