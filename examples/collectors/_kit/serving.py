"""From an HTTP request to an HTTP answer: the part every collector's door has in common."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import flask

from .contract import Request, Result, parse_request
from .failures import CollectorFailure
from .faults import GARBAGE, Fault, parse_fault, trickle
from .transport import open_session, source
from .upstream import Upstream

#: What a collector implements: what to collect, and where to ask for it.
Collect = Callable[[Request, Upstream], Result]


def serve(collector: str, collect: Collect, http_request: flask.Request) -> flask.Response:
    """Return the answer of *collector* to *http_request*: 200, or the error of the contract.

    A GET is a health check: it asks nothing of the upstream. Whatever *collect* raises
    becomes one JSON error; one log line is printed per POST.
    """
    started_s = time.monotonic()
    line: dict[str, Any] = {"collector": collector}
    try:
        if http_request.method in {"GET", "HEAD"}:
            return _json(200, {"collector": collector, "source": source(), "status": "ok"})
        if http_request.method != "POST":
            return _json(405, _error("send a POST", kind="bad_request", retryable=False))
        fault = parse_fault(http_request.args, source=source())
        request = parse_request(
            http_request.get_data(), deadline_header=http_request.headers.get("X-Fanfold-Deadline")
        )
        line |= {"run_id": request.run_id, "attempt": request.attempt}
        result, upstream = _collected(collector, collect, request, fault)
        line |= {"records": result.records, "requests": upstream.sent_requests}
        return _answered(result.answer(received_bytes=upstream.received_bytes), fault)
    except CollectorFailure as failure:
        line |= {"kind": failure.kind, "error": str(failure)}
        return _failed(failure)
    except Exception as error:  # noqa: BLE001 - the door: whatever broke, the caller gets JSON
        # Frames only: the message of an unforeseen error may quote a row.
        traceback.print_tb(error.__traceback__)
        line |= {"kind": "bug", "error": type(error).__name__}
        return _json(500, _error(f"bug: {type(error).__name__}", kind="bug", retryable=False))
    finally:
        if http_request.method == "POST":
            _log(line, duration_s=time.monotonic() - started_s, headers=http_request.headers)


def _collected(
    collector: str, collect: Collect, request: Request, fault: Fault
) -> tuple[Result, Upstream]:
    session = open_session(collector, fault=fault.upstream)
    upstream = Upstream(session, deadline=request.deadline)
    return collect(request, upstream), upstream


def _answered(answer: dict[str, Any], fault: Fault) -> flask.Response:
    if fault.name == "garbage":
        return flask.Response(GARBAGE, 200, content_type="application/json")
    if fault.name == "slow":
        body = trickle(_encoded(answer), seconds=fault.seconds)
        return flask.Response(body, 200, content_type="application/json")
    return _json(200, answer)


def _failed(failure: CollectorFailure) -> flask.Response:
    response = _json(
        failure.status,
        _error(
            str(failure),
            kind=failure.kind,
            retryable=failure.retryable,
            retry_after_s=failure.retry_after_s,
        ),
    )
    if failure.retry_after_s is not None:
        # The header knows only whole seconds, and too early is worse than too late.
        response.headers["Retry-After"] = str(int(-(-failure.retry_after_s // 1)))
    return response


def _error(
    message: str, *, kind: str, retryable: bool, retry_after_s: float | None = None
) -> dict[str, Any]:
    return {"error": message, "kind": kind, "retryable": retryable, "retry_after": retry_after_s}


def _json(status: int, body: dict[str, Any]) -> flask.Response:
    return flask.Response(_encoded(body), status, content_type="application/json")


def _encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode() + b"\n"


def _log(line: dict[str, Any], *, duration_s: float, headers: Any) -> None:
    """Print *line* in the fields that Cloud Logging reads. Never a row, never a body."""
    failed = "kind" in line
    entry = {
        "severity": "WARNING" if failed else "INFO",
        "message": f"{line['collector']}: {line.get('error') or _collected_words(line)}",
        "duration_seconds": round(duration_s, 3),
    } | line
    project = os.environ.get("GOOGLE_CLOUD_PROJECT")
    trace = re.fullmatch(
        r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", headers.get("traceparent", "")
    )
    if project and trace:
        entry["logging.googleapis.com/trace"] = f"projects/{project}/traces/{trace[1]}"
    sys.stdout.write(json.dumps(entry, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _collected_words(line: dict[str, Any]) -> str:
    return f"{line.get('records')} records in {line.get('requests')} requests"
