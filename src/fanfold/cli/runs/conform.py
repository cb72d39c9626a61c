"""Plays the contract at a collector: each check asks in one way, and judges what came."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from fanfold.adapters.http.traced import AS_IN_A_RUN, Traced, Variation
from fanfold.cli.output.checked import Check
from fanfold.cli.runs.probe import Prober
from fanfold.domain.protocol import conformance
from fanfold.domain.protocol.conformance import Heard, Judgement, Result
from fanfold.domain.protocol.contract import Call, Progress, read_completion, request_body

#: How long the work of a call that was accepted may take before the next check, in seconds.
LATER_S = 60.0

#: How long a collector may be busy with a call that it has answered, in seconds.
DONE_S = 2.0

#: How far back the deadline of a call lies that comes too late.
TOO_LATE = timedelta(minutes=5)


@dataclass(slots=True)
class Conformance:
    """Plays the contract at the collector of *prober*. Each call has a run's key of its own."""

    prober: Prober
    heard: list[Heard] = field(default_factory=list)
    _number: int = 0

    def checks(self) -> Iterator[Check]:
        """Give the checks as they are made, each once.

        Of a collector that does not succeed only those are made that ask for no success; of one
        that gives no answer at all, none.
        """
        first = self._hear("a call as in a run", self._call())
        yield _check("answer", "a call as in a run", conformance.answer(first), first)
        if first.works:
            self._settle(first)
            yield from self._repeated()
            yield from self._as_ever(first)
        if first.status is not None:
            yield from self._refused()
            yield Check("secrecy", _NAMES["secrecy"], conformance.secrecy(self.heard))

    def _repeated(self) -> Iterator[Check]:
        """Give the checks that ask the same more than once."""
        call = self._call()
        both = self._side_by_side(_NAMES["duplicate"], call)
        yield _check("duplicate", _NAMES["duplicate"], conformance.duplicate(*both), both[1])
        if not self._settle(*both):
            yield _skipped("again", "its work in the background goes on")
            return
        second = self._hear_when_done(_NAMES["again"], replace(call, attempt=2))
        self._settle(second)
        yield _check("again", _NAMES["again"], conformance.again(second), second)

    def _as_ever(self, first: Heard) -> Iterator[Check]:
        """Give the checks that a collector answers as it answered the *first* call."""
        call = self._call()
        yield from self._one("newer", conformance.newer, {**request_body(call), "of_a_newer": {}})
        late = replace(call, deadline=call.deadline - timedelta(seconds=call.timeout_s) - TOO_LATE)
        yield from self._one("deadline", conformance.past_deadline, None, call=late)
        slow = Variation(is_slow=True)
        yield from self._one(
            "slow", lambda heard: conformance.slow(first, heard), None, variation=slow
        )

    def _refused(self) -> Iterator[Check]:
        """Give the checks that a collector refuses, as a rule."""
        call = self._call()
        if self.prober.target.spec.params:
            body = {**request_body(call), "params": {}}
            yield from self._one("params", conformance.without_params, body)
        else:
            yield _skipped("params", "no parameters are configured; --param gives some")
        yield from self._one("bad_json", conformance.bad_json, b'{"run_id": ')
        for verb in ("HEAD", "GET", "PUT"):
            judge = conformance.other_verb(verb)
            yield from self._one(verb.lower(), judge, None, variation=Variation(method=verb))

    def _one(
        self,
        name: str,
        judge: Callable[[Heard], Judgement],
        body: Mapping[str, Any] | bytes | None,
        *,
        call: Call | None = None,
        variation: Variation = AS_IN_A_RUN,
    ) -> Iterator[Check]:
        """Give the check *name*: a call, with *body* where it is not the call's own, and judged."""
        if body is not None:
            sent = body if isinstance(body, bytes) else json.dumps(body).encode()
            variation = replace(variation, body=sent)
        heard = self._hear(_NAMES[name], call or self._call(), variation)
        self._settle(heard)
        yield _check(name, _NAMES[name], judge(heard), heard)

    def _call(self) -> Call:
        """Return a call as in a run of its own."""
        self._number += 1
        granted = self.prober.grant()
        call, _ = self.prober.call_of(granted)
        return replace(call, run_id=f"{call.run_id}-{self._number}")

    def _hear(self, what: str, call: Call, variation: Variation = AS_IN_A_RUN) -> Heard:
        return self._noted(self.prober.watched(what, lambda: self.prober.trace(call, variation)))

    def _hear_when_done(self, what: str, call: Call) -> Heard:
        """Return what is answered once the work of an equal call is over.

        Its callback may come a moment before the collector is done with its key.
        """
        heard = self._hear(what, call)
        left = int(DONE_S / 0.1)
        while heard.status == HTTPStatus.CONFLICT and left > 0:
            self.prober.check_stopped()
            left -= 1
            time.sleep(0.1)
            heard = self._hear(what, call)
        return heard

    def _side_by_side(self, what: str, call: Call) -> tuple[Heard, Heard]:
        def both() -> list[Traced]:
            with ThreadPoolExecutor(2) as pool:
                return list(pool.map(self.prober.trace, (call, call)))

        first, second = (self._noted(each) for each in self.prober.watched(what, both))
        return first, second

    def _noted(self, traced: Traced) -> Heard:
        heard = Heard(
            status=traced.status,
            headers=traced.headers,
            body=traced.body.encode("utf-8", "replace"),
            reply=traced.reply,
            seconds=traced.phases.total,
            is_leak=traced.is_leak,
        )
        self.heard.append(heard)
        return heard

    def _settle(self, *heard: Heard) -> bool:
        """Return whether what was accepted is done, after a wait for its callback."""
        listener = self.prober.listener
        open_calls = sum(each.reply.accepted for each in heard)
        left = int(LATER_S / 0.1)
        while open_calls and listener is not None and left > 0:
            self.prober.check_stopped()
            left -= 1
            try:
                body = listener.said.get(timeout=0.1)
            except queue.Empty:
                continue
            open_calls -= not isinstance(read_completion(body), Progress)
        return not open_calls


#: What each check asks, by name, in the order in which they are made.
_NAMES = {
    "duplicate": "two equal calls at once, with the same Idempotency-Key",
    "again": "the second attempt of a call that was answered",
    "newer": "a key that a newer fanfold may send",
    "params": "a call without parameters",
    "bad_json": "a body that is no JSON",
    "deadline": "a deadline that is over",
    "slow": "an answer that is read slowly",
    "head": "HEAD instead of POST",
    "get": "GET instead of POST",
    "put": "PUT instead of POST",
    "secrecy": "secrets of the request in the answers",
}


def _skipped(name: str, why: str) -> Check:
    return Check(name, _NAMES[name], Judgement(Result.SKIPPED, f"not made: {why}"))


def _check(name: str, asked: str, judged: Judgement, heard: Heard) -> Check:
    return Check(name, asked, judged, heard.status, heard.seconds)
