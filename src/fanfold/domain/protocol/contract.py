"""The collector contract: what a collector is asked, and what may come back.

The values are here; :func:`read_reply` and :func:`read_completion` turn bytes into them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from fanfold import __version__
from fanfold.domain.model.collector import CollectorSpec
from fanfold.domain.model.run import Failure
from fanfold.domain.protocol import fields
from fanfold.domain.protocol.failures import (
    bad_response,
    error_document,
    failure_of,
    header,
    redirect,
    reported_failure,
    stated_failure,
)
from fanfold.domain.protocol.fields import BrokenContract
from fanfold.domain.protocol.findings import ReportedFigures, findings_of
from fanfold.domain.protocol.log_lines import last_lines
from fanfold.domain.protocol.masking import NOTHING_SECRET, Mask
from fanfold.domain.protocol.plain_text import object_in
from fanfold.domain.protocol.strict_json import NotJson, read_json
from fanfold.domain.syntax.limits import MAX_NUMBER, MAX_WARNING_CHARS
from fanfold.domain.syntax.text import count, instant, one_line
from fanfold.domain.syntax.traceparent import ids_of


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt to make.

    ``timeout_s`` bounds the whole call, connect to last byte; ``deadline`` is the instant the
    collector is told. ``previous`` holds the ``revision`` and ``records`` of its last success.
    ``callback`` is how an asynchronous answer may come: the ``token`` that proves it and, where
    there is an endpoint, its ``url``.
    """

    spec: CollectorSpec
    run_id: str
    attempt: int
    deadline: datetime
    timeout_s: float
    scheduled_for: datetime | None = None
    previous: Mapping[str, Any] = field(default_factory=dict)
    callback: Mapping[str, str] | None = None
    traceparent: str | None = None

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this collector in this run."""
        return f"{self.run_id}/{self.spec.name}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a call or a completion.

    Exactly one of these holds: ``failure`` is set; ``accepted`` is true (the answer comes
    later, in about ``eta_s`` seconds if given); or ``findings`` is the answer.
    ``retry_after_s`` is the wait that the collector asked for, in seconds. ``log`` are the last
    lines of its log, whatever came; ``log_warning`` says what of them was left out.
    """

    http_status: int | None = None
    findings: ReportedFigures | None = None
    accepted: bool = False
    eta_s: float | None = None
    failure: Failure | None = None
    retry_after_s: float | None = None
    log: tuple[str, ...] = ()
    log_warning: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an asynchronous collector says it is: ``fraction`` in [0, 1], both optional."""

    fraction: float | None = None
    message: str | None = None


#: Longest time that an asynchronous collector may announce, in seconds: 31 days.
MAX_ETA_S = 31 * 86_400.0

_PROGRESS_KEYS = frozenset({"fraction", "message", "records_so_far"})


def request_body(call: Call) -> dict[str, Any]:
    """Return the JSON document that *call* sends."""
    return {
        "run_id": call.run_id,
        "collector": call.spec.name,
        "attempt": call.attempt,
        "deadline": instant(call.deadline),
        "scheduled_for": None if call.scheduled_for is None else instant(call.scheduled_for),
        "params": dict(call.spec.params),
        "previous": dict(call.previous),
        "callback": None if call.callback is None else {"url": None, **call.callback},
    }


def request_headers(call: Call) -> dict[str, str]:
    """Return the headers that *call* sends, credentials aside."""
    headers = {
        "Idempotency-Key": call.idempotency_key,
        "X-Fanfold-Deadline": instant(call.deadline),
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": f"fanfold/{__version__}",
    }
    if call.traceparent is not None and ids_of(call.traceparent) is not None:
        headers["traceparent"] = call.traceparent
    return headers


def read_reply(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime | None = None,
    mask: Mask = NOTHING_SECRET,
    url: str = "",
) -> Reply:
    """Return what an HTTP response means. Never raises, whatever *body* is.

    * **2xx** is an answer. Its findings are the contract's keys of a JSON object; each key is
      optional, null is the same as absent, unknown keys are ignored. A legacy collector may
      answer anything else (nothing, text, HTML, a JSON list): it counts, with nothing known.
      Two things break the contract (``bad_response``, not retryable): a JSON object that gives
      one of the keys an illegal value, repeats a key, holds NaN or nests absurdly deep; and a
      body that calls itself JSON (``Content-Type``) and is not. A JSON object counts as one
      whatever its content type: many frameworks send JSON as text. An object that says
      ``"status": "failed"``, as a completion would, failed as it says. One without ``records``
      that says ``"error"``, ``"success": false`` or the like failed too, of kind ``reported``.
    * **202** with ``"accepted": true`` announces a later answer. Any other 202 is a 2xx.
    * **3xx** is the failure ``redirect``, never retryable: it names the target without its query.
    * **Anything else** failed: with the ``error``, ``kind``, ``retryable`` and ``retry_after`` of
      a JSON object, or with the beginning of the body as text. 401 and 403 are always of kind
      ``auth``. Retryable are 408, 425, 429 and 5xx, unless the body's own ``retryable`` says
      otherwise, which wins. A ``Retry-After`` header wins over the body's ``retry_after``.

    Whatever the status, a JSON object may bring the last lines of the collector's ``log``.

    *headers* may be in any case. *now* makes the date form of ``Retry-After`` a wait; without it,
    that form is ignored. *mask* is applied to every text of the answer before it is cut. *url* is
    the one that was called. Bodies must be cut to a sane size before; messages are cut here.
    """
    if 200 <= status < 300:
        return _read_success(status, headers, body, mask)
    if 300 <= status < 400:
        return Reply(http_status=status, failure=redirect(status, headers, url, mask))
    if not 400 <= status < 600:
        message = f"status {status} is no answer"
        return Reply(http_status=status, failure=Failure("bad_response", message))
    document = error_document(body, header(headers, "content-type"), mask)
    failure, wait_s = failure_of(status, headers, body, document, now=now, mask=mask)
    reply = Reply(http_status=status, failure=failure, retry_after_s=wait_s)
    return _with_log(reply, document)


def read_completion(
    body: bytes | Mapping[str, Any], mask: Mask = NOTHING_SECRET
) -> Reply | Progress:
    """Return what an asynchronous collector reports. Never raises, whatever *body* is.

    *mask* is applied to every text of the report before it is cut.

    The keys of a synchronous answer plus ``"status": "succeeded"`` make an answer;
    ``"status": "failed"`` a failure, with ``error`` as text or ``{kind, message, retryable}``.
    Without a status (or with ``"running"``) it is progress if it has ``fraction``, ``message`` or
    ``records_so_far``; of progress, what makes no sense is left out, for it decides nothing.
    Everything else is the failure ``bad_response``.
    """
    try:
        document = mask.document(read_json(body) if isinstance(body, bytes) else body)
    except NotJson as exc:
        return Reply(failure=bad_response(exc, mask))
    if not isinstance(document, Mapping):
        return Reply(failure=bad_response(BrokenContract("a completion is a JSON object"), mask))
    try:
        read = _reported(document)
    except BrokenContract as exc:
        read = Reply(failure=bad_response(exc, mask))
    return _with_log(read, document) if isinstance(read, Reply) else read


def _with_log(reply: Reply, document: Mapping[str, Any]) -> Reply:
    if document.get("log") is None:
        return reply
    lines, warning = last_lines(document["log"])
    return replace(reply, log=lines, log_warning=warning)


def _reported(document: Mapping[str, Any]) -> Reply | Progress:
    match document.get("status"):
        case "succeeded":
            return _answer(document, None)
        case "failed":
            failure, wait_s = stated_failure(document)
            return Reply(failure=failure, retry_after_s=wait_s)
        case None | "running" if not _PROGRESS_KEYS.isdisjoint(document):
            return _progress(document)
        case _:
            raise BrokenContract('"status" must be "succeeded" or "failed"')


def _read_success(status: int, headers: Mapping[str, str], body: bytes, mask: Mask) -> Reply:
    try:
        document = object_in(body, header(headers, "content-type"))
    except NotJson as exc:
        return Reply(http_status=status, failure=bad_response(exc, mask))
    if document is None:
        return Reply(http_status=status, findings=ReportedFigures())
    document = mask.document(document)
    try:
        reply = _said_at_once(status, document)
    except BrokenContract as exc:
        reply = Reply(http_status=status, failure=bad_response(exc, mask))
    return _with_log(reply, document)


def _said_at_once(status: int, document: Mapping[str, Any]) -> Reply:
    if document.get("status") == "failed":
        failure, wait_s = stated_failure(document)
        return Reply(http_status=status, failure=failure, retry_after_s=wait_s)
    if status == 202 and fields.flag(document, "accepted"):
        eta_s = fields.seconds(document, "eta_seconds", MAX_ETA_S)
        return Reply(http_status=status, accepted=True, eta_s=eta_s)
    return _answer(document, status)


def _answer(document: Mapping[str, Any], status: int | None) -> Reply:
    """Return the answer of an object, which is a failure if it reports one and counts nothing."""
    findings = findings_of(document)
    reported = reported_failure(document) if findings.records is None else None
    if reported is None:
        return Reply(http_status=status, findings=findings)
    failure, wait_s = reported
    return Reply(http_status=status, failure=failure, retry_after_s=wait_s)


def _progress(document: Mapping[str, Any]) -> Progress:
    fraction, message = document.get("fraction"), document.get("message")
    so_far = document.get("records_so_far")
    text = None
    if isinstance(message, str) and message.strip():
        text = one_line(message, MAX_WARNING_CHARS)
    elif fields.is_number(so_far) and so_far >= 0:
        text = f"{count(min(so_far, MAX_NUMBER))} records so far"
    if not fields.is_number(fraction):
        return Progress(message=text)
    return Progress(fraction=float(min(max(fraction, 0), 1)), message=text)
