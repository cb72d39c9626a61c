"""Synchronous answers: what counts, and what breaks the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fanfold.domain.protocol.contract import Reply, read_reply
from fanfold.domain.protocol.findings import ReportedFigures
from fanfold.domain.syntax import limits

JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"content-type": "text/html"}


def answer(document: Any, status: int = 200, headers: dict[str, str] = JSON) -> Reply:
    return read_reply(status, headers, json.dumps(document).encode())


def test_every_key_of_the_contract_is_read() -> None:
    reply = answer(
        {
            "records": 31_874,
            "bytes": 0,
            "artifacts": ["gs://bucket/dvf.parquet"],
            "revision": 'W/"2026-10"',
            "unchanged": True,
            "warnings": ["slow\nupstream"],
            "metrics": {"pages": 12, "ratio": 0.5, "mode": "live", "full": False, "x": None},
            "of_our_own": {"anything": []},
        }
    )

    assert reply == Reply(
        http_status=200,
        findings=ReportedFigures(
            records=31_874,
            bytes=0,
            artifacts=("gs://bucket/dvf.parquet",),
            revision='W/"2026-10"',
            unchanged=True,
            warnings=("slow upstream",),
            metrics={"pages": 12, "ratio": 0.5, "mode": "live", "full": False, "x": None},
        ),
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param({}, b"", id="nothing"),
        pytest.param(JSON, b" \n", id="nothing, as JSON"),
        pytest.param(JSON, b"{}", id="no key"),
        pytest.param(JSON, b'{"status": "ok", "done": [1]}', id="other keys"),
        pytest.param(JSON, b'{"records": null, "warnings": null}', id="null is absent"),
        pytest.param(JSON, b'[{"records": -1}]', id="a list"),
        pytest.param(JSON, b'"done"', id="a text"),
        pytest.param(JSON, b"\xef\xbb\xbf{}", id="a byte order mark"),
        pytest.param({}, b"OK", id="text"),
        pytest.param(HTML, b"<html>done</html>", id="HTML"),
        pytest.param({}, b"\xff\xfe\x00", id="bytes"),
        pytest.param({}, b"{{ template }}", id="text that begins like JSON"),
    ],
)
def test_a_legacy_answer_counts_with_nothing_known(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    assert read_reply(status, headers, body) == Reply(
        http_status=status, findings=ReportedFigures()
    )


def test_a_json_object_is_read_whatever_it_is_called() -> None:
    for headers in ({}, HTML, {"CONTENT-TYPE": "application/vnd.x+json"}):
        assert read_reply(200, headers, b' {"records": 5}\n').findings == ReportedFigures(records=5)


ILLEGAL: dict[str, list[Any]] = {
    "records": [-1, True, 1.0, "5", [], 10**15 + 1, 2**63],
    "bytes": [-1, False, 0.5, "5", {}, 10**15 + 1, 2**63],
    "artifacts": ["x", [1], {}, [None], 0],
    "warnings": ["x", [1], {}, [None], True],
    "revision": [5, True, ["x"], "a\nb", "x" * 501],
    "unchanged": ["true", 1, []],
    "metrics": [[], "x", {"a": {}}, {"a": [1]}],
}
BROKEN = [(key, value) for key, values in ILLEGAL.items() for value in values]


@pytest.mark.parametrize(("key", "value"), BROKEN)
def test_an_illegal_value_breaks_the_contract(key: str, value: Any) -> None:
    for headers in (JSON, HTML):
        reply = answer({"records": 1} | {key: value}, headers=headers)

        assert reply.failure is not None
        assert (reply.failure.kind, reply.failure.retryable) == ("bad_response", False)
        assert f'"{key}"' in reply.failure.message


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"records": "5"}, '"records" is "5", a text, not a whole number'),
        ({"records": 5.0}, '"records" is 5.0, a decimal number, not a whole number'),
        ({"records": True}, '"records" is true, not a whole number'),
        ({"records": -3}, '"records" is -3, less than 0'),
        ({"bytes": 2**63 - 1}, '"bytes" is 9223372036854775807, more than 1,000,000,000,000,000'),
        ({"bytes": [1]}, '"bytes" is [1], a list, not a whole number'),
        ({"unchanged": "no"}, '"unchanged" is "no", a text, not true or false'),
        ({"warnings": "slow"}, '"warnings" is "slow", a text, not a list of texts'),
        ({"artifacts": ["x", 5]}, '"artifacts" holds 5, a whole number, where only texts may'),
        ({"revision": 2026}, '"revision" is 2026, a whole number, not a text'),
        ({"revision": "x" * 501}, '"revision" has 501 characters, more than 500'),
        ({"metrics": 5}, '"metrics" is 5, a whole number, not an object'),
        ({"metrics": {"a": [1]}}, '"a" in "metrics" is [1], a list, not a text, a number, true'),
        ({"records": "9" * 500}, f'"records" is "{"9" * 58}…, a text'),
    ],
)
def test_the_sentence_shows_the_value_that_breaks_the_contract(document: Any, says: str) -> None:
    failure = answer(document).failure

    assert failure is not None
    assert says in failure.message


def test_a_metric_beyond_every_store_is_left_out_and_said_to_be() -> None:
    ns = 1_764_284_400_123_456_789
    metrics = {"took_ns": ns, "rows": 10**15, "down": -(10**15) - 1, "huge": 1e300, "d": 10**400}
    reply = answer({"records": 3, "metrics": metrics, "warnings": ["slow"]})

    assert reply.failure is None
    assert reply.findings is not None
    assert reply.findings.metrics == {"rows": 10**15}
    slow, said = reply.findings.warnings
    assert slow == "slow"
    assert said == (
        f'left out of "metrics", beyond ±1,000,000,000,000,000: "took_ns" ({ns}), '
        '"down" (-1000000000000001), "huge" (1e+300) and 1 more'
    )


def test_a_full_list_of_warnings_keeps_room_for_what_was_left_out() -> None:
    reply = answer({"records": 3, "metrics": {"a": 1e16}, "warnings": ["w"] * 50})

    assert reply.findings is not None
    assert len(reply.findings.warnings) == limits.MAX_WARNINGS
    assert reply.findings.warnings[-1].startswith('left out of "metrics"')


@pytest.mark.parametrize("key", ["records", "bytes"])
def test_a_count_may_be_as_large_as_the_bound(key: str) -> None:
    findings = answer({key: limits.MAX_NUMBER}).findings

    assert findings is not None
    assert getattr(findings, key) == limits.MAX_NUMBER == 10**15


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"records": 1, "records": 2}', "twice"),
        (b'{"records": NaN}', "NaN"),
        (b'{"metrics": {"a": Infinity}}', "Infinity"),
        (b'{"metrics": {"a": 1e999}}', "larger"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "deeper"),
        (b'{"a":' * 100_000, "deeper"),
        (b'{"records": ' + b"9" * 5000 + b"}", "digits"),
    ],
)
def test_a_json_object_that_readers_disagree_about_breaks_the_contract(
    body: bytes, says: str
) -> None:
    for headers in (JSON, {}):
        reply = read_reply(200, headers, body)

        assert reply.failure is not None
        assert reply.failure.kind == "bad_response"
        assert says in reply.failure.message


@pytest.mark.parametrize("body", [b"<html>", b"{", b'{"records": 1', b"\xff", b'{"w": "\xe9"}'])
def test_what_calls_itself_json_and_is_not_breaks_the_contract(body: bytes) -> None:
    reply = read_reply(200, JSON, body)

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("bad_response", False)
    assert read_reply(200, {}, body).findings == ReportedFigures()


def test_findings_are_bounded() -> None:
    reply = answer(
        {
            "warnings": ["w" * 999] * 100,
            "artifacts": ["a" * 9999] * 100,
            "metrics": {f"{n}-{'m' * 999}": "v" * 999 for n in range(100)},
        }
    )

    findings = reply.findings
    assert findings is not None
    assert len(findings.warnings) == limits.MAX_WARNINGS == 20
    assert findings.warnings[0] == "w" * 299 + "…"
    assert findings.warnings[-1] == "… and 81 more"
    assert len(findings.artifacts) == limits.MAX_ARTIFACTS == 50
    assert {len(artifact) for artifact in findings.artifacts[:-1]} == {1000}
    assert len(findings.metrics) == limits.MAX_METRICS == 50
    assert {len(name) for name in findings.metrics} == {100}
    assert {len(value) for value in findings.metrics.values()} == {300}
