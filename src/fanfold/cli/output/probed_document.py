"""A probe for programs, as ``fanfold probe --format json`` prints it."""

from __future__ import annotations

from typing import Any

from fanfold import __version__
from fanfold.cli.output.probed import (
    PHASES,
    Probed,
    excerpt,
    is_good,
    outcome_word,
    parsed,
    remarks_of,
)
from fanfold.domain.model.run import Answer, CheckedExpectation
from fanfold.domain.rules.attempt import Retry
from fanfold.domain.syntax.text import one_line


def probe_document(probed: Probed) -> dict[str, Any]:
    """Return the document of a probe; every key is always there, null where empty."""
    traced, follows = probed.traced, probed.follows
    answer = follows if isinstance(follows, Answer) else None
    error = answer.error if answer else traced.reply.failure
    headers = dict(traced.headers)
    return {
        "collector": probed.granted.entry.spec.name,
        "url": traced.url or None,
        "ok": is_good(probed),
        "outcome": outcome_word(probed),
        "error": None if error is None else one_line(error.message),
        "error_kind": None if error is None else error.kind,
        "request": {
            "method": traced.method or None,
            "headers": dict(traced.request),
            "body": parsed(traced.request_body),
        },
        "way_out": {
            "proxy": traced.proxy[0] or None,
            "proxy_from": traced.proxy[1] or None,
            "certificates": traced.authorities[0] or None,
            "certificates_from": traced.authorities[1] or None,
            "address": traced.address or None,
        },
        "seconds": {each: _rounded(getattr(traced.phases, each)) for each in (*PHASES, "total")},
        "answer": {
            "status": traced.status,
            "headers": headers,
            "bytes": traced.size_bytes,
            "body": excerpt(traced.body),
        },
        "records": answer.records if answer else None,
        "bytes": answer.bytes if answer else None,
        "revision": answer.revision if answer else None,
        "unchanged": answer.unchanged if answer else False,
        "expectations": [_expectation(each) for each in answer.expectations] if answer else [],
        "warnings": list(answer.warnings) if answer else [],
        "log": list(traced.reply.log if answer is None else answer.log),
        "retry": _retry_document(probed),
        "remarks": [
            {"what": each.what, "fix": each.fix, "is_broken": each.is_broken}
            for each in remarks_of(traced)
        ],
        "fanfold": __version__,
    }


def _retry_document(probed: Probed) -> dict[str, Any] | None:
    follows = probed.follows
    if not isinstance(follows, Retry):
        return None
    return {
        "least_seconds": round(follows.wait_s, 3),
        "most_seconds": round(probed.longest_wait_s, 3),
        "attempt": follows.attempt.number + 1,
        "attempts": probed.granted.entry.spec.max_attempts,
    }


def _expectation(checked: CheckedExpectation) -> dict[str, Any]:
    return {
        "name": checked.name,
        "expected": checked.expected,
        "actual": checked.actual,
        "ok": checked.ok,
        "severity": str(checked.severity),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
