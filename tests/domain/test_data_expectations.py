"""Success judged by data: how old they are, and which columns they have."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fanfold.domain.model.collector import CollectorHistory, Expect, Severity
from fanfold.domain.model.run import CheckedExpectation, RunFigures
from fanfold.domain.protocol.columns import changes_between, remembered
from fanfold.domain.protocol.contract import read_reply
from fanfold.domain.protocol.findings import ReportedFigures
from fanfold.domain.rules.expectations import check, checked_words, failure, returned_words
from fanfold.domain.rules.history import history_of

NOW = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)
A_WEEK = 7 * 86_400.0

COLUMNS = [{"name": "code", "type": "text"}, {"name": "price", "type": "int"}]


def said(**keys: Any) -> ReportedFigures:
    """Return what is read of an answer with these keys."""
    reply = read_reply(200, {}, json.dumps({"records": 3, **keys}).encode())
    assert reply.findings is not None, reply.failure
    return reply.findings


def refused(**keys: Any) -> str:
    reply = read_reply(200, {}, json.dumps({"records": 3, **keys}).encode())
    assert reply.failure is not None
    assert reply.failure.kind == "bad_response"
    return reply.failure.message.removeprefix("the answer breaks the contract: ")


def held(
    name: str, value: Any, findings: ReportedFigures, before: ReportedFigures | None = None
) -> CheckedExpectation | None:
    past = CollectorHistory(schema=None if before is None else remembered(before.schema))
    expects = [Expect(name, value, Severity.FAIL, written=True)]
    made = check(expects, findings, past, now=NOW, seconds=1.0)
    assert all(checked_words(each) for each in made)
    assert all(
        returned_words(each.name, each.expected, each.actual) for each in made if not each.ok
    )
    return made[0] if made else None


def sentence(checked: CheckedExpectation | None) -> str:
    broken = failure([] if checked is None else [checked])
    return "" if broken is None else broken.message


@pytest.mark.parametrize(
    ("until", "says"),
    [
        ("2026-11-20", ""),
        ("2026-11-16T02:15:00Z", ""),
        ("2026-11-16T02:14:00Z", "expected data at most 7d00h old, got 7d00h"),
        ("2026-10-23", "expected data at most 7d00h old, got 31d02h"),
        ("2027-01-01", ""),
    ],
)
def test_data_are_as_old_as_the_date_up_to_which_they_reach(until: str, says: str) -> None:
    assert sentence(held("max_date_age", A_WEEK, said(data_until=until))) == says
    # That nothing changed makes old data no younger.
    unchanged = said(data_until=until, unchanged=True)
    assert sentence(held("max_date_age", A_WEEK, unchanged)) == says


def test_data_without_a_date_break_what_somebody_wrote() -> None:
    told = sentence(held("max_date_age", A_WEEK, said()))
    assert told == "expected data at most 7d00h old, got no data_until"
    assert held("max_date_age", A_WEEK, said(unchanged=True)) is None


@pytest.mark.parametrize("value", [5, True, ["2026-11-20"], "yesterday", "", "2026-13-40"])
def test_what_is_no_date_breaks_the_contract(value: Any) -> None:
    assert refused(data_until=value).startswith('"data_until" is ')


def test_the_same_columns_in_another_order_are_the_same() -> None:
    checked = held("schema", 0, said(schema=COLUMNS[::-1]), said(schema=COLUMNS))
    assert checked is not None
    assert (checked.ok, checked.expected, checked.actual) == (True, "unchanged", "unchanged")


def test_a_change_says_which_columns_came_went_and_changed() -> None:
    after = [{"name": "code", "type": "int"}, {"name": "town", "type": "text"}]
    checked = held("schema", 0, said(schema=after), said(schema=COLUMNS))
    assert sentence(checked) == (
        "expected the columns of the last success, got others: "
        "came: town (text); went: price (int); changed: code (text to int)"
    )
    assert checked is not None
    assert checked.actual == {
        "came": ["town (text)"], "went": ["price (int)"], "changed": ["code (text to int)"],
    }  # fmt: skip


def test_many_changes_are_named_within_reason() -> None:
    after = [{"name": f"c{number}"} for number in range(50)]
    checked = held("schema", 0, said(schema=after), said(schema=COLUMNS))
    assert checked is not None
    assert checked.actual["came"][-1] == "40 more"


def test_a_hash_says_that_something_changed() -> None:
    assert sentence(held("schema", 0, said(schema="b2"), said(schema="a1"))) == (
        "expected the columns of the last success, got others: another hash"
    )
    assert sentence(held("schema", 0, said(schema="a1"), said(schema="a1"))) == ""
    assert "another hash" in sentence(held("schema", 0, said(schema=COLUMNS), said(schema="a1")))


def test_the_first_schema_is_accepted_and_a_missing_one_is_broken() -> None:
    assert held("schema", 0, said(schema=COLUMNS)) is None
    told = sentence(held("schema", 0, said(), said(schema=COLUMNS)))
    assert told == "expected the columns of the last success, got no schema"
    assert held("schema", 0, said(unchanged=True), said(schema=COLUMNS)) is None


def test_a_large_schema_is_remembered_by_its_digest() -> None:
    wide = [{"name": f"column_{number}", "type": "text"} for number in range(500)]
    large = said(schema=wide)
    kept = remembered(large.schema)
    assert kept is not None
    assert kept.startswith('"sha256:')
    assert changes_between(kept, large.schema or "") is None
    assert "another hash" in sentence(held("schema", 0, said(schema=wide[1:]), large))


@pytest.mark.parametrize(
    "value",
    [5, True, {"code": "text"}, ["code"], [{"type": "int"}], [{"name": ""}], [{"name": 5}],
     [{"name": "a", "type": 5}], [{"name": "a"}, {"name": "a"}], [{"name": "c"}] * 3_000],
)  # fmt: skip
def test_what_is_no_schema_breaks_the_contract(value: Any) -> None:
    assert '"schema"' in refused(schema=value)


def test_the_last_accepted_schema_is_that_of_a_success() -> None:
    def ran(day: int, outcome: str, schema: str | None) -> RunFigures:
        return RunFigures(
            "dvf", outcome, datetime(2026, 11, day, tzinfo=UTC), 1, 1.0, schema=schema
        )

    past = [ran(1, "s", '"a"'), ran(2, "s", None), ran(3, "f", '"b"')]
    assert history_of(past).schema == '"a"'
    assert history_of([*past, ran(4, "s", '"c"')]).schema == '"c"'


def test_a_warning_fails_nobody() -> None:
    warns = [Expect("schema", 0, Severity.WARN, written=True)]
    past = CollectorHistory(schema='"a1"')
    made = check(warns, said(schema="b2"), past, now=NOW, seconds=1.0)
    assert failure(made) is None
    assert replace(made[0], ok=True) != made[0]
