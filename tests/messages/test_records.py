"""Values to JSON documents and back."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import START, a_job, a_run, after, an_answer, an_attempt, entry

from fanfold.domain.model.collector import Auth, AuthKind, CollectorHistory, Expect, Severity
from fanfold.domain.model.errors import BadMessage
from fanfold.domain.model.run import (
    Answer,
    Attempt,
    CheckedExpectation,
    Entry,
    Failure,
    Job,
    LateAnswer,
    Lease,
    Run,
    RunFigures,
    Skip,
)
from fanfold.domain.model.states import Outcome, Phase, RunStatus
from fanfold.messages import records

LEASE = Lease("r1", "dvf", 3, "h", 2, START, after(90))
FULL_ANSWER = an_answer(
    "dvf",
    outcome=Outcome.FAILED,
    start_time=START,
    queued_s=1.5,
    artifacts=("a",),
    metrics={"n": {"deep": [1, None]}},
    error=Failure("http", "HTTP 503", retryable=True),
    expectations=(CheckedExpectation("max_drop", {"median": 3.5}, 1, ok=False, severity="warn"),),
    attempts=(an_attempt(1, "retry", error=Failure("http", "x")), an_attempt(2)),
)

EXAMPLES = [
    pytest.param(a_run(phase=Phase.FINAL, verdict=RunStatus.FAILED, summary={"n": 1}), id="run"),
    pytest.param(a_run(scheduled_for=None), id="run without a slot"),
    pytest.param(entry("dvf", skip="not_due", tags=("a",), params={"x": [1]}), id="entry"),
    pytest.param(
        replace(
            entry("dvf", auth=Auth(AuthKind.HEADER, {"X": "${secret:k}"})),
            skip=Skip("not_due", START),
            past=CollectorHistory((1, None), (0.5,), "sf", "rev", START),
        ),
        id="entry with a past",
    ),
    pytest.param(
        entry(
            "d",
            expect=(
                Expect("min_records", 40.0, Severity.FAIL),
                Expect("not_exactly", (0, 9), Severity.WARN),
            ),
        ),
        id="entry with expectations",
    ),
    pytest.param(a_job("dvf", lease=LEASE, attempts=(an_attempt(),), progress={"f": 1}), id="job"),
    pytest.param(FULL_ANSWER, id="answer"),
    pytest.param(LateAnswer(FULL_ANSWER, after(99)), id="late evidence"),
    pytest.param(RunFigures("dvf", "s", START, 1, 2.0, "r"), id="figures"),
]


@pytest.mark.parametrize("value", EXAMPLES)
def test_what_is_dumped_is_loaded(value: Any) -> None:
    document = json.loads(json.dumps(records.dump(value)))

    assert records.load(type(value), document) == value


@pytest.mark.parametrize("value", EXAMPLES)
def test_what_is_encoded_is_decoded(value: Any) -> None:
    text = records.encode(value)

    assert json.loads(text) == records.dump(value)
    assert records.decode(type(value), text) == value


@pytest.mark.parametrize("value", EXAMPLES)
def test_a_newer_versions_keys_are_left_out(value: Any) -> None:
    document = records.dump(value) | {"a_key_of_tomorrow": 1}

    assert records.load(type(value), document) == value


@pytest.mark.parametrize("kind", [Run, Entry, Job, Answer, Attempt, RunFigures])
def test_an_older_versions_document_takes_the_defaults(kind: type) -> None:
    examples = {type(each.values[0]): each.values[0] for each in EXAMPLES}
    value: Any = examples.get(kind, an_attempt())
    document = records.dump(value)
    optional = {
        each.name
        for each in fields(kind)
        if each.default is not MISSING or each.default_factory is not MISSING
    }
    old = {name: each for name, each in document.items() if name not in optional}

    loaded: Any = records.load(kind, old)
    for each in fields(kind):
        if each.name not in optional:
            assert getattr(loaded, each.name) == getattr(value, each.name)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"outcome": "perhaps"}, id="no such word"),
        pytest.param({"outcome": None}, id="null where a word must be"),
        pytest.param({"end_time": "2026-11-23T02:15:00"}, id="an instant without an offset"),
        pytest.param(
            {"end_time": "0001-01-01T00:00:00+14:00"}, id="an instant before the calendar"
        ),
        pytest.param({"end_time": 17}, id="a number for an instant"),
        pytest.param({"records": "10"}, id="text for a count"),
        pytest.param({"records": True}, id="a truth for a count"),
        pytest.param({"records": 1.5}, id="a fraction for a count"),
        pytest.param({"attempts": {}}, id="an object for a list"),
        pytest.param({"attempts": [[]]}, id="a list for an object"),
        pytest.param({"metrics": []}, id="a list for a map"),
        pytest.param({"run_id": None}, id="null for a text"),
        pytest.param({"error": "HTTP 500"}, id="a text for an error"),
    ],
)
def test_what_does_not_describe_an_answer_is_a_bad_message(broken: dict[str, Any]) -> None:
    document = records.dump(FULL_ANSWER) | broken

    with pytest.raises(BadMessage, match=r"not an Answer: .+"):
        records.load(Answer, document)


def test_a_stored_text_that_describes_none_is_a_bad_message() -> None:
    for text in ("", "{", "[]", "{}", '{"run_id": 1}', "\ud800"):
        with pytest.raises(BadMessage, match=r"not an Answer: .+"):
            records.decode(Answer, text)


def test_an_instant_is_written_in_utc_to_the_microsecond() -> None:
    """Stored texts of instants are compared as texts: every one has the same length."""
    paris = timezone(timedelta(hours=1))
    attempt = replace(an_attempt(), start_time=START.astimezone(paris), end_time=after(0.25))

    document = records.dump(attempt)

    assert document["start_time"] == "2026-11-23T02:15:00.000000Z"
    assert document["end_time"] == "2026-11-23T02:15:00.250000Z"


def test_an_instant_of_firestores_client_is_written_like_any_other() -> None:
    class WithNanoseconds(datetime):
        """What google.api_core makes of a timestamp."""

    own = WithNanoseconds(2026, 11, 23, 2, 15, tzinfo=UTC)
    assert records.dump(replace(an_attempt(), start_time=own)) == records.dump(
        replace(an_attempt(), start_time=START)
    )


def test_what_has_no_json_is_an_error_with_its_type() -> None:
    with pytest.raises(TypeError, match="no JSON for a object"):
        records.dump(replace(FULL_ANSWER, metrics={"n": object()}))


@pytest.mark.parametrize("document", [None, [], "x", 1, {}, {"run_id": "r"}])
def test_what_is_no_document_is_a_bad_message(document: Any) -> None:
    with pytest.raises(BadMessage):
        records.load(Answer, document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([each.name for each in fields(Answer)]), JSON)
def test_any_value_in_any_field_is_loaded_or_a_bad_message(name: str, value: Any) -> None:
    try:
        loaded = records.load(Answer, records.dump(FULL_ANSWER) | {name: value})
    except BadMessage:
        return
    assert records.load(Answer, records.dump(loaded)) == loaded


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_comes_back_to_the_microsecond(at: datetime) -> None:
    assert records.instant(records.instant_text(at)) == at


def test_an_instant_may_be_written_in_any_zone() -> None:
    assert records.instant("2026-11-23T03:15:00+01:00") == START
    assert records.instant("2026-11-23T02:15:00.123456789Z") == START.replace(microsecond=123456)


def test_an_expectation_of_an_older_manifest_counts_as_a_default() -> None:
    stored = records.dump(Expect("min_records", 40, Severity.FAIL, written=True))
    older = {key: value for key, value in stored.items() if key != "written"}

    assert records.load(Expect, stored).written
    assert records.load(Expect, older) == Expect("min_records", 40, Severity.FAIL)


#: Threads that meet a new class at once; it crashed the process, so a process of its own tries it.
TOGETHER = """
import sys
from dataclasses import make_dataclass
from threading import Barrier, Thread

from fanfold.messages import records

read = []
sys.setswitchinterval(1e-6)
for _ in range(100):
    inner = make_dataclass("Inner", [("a", int), *((f"f{n}", int, 0) for n in range(30))])
    more = [(f"g{n}", inner | None, None) for n in range(20)]
    outer = make_dataclass("Outer", [("x", inner), *more])
    ready = Barrier(6)

    def look():
        ready.wait()
        read.append(READ)

    threads = [Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert read == [1] * 600
"""


@pytest.mark.parametrize(
    "read",
    [
        """records.decode(outer, '{"x": {"a": 1}}').x.a""",
        """records.load(outer, {"x": {"a": 1}}).x.a""",
    ],
)
def test_threads_that_meet_a_class_for_the_first_time_crash_nothing(read: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TOGETHER.replace("READ", read)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
