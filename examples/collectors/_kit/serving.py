"""From a call to the upstream that it may ask, and the faults that change an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask

from fanfold.collector import Call, Reported, collector

from .faults import GARBAGE, parse_fault, trickle
from .transport import open_session, source
from .upstream import Upstream

#: What an example implements: what to collect, and where to ask for it.
Collect = Callable[[Call, Upstream], Reported]


def asking(name: str) -> Callable[[Collect], Callable[[flask.Request], Any]]:
    """Return the decorator for the function of the collector *name*, which asks an upstream."""

    def made(collect: Collect) -> Callable[[flask.Request], Any]:
        @collector(name=name, health=lambda: {"source": source()})
        def ask(call: Call) -> Reported:
            fault = parse_fault(call.query, source=source())
            session = open_session(name, fault=fault.upstream)
            return collect(call, Upstream(session, deadline=call.deadline))

        def answer(http_request: flask.Request) -> Any:
            return _as_the_fault_wants(http_request, ask(http_request))

        return answer

    return made


def _as_the_fault_wants(http_request: flask.Request, answer: tuple[bytes, int, Any]) -> Any:
    """Return *answer*, or what the two faults of a collector itself make of a good one."""
    body, status, headers = answer
    if http_request.method != "POST" or status != 200:
        return answer
    fault = parse_fault(http_request.args, source=source())
    if fault.name == "garbage":
        return GARBAGE, 200, {"Content-Type": "application/json"}
    if fault.name == "slow":
        trickled = trickle(body, seconds=fault.seconds)
        return trickled, 200, {"Content-Type": "application/json"}
    return body, status, headers
