"""One JSON line per event, in Cloud Logging's fields."""

from __future__ import annotations

import io
import json
import os
import select
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fanfold import logs
from fanfold.domain.model.collector import Mode
from fanfold.domain.model.run import Failure
from fanfold.logs import MAX_TEXT, JsonLog, Outlet, silent

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


class Broken:
    """A stream that fails while ``error`` is set."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.text = ""

    def write(self, text: str) -> None:
        if self.error is not None:
            raise self.error
        self.text += text

    def flush(self) -> None:
        pass


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (BrokenPipeError(32, "Broken pipe"), "Broken pipe"),
        (ValueError("I/O operation on closed file."), "I/O operation on closed file."),
    ],
)
def test_a_line_that_cannot_be_written_is_counted_and_told_of_later(
    error: Exception, why: str
) -> None:
    stream = Broken()
    log = JsonLog(stream)
    stream.error = error
    log("ERROR", "one")
    log("ERROR", "two")
    assert (log.lost, log.why_lost) == (2, why)

    stream.error = None
    log("INFO", "three")
    log("INFO", "four")
    messages = [json.loads(line)["message"] for line in stream.text.splitlines()]
    assert messages == [f"2 log lines before this one were lost: {why}", "three", "four"]
    assert log.lost == 2


def test_an_event_that_cannot_be_told_is_lost_and_not_raised() -> None:
    stream = Broken()
    log = JsonLog(stream)
    circle: list[object] = []
    circle.append(circle)
    log("INFO", "x", circle=circle)
    assert (log.lost, stream.text) == (1, "")
    JsonLog(None)("INFO", "nobody listens")


@pytest.mark.parametrize("severity", ["INFORMATION", ""])
def test_an_unknown_severity_is_written_as_it_is(severity: str) -> None:
    stream = Broken()
    JsonLog(stream, at_least="ERROR")(severity, "x")
    assert json.loads(stream.text)["severity"] == severity


def test_an_outlet_writes_at_once_and_whole() -> None:
    reader, writer = os.pipe()
    try:
        Outlet(writer).write("é" * 3000 + "\n")
        assert os.read(reader, 10_000) == ("é" * 3000 + "\n").encode()
    finally:
        os.close(reader)
        os.close(writer)


def test_an_outlet_writes_no_more_at_once_than_a_pipe_takes_without_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []
    reader, writer = os.pipe()
    outlet, write = Outlet(writer), os.write

    def counted(descriptor: int, data: memoryview) -> int:
        sizes.append(len(data))
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", counted)
    try:
        outlet.write("x" * 9000 + "\n")
    finally:
        os.close(reader)
        os.close(writer)
    assert sizes == [select.PIPE_BUF, select.PIPE_BUF, 9001 - 2 * select.PIPE_BUF]


def test_an_outlet_waits_once_for_a_reader_that_stands_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs, "READER_PATIENCE_S", 0.05)
    reader, writer = os.pipe()
    outlet, line = Outlet(writer), "x" * 4000 + "\n"
    try:
        for _ in range(16):
            outlet.write(line)
        with pytest.raises(TimeoutError):
            outlet.write(line)
        monkeypatch.setattr(logs, "READER_PATIENCE_S", 3600)
        with pytest.raises(TimeoutError):
            outlet.write(line)
        while len(os.read(reader, 65_536)) == 65_536:
            pass
        outlet.write("again\n")
        assert os.read(reader, 100).endswith(b"again\n")
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("target", ["gone reader", "/dev/full", "closed"])
def test_an_outlet_that_leads_nowhere_says_so_at_each_line(target: str) -> None:
    if target == "/dev/full":
        descriptor = os.open(target, os.O_WRONLY)
    else:
        reader, descriptor = os.pipe()
        os.close(reader)
    log = JsonLog(Outlet(descriptor))
    if target == "closed":
        os.close(descriptor)
    log("ERROR", "one")
    log("ERROR", "two")
    assert log.lost == 2
    if target != "closed":
        os.close(descriptor)


def test_a_line_after_a_torn_one_begins_on_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[bytes] = []

    def full_after_three_bytes(descriptor: int, data: memoryview) -> int:
        if written == [b"abc"]:
            raise OSError(28, "No space left on device")
        written.append(bytes(data[:3]) if not written else bytes(data))
        return len(written[-1])

    outlet = Outlet(1)
    monkeypatch.setattr(outlet, "_poll", type("Ready", (), {"poll": lambda *_: [1]})())
    monkeypatch.setattr(os, "write", full_after_three_bytes)
    with pytest.raises(OSError, match="No space"):
        outlet.write("abcdef\n")
    written.append(b"")
    outlet.write("next\n")
    assert b"".join(written) == b"abc\nnext\n"
