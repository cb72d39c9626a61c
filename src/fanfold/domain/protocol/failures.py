"""Why a collector did not succeed, read from what it sent: messages, kinds, waits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from fanfold.domain.model.run import Failure
from fanfold.domain.protocol import fields
from fanfold.domain.protocol.masking import NOTHING_SECRET, Mask
from fanfold.domain.protocol.plain_text import decoded, readable
from fanfold.domain.protocol.strict_json import NotJson, read_json
from fanfold.domain.syntax.limits import MAX_BODY_CHARS, MAX_TEXT_CHARS
from fanfold.domain.syntax.text import one_line

#: Most characters of where a redirect points that are shown, twice.
MAX_TARGET_CHARS = 180

#: Longest wait that a collector may ask for, in seconds: a year. A longer one is that long.
MAX_RETRY_AFTER_S = 366 * 86_400.0

#: Failures that the same call may survive later; so may every 5xx.
RETRYABLE_STATUSES = frozenset({408, 425, 429})

#: Words for what fanfold itself saw; a collector that uses one as its ``kind`` is filed as http.
OWN_KINDS = frozenset(
    {
        *("timeout", "deadline", "expectation", "redirect", "cancelled", "lost"),
        *("wait_timeout", "heartbeat"),
    }
)

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", re.ASCII)
_SECONDS = re.compile(r"\s*(\d{1,40}(\.\d{1,20})?)\s*", re.ASCII)
_REFERENCE = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(\?[^#]*)?")
_LOGIN = re.compile(
    r"://accounts\.|/(?:log|sign)[-_]?in(?:$|[/.])|/(?:oauth2?|sso|saml)(?:$|/)", re.IGNORECASE
)


def failure_of(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    document: Mapping[str, Any],
    *,
    now: datetime | None,
    mask: Mask,
) -> tuple[Failure, float | None]:
    """Return why a response of *status* (400 to 599) failed, and the wait it asks for.

    *document* is what :func:`error_document` finds in *body*. See
    :func:`fanfold.domain.protocol.contract.read_reply` for the rules.
    """
    content_type = header(headers, "content-type")
    said = _said(document) or one_line(readable(body, content_type, mask), MAX_BODY_CHARS)
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
    any case of letters and with ``_`` or ``-`` inside, as frameworks write it, and where the whole
    answer is an envelope such as ``{"data": {…}}``.
    """
    if len(document) == 1:
        ((key, value),) = document.items()
        if _plain(key) in _ENVELOPES and isinstance(value, Mapping) and "records" not in value:
            document = value
    written = {_plain(key): str(key) for key in document}
    plain = {_plain(key): value for key, value in document.items()}
    signs = _SIGNS if "failed" not in plain else {**_SIGNS, "success": _is_refusal}  # two counts
    sign = next((key for key, is_bad in signs.items() if is_bad(plain.get(key))), None)
    if sign is None:
        return None
    lower = {str(key).strip().lower(): value for key, value in document.items()}
    said = _said(lower) or f'"{written[sign].strip()}" is {fields.shown(plain[sign])}'
    message = one_line(f"the answer reports a failure and no record count: {said}", MAX_TEXT_CHARS)
    return Failure("reported", message, _own_word(lower, by_default=False)), _wait_s(lower)


def _plain(key: object) -> str:
    return str(key).strip().lower().replace("_", "").replace("-", "")


def _is_error(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in _NO_ERROR
    return bool(value)


def _is_refusal(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _REFUSALS
    return value is False


def _is_refusal_or_0(value: Any) -> bool:
    return _is_refusal(value) or (fields.is_number(value) and value == 0)


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in {"true", "yes"})


def _is_bad_status(value: Any) -> bool:
    if isinstance(value, str):
        word = value.strip().lower()
        return word in _BAD_STATUSES or _BAD_CODE.fullmatch(word) is not None
    return fields.is_number(value) and 400 <= value < 600


#: Texts that stand for "no error".
_NO_ERROR = frozenset({"", "none", "null", "no", "false", "0"})

#: Texts that refuse.
_REFUSALS = frozenset({"false", "no", "0"})

#: Keys of an object that holds the answer proper.
_ENVELOPES = frozenset({"data", "response", "result"})

_BAD_CODE = re.compile("[45][0-9]{2}")

#: What a ``status`` calls a failure; ``failed`` is the contract's own word, read before.
_BAD_STATUSES = frozenset({"error", "fail", "failed", "failure", "ko", "nok"})

#: The keys that report a failure, each with the test of its value.
_SIGNS: Mapping[str, Callable[[Any], bool]] = {
    "error": _is_error,
    "errors": _is_error,
    "errormessage": _is_error,
    "exception": _is_error,
    "fault": _is_error,
    "success": _is_refusal_or_0,
    "succeeded": _is_refusal,  # as a number it counts
    "ok": _is_refusal_or_0,
    "failed": _is_true,  # likewise
    "iserror": _is_true,
    "haserror": _is_true,
    "haserrors": _is_true,
    "status": _is_bad_status,
    "statuscode": _is_bad_status,
}


def redirect(
    status: int, headers: Mapping[str, str], url: str = "", mask: Mask = NOTHING_SECRET
) -> Failure:
    """Return the failure of a response that points elsewhere.

    It names scheme, host and path of the target, without its query, which may be a credential,
    and what to write in the configuration. *url* is the one that was called.
    """
    location = header(headers, "location").strip()
    if not location and status == 304:
        why = 'the collector says that nothing changed: let it answer 200 with {"unchanged": true}'
        return Failure("redirect", f"HTTP 304 is no answer; {why}")
    if not location:
        return Failure("redirect", f"HTTP {status} redirects, and does not say where")
    target, has_query = _target(location, url)
    if not target.lower().startswith(("http://", "https://")):
        # Its text is no address to write anywhere: it may be a script, or a file of somebody's.
        message = f"HTTP {status} redirects to something that is no http or https URL"
        return Failure("redirect", message)
    where = one_line(mask.text(one_line(target, len(target) + 1)), MAX_TARGET_CHARS)
    if _LOGIN.search(target):
        fix = "it is a page to log in: check auth: of this collector"
    else:
        fix = f"write url: {where}" + (" and its query" if has_query else "")
    message = f"HTTP {status} redirects to {where}; redirects are not followed: {fix}"
    return Failure("redirect", one_line(message, MAX_TEXT_CHARS))


def _target(location: str, url: str) -> tuple[str, bool]:
    """Return where *location* leads from *url*, without user and query, and if it has a query."""
    parts, base = _REFERENCE.match(location), _REFERENCE.match(url)
    assert parts is not None and base is not None  # noqa: S101, PT018 - they match any text
    scheme, place, path = parts[1] or base[1], parts[2], parts[3]
    if place is None and parts[1] is None:
        place = base[2]
        if not path.startswith("/"):
            path = f"{base[3].rpartition('/')[0]}/{path}"
    host = (place or "").rpartition("@")[2]
    return f"{scheme or 'https'}://{host}{path}", parts[4] is not None


def bad_response(exc: ValueError, mask: Mask = NOTHING_SECRET) -> Failure:
    """Return the failure of an answer that breaks the contract as *exc* says."""
    said = mask.text(str(exc))
    message = one_line(f"the answer breaks the contract: {said}", MAX_TEXT_CHARS)
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


def error_document(
    body: bytes, content_type: str, mask: Mask = NOTHING_SECRET
) -> Mapping[str, Any]:
    """Return the JSON object that *body* is, masked, or an empty one."""
    try:
        document = read_json(decoded(body, content_type))
    except NotJson:
        return {}
    masked: Mapping[str, Any] = mask.document(document) if isinstance(document, Mapping) else {}
    return masked


def _said(document: Mapping[str, Any]) -> str:
    """Return the message of an error: ``error``, text or object, or what frameworks call it.

    Of ``errors``, a list, it is the first that says something.
    """
    found = [document.get("error"), *_items(document.get("errors"))]
    candidates = [each.get("message") if isinstance(each, Mapping) else each for each in found]
    candidates += [document.get("message"), document.get("detail"), document.get("errormessage")]
    candidates += [document.get("error_message"), document.get("exception")]
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
