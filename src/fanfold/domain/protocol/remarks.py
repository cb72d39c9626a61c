"""What an answer does that the contract does not ask for, each with the line to change.

The rules of the contract itself stand in :mod:`fanfold.domain.protocol.contract`: this module tells
what a Reply made of them, and what reads well and will be misread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from fanfold.domain.protocol.contract import Reply
from fanfold.domain.protocol.failures import header
from fanfold.domain.protocol.masking import CONTRACT_WORDS
from fanfold.domain.protocol.plain_text import decoded
from fanfold.domain.protocol.strict_json import NotJson, read_json
from fanfold.domain.syntax.text import one_line

#: The keys of an answer, and those of a failure.
_KEYS = (
    *("records", "bytes", "artifacts", "revision", "unchanged", "warnings", "metrics", "log"),
    *("error", "retryable", "retry_after", "accepted", "eta_seconds"),
)

#: Other names by which programs call what the contract names.
_USUAL = {
    "count": "records",
    "rows": "records",
    "total": "records",
    "nb_records": "records",
    "record_count": "records",
    "total_records": "records",
    "size": "bytes",
    "version": "revision",
    "etag": "revision",
    "warning": "warnings",
    "logs": "log",
    "retryafter": "retry_after",
}

#: What is to be written for an answer that counts, and for one that failed.
FOUND = 'return {"records": len(found)}'
FAILED = 'return {"error": "what went wrong"}, 503'


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing outside the contract: ``what`` it is, and the line to write instead (``fix``).

    A remark that ``is_broken`` makes fanfold misread the answer, or fail it.
    """

    what: str
    fix: str
    is_broken: bool = True


def document_of(body: bytes, headers: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Return the JSON object that *body* is, None where it is none."""
    try:
        document = read_json(decoded(body, header(headers, "content-type")))
    except NotJson:
        return None
    return document if isinstance(document, Mapping) else None


def remarks(
    status: int | None, headers: Mapping[str, str], body: bytes, reply: Reply
) -> tuple[Remark, ...]:
    """Return what is outside the contract in an answer of *status*, and in what *reply* says."""
    if status is None:
        failure = reply.failure
        return (Remark(failure.message, _connection_fix(failure.kind)),) if failure else ()
    document = document_of(body, headers)
    found = list(_of_reply(status, reply, document))
    if document is not None:
        if "json" not in header(headers, "content-type").lower():
            what = "the answer is JSON, and its Content-Type does not say so"
            found.append(Remark(what, "Content-Type: application/json", is_broken=False))
        found += _of_keys(document, reply)
    return tuple(found)


def _of_reply(status: int, reply: Reply, document: Mapping[str, Any] | None) -> Iterator[Remark]:
    failure = reply.failure
    if failure is None:
        findings = reply.findings
        if findings is not None and findings.records is None and not findings.unchanged:
            what = "the answer has no record count, so nobody sees a night without records"
            yield Remark(what, FOUND, is_broken=False)
        return
    if 200 <= status < 400 or failure.kind in {"bad_response", "too_large"}:
        yield Remark(failure.message, _fix(failure.kind, failure.message))
    elif document is None or "error" not in document:
        what = f"HTTP {status} comes without a JSON object that says why"
        yield Remark(what, f'return {{"error": "what went wrong"}}, {status}', is_broken=False)
    elif status == 429 and reply.retry_after_s is None:
        what = "HTTP 429 does not say how long to wait"
        yield Remark(what, "Retry-After: 60", is_broken=False)


def _fix(kind: str, message: str) -> str:
    match kind:
        case "reported":
            return FAILED
        case "redirect":
            return message.partition("redirects are not followed: ")[2] or "answer 200"
        case "too_large":
            return "write the data to a bucket and answer its address under artifacts"
        case _ if '"artifacts"' in message or '"warnings"' in message:
            return '"warnings": ["a text"], "artifacts": ["gs://bucket/file"]'
        case _ if '"revision"' in message:
            return '"revision": str(revision)'
        case _ if '"unchanged"' in message or '"accepted"' in message:
            return '"unchanged": True'
        case _ if '"metrics"' in message:
            return '"metrics": {"pages": 40}'
        case _:
            return FOUND


def _connection_fix(kind: str) -> str:
    if kind == "timeout":
        return "answer sooner, or answer 202 and report later: mode: async"
    return "is it started, and is the URL right?"


def _of_keys(document: Mapping[str, Any], reply: Reply) -> Iterator[Remark]:
    """Give the keys that look like keys of the contract, and are none."""
    needs_count = reply.findings is not None and reply.findings.records is None
    for key in document:
        name = str(key)
        if name in CONTRACT_WORDS:
            continue
        meant = _USUAL.get(name.lower().replace("-", "_"), "")
        if not meant:
            meant = next(iter(get_close_matches(name.lower(), _KEYS, n=1, cutoff=0.8)), "")
        if meant and meant not in document:
            is_broken = meant == "records" and needs_count
            what = f'"{one_line(name, 60)}" is no key of the contract, which has "{meant}"'
            yield Remark(what, f'"{meant}": …', is_broken=is_broken)
