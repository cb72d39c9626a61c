"""From an HTTP request to a call of the collector's function, and back to an HTTP answer."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fanfold.collector import log_lines
from fanfold.collector.answer import Reported, encoded
from fanfold.collector.call import Call
from fanfold.collector.callback import NotDelivered, deliver
from fanfold.collector.failures import BadAnswer, Bug, CollectorFailure, OutOfTime, failure_of
from fanfold.collector.request import credential_of, read_call
from fanfold.collector.under_way import UnderWay

#: What an engineer writes: from a call to what it found.
Collect = Callable[[Call], Reported]

#: What a look (GET) says beside the name and ``"status": "ok"``.
Health = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The status, the body and the headers of an HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Service:
    """A collector as HTTP sees it. One instance serves all threads of the process."""

    def __init__(self, collect: Collect, name: str, health: Health | None) -> None:
        self._collect = collect
        self._name = name
        self._health = health
        self._under_way = UnderWay()

    def respond(self, environ: Mapping[str, Any], read: Callable[[], bytes]) -> HttpAnswer:
        """Return the answer to the request of *environ*, whose body *read* reads. Never raises.

        A GET is a look, which asks nothing of the source; a POST is a call.
        """
        match environ["REQUEST_METHOD"]:
            case "GET" | "HEAD":
                return self._look()
            case "POST":
                return self._called(environ, read)
            case _:
                body = encoded(CollectorFailure("send a POST", kind="bad_request").document())
                return _http(405, body, {"Allow": "GET, HEAD, POST"})

    def _look(self) -> HttpAnswer:
        try:
            said = {} if self._health is None else self._health()
            return _http(200, encoded({"collector": self._name, **said, "status": "ok"}))
        except Exception as error:  # noqa: BLE001 - the way out: whatever broke, the caller gets JSON
            return _failed(_noted(error), Call())

    def _called(self, environ: Mapping[str, Any], read: Callable[[], bytes]) -> HttpAnswer:
        started_s = time.monotonic()
        key = environ.get("HTTP_IDEMPOTENCY_KEY", "")
        fields = log_lines.of_trace(environ.get("HTTP_TRACEPARENT", ""))
        call = Call(collector=self._name, secrets=[credential_of(environ)])
        try:
            call = read_call(read(), environ, self._name)
            if call.left_s <= 0:
                raise OutOfTime("the deadline was over before the call came")
            self._under_way.enter(key)
        except CollectorFailure as failure:
            _log(call, failure, started_s, fields)
            return _failed(failure, call)
        is_left_to_do = False
        try:
            outcome = _outcome(self._collect, call)
            _log(call, outcome, started_s, fields)
            if isinstance(outcome, CollectorFailure):
                return _failed(outcome, call)
            if outcome.work is not None:
                self._begin(outcome.work, call, key, fields)
                is_left_to_do = True
            said = call.tail.with_answer(outcome.document)
            return _http(outcome.status, encoded(said, call.secrets))
        finally:
            if not is_left_to_do:
                self._under_way.leave(key)

    def _begin(self, work: Collect, call: Call, key: str, fields: Mapping[str, Any]) -> None:
        """Do *work* in a thread that ends with the process, and tell the callback."""

        def do() -> None:
            started_s = time.monotonic()
            try:
                outcome = _outcome(work, call)
                _log(call, outcome, started_s, fields)
                _tell(call, outcome)
            except NotDelivered as error:
                _log(call, CollectorFailure(str(error), kind="not_delivered"), started_s, fields)
            finally:
                self._under_way.leave(key)

        threading.Thread(target=do, name=f"{self._name}-later", daemon=True).start()


def _outcome(collect: Collect, call: Call) -> Reported | CollectorFailure:
    """Return what *collect* says of *call*, which can be written as JSON, or why it failed."""
    try:
        reported: object = collect(call)
        if not isinstance(reported, Reported):
            kind = type(reported).__name__
            return BadAnswer(f"the collector returned {kind}: return call.found(...), or the like")
        encoded(reported.document, call.secrets)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever broke, the caller gets JSON
        return _noted(error)
    return reported


def _noted(error: BaseException) -> CollectorFailure:
    """Return *error* as a failure; where nobody foresaw it, its frames are printed."""
    failure = failure_of(error)
    if isinstance(failure, Bug):
        # Frames only: the message of such an error may quote a row, or a secret.
        traceback.print_tb(error.__traceback__)
    return failure


def _tell(call: Call, outcome: Reported | CollectorFailure) -> None:
    """Tell the callback of *call* what came of the work in the background."""
    if isinstance(outcome, Reported) and outcome.status == 202:
        outcome = BadAnswer("the work of call.later() cannot answer later once more")
    is_good = isinstance(outcome, Reported)
    said = outcome.document if isinstance(outcome, Reported) else outcome.document()
    status = "succeeded" if is_good else "failed"
    if call.callback is not None:
        said = call.tail.with_answer({"status": status, **said})
        deliver(call.callback, encoded(said, call.secrets))


def _log(
    call: Call, outcome: Reported | CollectorFailure, started_s: float, fields: Mapping[str, Any]
) -> None:
    """Print the one line of an attempt. Never a row, never a body."""
    line: dict[str, Any] = {**call.log_fields(), **fields}
    line["duration_seconds"] = round(time.monotonic() - started_s, 3)
    if isinstance(outcome, CollectorFailure):
        line |= {"kind": outcome.kind, "error": str(outcome)}
        words, severity = str(outcome), "ERROR" if isinstance(outcome, Bug) else "WARNING"
    else:
        words, severity = _words(outcome), "INFO"
        line["records"] = outcome.document.get("records")
    log_lines.write(severity, f"{call.collector}: {words}", line, secrets=call.secrets)


def _words(reported: Reported) -> str:
    if reported.status == 202:
        return "accepted, the answer comes later"
    if reported.document["unchanged"]:
        return "unchanged"
    records = reported.document["records"]
    return "done" if records is None else f"{records} records"


def _failed(failure: CollectorFailure, call: Call) -> HttpAnswer:
    headers = {}
    if failure.retry_after_s is not None:
        # The header knows only whole seconds, and too early is worse than too late.
        headers["Retry-After"] = str(int(-(-failure.retry_after_s // 1)))
    said = call.tail.with_answer(failure.document())
    return _http(failure.status, encoded(said, call.secrets), headers)


def _http(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> HttpAnswer:
    kept = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return HttpAnswer(status, body, kept | dict(headers or {}))
