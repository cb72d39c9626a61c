"""One JSON line per event, in Cloud Logging's fields."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fanfold.domain.model.collector import Mode
from fanfold.domain.model.run import Failure
from fanfold.logs import MAX_TEXT, JsonLog, silent

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def logged(*, project: str = "", at_least: str = "INFO", **fields: Any) -> dict[str, Any]:
    stream = io.StringIO()
    log = JsonLog(stream, project=project, at_least=at_least, labels={"zone": "z"})
    log("INFO", fields.pop("message", "done"), **fields)
    line: dict[str, Any] = json.loads(stream.getvalue())
    return line


def test_a_line_has_cloud_loggings_fields() -> None:
    line = logged(project="p", run_id="r1", collector="dvf", traceparent=TRACEPARENT, asked=2)

    assert (line["severity"], line["message"], line["asked"]) == ("INFO", "done", 2)
    assert line["logging.googleapis.com/trace"] == (
        "projects/p/traces/0af7651916cd43dd8448eb211c80319c"
    )
    assert line["logging.googleapis.com/spanId"] == "b7ad6b7169203331"
    labels = line["logging.googleapis.com/labels"]
    assert labels == {"zone": "z", "run_id": "r1", "collector": "dvf"}


def test_what_is_not_known_is_left_out() -> None:
    line = logged(run_id=None, traceparent=None)
    assert "run_id" not in line
    assert "logging.googleapis.com/trace" not in line


def test_a_text_is_cut() -> None:
    line = logged(message="m" * 9000, error="e" * 9000)
    assert (len(line["message"]), len(line["error"])) == (MAX_TEXT, MAX_TEXT)


def test_no_repr_reaches_whoever_reads_the_log() -> None:
    failure = Failure("http", "HTTP 500: busy", retryable=True)
    line = logged(message=f"attempt 1 failed: {failure}", mode=Mode.ASYNC, error=failure)
    assert line["message"] == "attempt 1 failed: HTTP 500: busy"
    assert line["mode"] == "async"
    assert line["error"] == {"kind": "http", "message": "HTTP 500: busy", "retryable": True}


@pytest.mark.parametrize("message", ["two\nlines", "half \ud800 of a pair", "\x00 \x1b[31m"])
def test_a_line_is_one_line_whatever_it_says(message: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    JsonLog(stream)("ERROR", message, fields=object())
    stream.seek(0)
    assert json.loads(stream.read())["severity"] == "ERROR"


def test_what_is_less_than_the_least_is_not_written() -> None:
    stream = io.StringIO()
    log = JsonLog(stream, at_least="WARNING")
    for severity in ("DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"):
        log(severity, "x")
    assert len(stream.getvalue().splitlines()) == 3
    silent("CRITICAL", "x")


def test_lines_of_many_threads_do_not_mix() -> None:
    stream = io.StringIO()
    log = JsonLog(stream)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: log("INFO", "x" * 500, number=number), range(200)))
    numbers = {json.loads(line)["number"] for line in stream.getvalue().splitlines()}
    assert numbers == set(range(200))
