"""Whether a collector keeps the contract: what it is asked, and what its answer must look like.

Each check asks in one way and judges what came. A check *fails* where fanfold would misread the
collector, or ask it again in vain; it *warns* where the answer only says less than it could.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fanfold.domain.protocol.contract import Reply
from fanfold.domain.protocol.remarks import document_of, remarks
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import one_line

#: An answer to something cheap that takes longer than this is worth a warning, in seconds.
QUICK_S = 5.0


class Result(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one call. ``status`` is None where no answer came; ``seconds`` its length.

    ``is_leak`` tells whether the answer repeats a secret of the request.
    """

    status: int | None
    headers: Mapping[str, str]
    body: bytes
    reply: Reply
    seconds: float = 0.0
    is_leak: bool = False

    @property
    def document(self) -> Mapping[str, Any]:
        """The JSON object of the answer, or an empty one."""
        return document_of(self.body, self.headers) or {}

    @property
    def works(self) -> bool:
        """Whether the collector did its work, or took it on."""
        return self.reply.accepted or self.reply.findings is not None

    @property
    def words(self) -> str:
        """What came, in a few words."""
        if self.status is None:
            failure = self.reply.failure
            return one_line(failure.message if failure else "no answer", 200)
        said = self.document.get("error")
        return f"HTTP {self.status}" + (f": {one_line(said, 120)}" if isinstance(said, str) else "")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be said of a check: what came, and the line to change where it is not right."""

    result: Result
    said: str
    fix: str = ""


def _passed(said: str) -> Judgement:
    return Judgement(Result.PASSED, said)


def _warned(said: str, fix: str) -> Judgement:
    return Judgement(Result.WARNED, said, fix)


def _failed(said: str, fix: str) -> Judgement:
    return Judgement(Result.FAILED, said, fix)


#: What is to be done about a call that failed as the contract says.
SUCCEED = "answer this call with a success: --param gives it parameters that it can work with"


def answer(heard: Heard) -> Judgement:
    """Judge the answer to a call as in a run."""
    told = remarks(heard.status, heard.headers, heard.body, heard.reply)
    failure = heard.reply.failure
    for each in sorted(told, key=lambda one: not one.is_broken):
        judged = _failed if each.is_broken or failure is not None else _warned
        return judged(each.what, each.fix)
    if failure is not None:
        return _failed(f"it did not succeed: {failure.message}", SUCCEED)
    if heard.reply.accepted:
        return _passed("accepted, the answer comes later")
    return _passed("an answer that keeps the contract")


def secrecy(all_heard: list[Heard]) -> Judgement:
    """Judge whether any answer repeats the callback's token or the credential of the request."""
    if any(each.is_leak for each in all_heard):
        what = "an answer repeats the callback's token, or the credential of the request"
        return _failed(what, "do not echo the request: answer only what was found")
    return _passed("no answer repeats the callback's token or the credential")


#: What a call that is under way already is answered.
UNDER_WAY = (
    'return {"error": "under way", "retryable": true, "retry_after": 15}, 409, '
    '{"Retry-After": "15"}'
)


def duplicate(first: Heard, second: Heard) -> Judgement:
    """Judge two equal calls side by side, with the same ``Idempotency-Key``."""
    for one in (first, second):
        if one.status == 409:
            failure = one.reply.failure
            if failure is None or not failure.retryable:
                return _failed("409 ends the collector as failed without retryable", UNDER_WAY)
            if one.reply.retry_after_s is None:
                return _warned("409 does not say how long to wait", UNDER_WAY)
    refused = [one for one in (first, second) if one.status == 409]
    odd = [one for one in (first, second) if not one.works and one.status != 409]
    if odd:
        said = f"two calls at once broke one of them: {odd[0].words}"
        return _failed(said, f"keep no state between calls, or {UNDER_WAY}")
    if len(refused) == 2:
        return _failed("both of two equal calls were refused", UNDER_WAY)
    if refused:
        return _passed("the second of two equal calls is answered 409, to be tried again")
    counts = {one.reply.findings.records for one in (first, second) if one.reply.findings}
    if len(counts) > 1:
        said = f"two equal calls found {' and '.join(sorted(map(str, counts)))} records"
        return _failed(said, "the same Idempotency-Key and params must find the same")
    return _passed("both of two equal calls found the same")


def again(heard: Heard) -> Judgement:
    """Judge the second attempt of a call that was answered."""
    if heard.works:
        return _passed("a second attempt with the same Idempotency-Key works")
    fix = "forget the Idempotency-Key when its call ends, whatever came of it (try … finally)"
    return _failed(f"a second attempt does not work: {heard.words}", fix)


def newer(heard: Heard) -> Judgement:
    """Judge a call with keys that a newer fanfold may send."""
    if heard.works:
        return _passed("keys that it does not know change nothing")
    fix = "ignore keys that you do not know"
    return _failed(f"a key that it does not know breaks it: {heard.words}", fix)


def without_params(heard: Heard) -> Judgement:
    """Judge a call with ``params: {}``."""
    fix = 'return {"error": "params has no …", "kind": "bad_params"}, 400'
    if heard.works:
        return _passed("it works without parameters")
    return _refusal(heard, "a call without parameters", fix)


def bad_json(heard: Heard) -> Judgement:
    """Judge a call whose body is no JSON."""
    fix = 'return {"error": "the body is no JSON", "kind": "bad_request"}, 400'
    if heard.works:
        return _warned("a body that is no JSON is worked on", fix)
    return _refusal(heard, "a body that is no JSON", fix)


def _refusal(heard: Heard, what: str, fix: str) -> Judgement:
    """Judge an answer that should say that the call makes no sense, now or later."""
    failure = heard.reply.failure
    if heard.status is None:
        return _failed(f"{what} gets no answer: {heard.words}", fix)
    if failure is not None and failure.retryable:
        return _failed(f"{what} is answered {heard.words}, which a run tries again in vain", fix)
    if heard.status < 400:
        return _failed(f"{what} is answered {heard.words}", fix)
    if not isinstance(heard.document.get("error"), str):
        return _warned(f"{what} is answered {heard.words}, without a reason", fix)
    return _passed(f"{what} is answered {heard.words}")


def past_deadline(heard: Heard) -> Judgement:
    """Judge a call whose deadline is over."""
    fix = 'if the "deadline" of the body is over: return {"error": "too late"}, 504'
    if heard.works:
        return _warned("it works although its deadline is over, and nobody takes the answer", fix)
    if heard.status is None:
        return _failed(f"a call whose deadline is over gets no answer: {heard.words}", fix)
    return _passed(f"a call whose deadline is over is answered {heard.words}")


def slow(first: Heard, heard: Heard) -> Judgement:
    """Judge the answer to a reader that takes it slowly, beside the *first* answer."""
    fix = "do not cut a connection that is read slowly: set the server's timeouts above 30 s"
    if heard.works or heard.status == first.status:
        return _passed("a slow reader gets the whole answer")
    return _failed(f"a slow reader gets {heard.words}", fix)


#: How other verbs are kept from starting the work.
ONLY_POST = 'if request.method != "POST": return {"error": "send a POST"}, 405'


def other_verb(verb: str) -> Callable[[Heard], Judgement]:
    """Return the judge of a call by another *verb* than POST: it must not start the work."""

    def judge(heard: Heard) -> Judgement:
        if heard.status is None:
            return _failed(f"{verb} gets no answer: {heard.words}", ONLY_POST)
        if heard.status >= 500 and heard.status not in {501, 505}:
            return _warned(f"{verb} is answered {heard.words}", ONLY_POST)
        if heard.works and "records" in heard.document:
            said = f"{verb} starts the work: a health check or a crawler would, too"
            return _warned(said, ONLY_POST)
        if heard.seconds > QUICK_S:
            return _warned(f"{verb} is answered after {duration(heard.seconds)}", ONLY_POST)
        return _passed(f"{verb} is answered {heard.words}")

    return judge
