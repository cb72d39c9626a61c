"""What a collector's function returns or raises, and how fanfold reads it."""

from __future__ import annotations

import email.message
import re
import sys
import threading
import urllib.error
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from tests.collector.conftest import Got, posted

from fanfold.collector import Call, CollectorFailure, GiveUp, OutOfTime, TryLater, collector
from fanfold.collector.answer import Reported
from fanfold.domain.protocol.contract import Reply, read_reply
from fanfold.domain.protocol.findings import ReportedFigures

PREVIOUS = {"revision": "r1", "records": 7}


def answered(collect: Callable[[Call], Any], **body: Any) -> Got:
    return posted(collector(collect), body)


def read(got: Got) -> Reply:
    """Return what fanfold makes of an answer."""
    return read_reply(got.status, got.headers, got.body)


def raising(error: BaseException) -> Got:
    def dvf(_call: Call) -> Any:
        raise error

    return answered(dvf)


def test_what_was_found_is_what_fanfold_reads() -> None:
    def dvf(call: Call) -> Any:
        call.warn("3 rows without a date")
        return call.found(
            records=5, bytes=10, revision="r2", artifacts=["gs://a/b"], metrics={"pages": 2.5}
        )

    assert read(answered(dvf)).findings == ReportedFigures(
        records=5,
        bytes=10,
        revision="r2",
        artifacts=("gs://a/b",),
        warnings=("3 rows without a date",),
        metrics={"pages": 2.5},
    )


def test_unchanged_repeats_the_last_success_unless_it_is_told_otherwise() -> None:
    same = read(answered(lambda call: call.unchanged(), previous=PREVIOUS)).findings
    other = read(answered(lambda call: call.unchanged(records=9), previous=PREVIOUS)).findings

    assert same == ReportedFigures(records=7, revision="r1", unchanged=True)
    assert other == ReportedFigures(records=9, revision="r1", unchanged=True)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "records": st.integers(0, 10**15),
            "bytes": st.integers(0, 10**15),
            "artifacts": st.lists(st.text(max_size=50), max_size=5),
            "metrics": st.dictionaries(
                st.text(max_size=20),
                st.integers(-(10**15), 10**15) | st.floats(-1e9, 1e9) | st.text() | st.none(),
                max_size=5,
            ),
        },
    )
)
def test_whatever_found_takes_fanfold_takes(figures: Any) -> None:
    reply = read(answered(lambda call: call.found(**figures)))

    assert reply.failure is None, figures


class Whole:
    """A whole number of another library."""

    def __index__(self) -> int:
        return 12


def test_whole_numbers_of_other_libraries_are_whole_numbers() -> None:
    number: Any = Whole()
    findings = read(answered(lambda call: call.found(records=number, metrics={"n": Whole()})))

    assert findings.findings == ReportedFigures(records=12, metrics={"n": 12})


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        pytest.param(lambda _: None, "returned NoneType", id="nothing"),
        pytest.param(lambda _: {"records": 5}, "returned dict", id="a dictionary"),
        pytest.param(lambda call: call.found(records="5"), "not '5'", id="a text"),
        pytest.param(lambda call: call.found(records=-1), "not '-1'", id="less than 0"),
        pytest.param(lambda call: call.found(records=1.5), "not '1.5'", id="a fraction"),
        pytest.param(lambda call: call.found(records=True), "not 'True'", id="a boolean"),
        pytest.param(lambda call: call.found(record=5), "no 'record'", id="a misspelt key"),
        pytest.param(lambda call: call.found(artifacts="gs://a"), "list of texts", id="one text"),
        pytest.param(lambda call: call.found(revision=5), "'revision'", id="a number"),
        pytest.param(lambda call: call.found(metrics={"a": float("nan")}), "JSON", id="NaN"),
        pytest.param(lambda call: call.found(metrics={"a": object()}), "JSON", id="an object"),
    ],
)
def test_an_answer_that_cannot_be_is_a_failure_that_says_what_to_change(
    returned: Callable[[Call], Any], words: str
) -> None:
    got = answered(returned)

    assert (got.status, got.json["kind"], got.json["retryable"]) == (500, "bad_answer", False)
    assert words in got.json["error"]


def http_error(status: int, **headers: str) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    response.url = "https://api.insee.fr/siret?key=hidden-key"
    response.headers.update(headers)
    return requests.HTTPError("https://api.insee.fr/siret?key=hidden-key", response=response)


def by_urllib(status: int) -> urllib.error.HTTPError:
    headers = email.message.Message()
    headers["Retry-After"] = "9"
    return urllib.error.HTTPError("http://here/?key=hidden-key", status, "no", headers, None)


class Quota(CollectorFailure):
    """A failure of a collector's own."""

    status = 429
    kind = "quota"
    retryable = True


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TryLater("busy", retry_after_s=1.5), (503, "upstream_unavailable", True, 1.5, "busy")),
        (GiveUp("withdrawn", kind="gone"), (424, "gone", False, None, "withdrawn")),
        (OutOfTime("12 of 40 pages"), (504, "deadline", True, None, "12 of 40")),
        (Quota("no more today", retry_after_s=60), (429, "quota", True, 60, "no more today")),
        (TryLater("x", retry_after_s=float("nan")), (503, "upstream_unavailable", True, None, "x")),
        (TryLater("x", retry_after_s=-1), (503, "upstream_unavailable", True, None, "x")),
        (http_error(503), (503, "upstream_unavailable", True, None, "api.insee.fr answered 503")),
        (http_error(429, **{"Retry-After": "30"}), (503, "upstream_rate_limited", True, 30, "429")),
        (http_error(404), (424, "upstream_refused", False, None, "api.insee.fr answered 404")),
        (by_urllib(500), (503, "upstream_unavailable", True, 9, "here answered 500")),
        (
            requests.ConnectionError("no"),
            (503, "upstream_unavailable", True, None, "ConnectionError"),
        ),
        (requests.ReadTimeout("no"), (503, "upstream_unavailable", True, None, "ReadTimeout")),
        (requests.JSONDecodeError("x", "y", 0), (503, "upstream_garbage", True, None, "than JSON")),
        (TimeoutError(), (503, "upstream_unavailable", True, None, "TimeoutError")),
        (ConnectionResetError(), (503, "upstream_unavailable", True, None, "did not answer")),
        (urllib.error.URLError("x"), (503, "upstream_unavailable", True, None, "URLError")),
        (
            ValueError("hidden-key"),
            (500, "bug", False, None, "ValueError in test_answers.py, line"),
        ),
        (FileNotFoundError("hidden-key"), (500, "bug", False, None, "FileNotFoundError")),
        (SystemExit(3), (500, "bug", False, None, "SystemExit")),
    ],
)
def test_what_is_raised_becomes_a_failure_of_the_contract(
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    expected: tuple[int, str, bool, float | None, str],
) -> None:
    status, kind, retryable, wait_s, words = expected
    got = raising(error)

    assert (got.status, got.json["kind"], got.json["retryable"]) == (status, kind, retryable)
    assert got.json["retry_after"] == wait_s
    assert got.headers.get("Retry-After") == {1.5: "2", None: None}.get(wait_s, str(wait_s))
    assert words in got.json["error"]
    failure = read(got).failure
    assert failure is not None
    assert failure.retryable == retryable
    printed = capsys.readouterr()
    assert "hidden-key" not in printed.out + printed.err + got.body.decode()


def test_a_source_may_say_by_a_date_how_long_to_wait() -> None:
    at = datetime.now(UTC) + timedelta(minutes=2)

    got = raising(http_error(503, **{"Retry-After": format_datetime(at, usegmt=True)}))

    assert 110 < got.json["retry_after"] <= 120


@pytest.mark.parametrize("header", ["soon", "-5", "nan", ""])
def test_a_wait_that_makes_no_sense_is_left_out(header: str) -> None:
    assert raising(http_error(503, **{"Retry-After": header})).json["retry_after"] is None


def test_the_function_itself_can_be_called_in_a_test() -> None:
    @collector
    def dvf(call: Call) -> Any:
        return call.found(records=len(call.params["codes"]))

    wrapped: Any = dvf
    assert wrapped.__wrapped__(Call(params={"codes": ["90"]})).document["records"] == 1


def test_a_failing_look_is_a_failure_that_says_so() -> None:
    def health() -> dict[str, str]:
        raise CollectorFailure("no disk")

    @collector(health=health)
    def dvf(call: Call) -> Any:
        return call.found()

    said: list[Any] = []
    body = b"".join(dvf({"REQUEST_METHOD": "GET"}, lambda *each: said.extend(each)))

    assert said[0].startswith("500")
    assert b"no disk" in body


def test_a_repeated_key_of_a_call_under_way_is_409_and_may_be_asked_again_later() -> None:
    begun, may_end = threading.Event(), threading.Event()

    @collector
    def dvf(call: Call) -> Any:
        begun.set()
        assert may_end.wait(30)
        return call.found(records=1)

    got: list[Got] = []
    key: Any = {"HTTP_IDEMPOTENCY_KEY": "run-1/dvf"}
    first = threading.Thread(target=lambda: got.append(posted(dvf, **key)))
    first.start()
    assert begun.wait(30)

    again = posted(dvf, **key)
    may_end.set()
    first.join(30)
    other, later = posted(dvf, HTTP_IDEMPOTENCY_KEY="run-1/plu"), posted(dvf, **key)

    assert (again.status, again.headers["Retry-After"]) == (409, "15")
    failure = read(again).failure
    assert failure is not None
    assert failure.retryable
    assert [each.status for each in (got[0], other, later)] == [200, 200, 200]


def test_a_key_is_free_again_after_a_failure() -> None:
    key: Any = {"HTTP_IDEMPOTENCY_KEY": "run-1/dvf"}

    @collector
    def dvf(_call: Call) -> Any:
        raise TryLater("busy")

    assert [posted(dvf, **key).status for _ in range(2)] == [503, 503]


def test_calls_without_a_key_never_wait_for_each_other() -> None:
    @collector
    def dvf(call: Call) -> Any:
        return call.found() if call.params else posted(dvf, {"params": {"a": 1}}) and call.found()

    assert posted(dvf).status == 200


def test_a_log_that_nobody_takes_never_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_text: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(sys.stdout, "write", gone)

    def dvf(call: Call) -> Any:
        call.log("page 1")
        return call.found()

    assert answered(dvf).status == 200


def test_a_failure_may_have_any_status() -> None:
    class Odd(CollectorFailure):
        status = 599

    assert raising(Odd("odd")).status == 599


def test_one_line_of_the_log_is_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(sys.stdout, "write", written.append)

    answered(lambda call: call.found(records=3), run_id="run-1", attempt=2)

    (line,) = written
    assert '"message": "dvf: 3 records"' in line.replace("<lambda>", "dvf")
    assert '"run_id": "run-1", "attempt": 2' in line


def test_the_last_lines_of_its_log_go_with_an_answer_and_with_a_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def reads(call: Call) -> Reported:
        for page in range(30):
            call.log(f"page {page}\nof 30")
        if call.params.get("breaks"):
            raise TryLater("the source is busy")
        return call.found(records=3)

    app = collector(reads)
    for params, status in (({}, 200), ({"breaks": True}, 503)):
        got = posted(app, {"params": params})
        assert got.status == status
        lines = got.json["log"]
        assert [line[10:] for line in lines] == [f"page {page} of 30" for page in range(10, 30)]
        assert all(re.fullmatch(r"\d\d:\d\d:\d\dZ", line[:9]) for line in lines)
        assert read_reply(got.status, got.headers, got.body).log == tuple(lines)
    assert capsys.readouterr().out.count("page 0") == 2


def test_an_answer_without_a_log_has_no_such_key() -> None:
    assert "log" not in posted(collector(lambda call: call.found(records=1))).json


def test_the_date_and_the_columns_of_the_data_go_with_an_answer() -> None:
    until = datetime(2026, 11, 22, tzinfo=UTC)
    schemas: list[Any] = [{"code": "text"}, [{"name": "code", "type": "text"}]]
    for schema in schemas:

        def found(call: Call, schema: Any = schema) -> Any:
            return call.found(data_until=until, schema=schema)

        got = answered(found)
        findings = read(got).findings
        assert findings is not None
        assert findings.data_until == "2026-11-22T00:00:00+00:00"
        assert findings.schema == '{"code":"text"}'
    got = answered(lambda call: call.unchanged(data_until=until.date(), schema="a1"))
    assert (got.json["data_until"], got.json["schema"]) == ("2026-11-22", "a1")
