"""The service as a whole: health says what stands still, and nothing is left after the end."""

from __future__ import annotations

import io
import json
import os
import resource
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support import StubClient, a_run, catalogue

from fanfold.adapters.embedded import descriptors
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.report_folder import FolderSink
from fanfold.domain.model.errors import SinkUnavailable
from fanfold.logs import JsonLog
from fanfold.runtime import health, refusals
from fanfold.runtime.embedded import embedded_parts
from fanfold.runtime.refusals import CountedCallbacks
from fanfold.runtime.service import Service, embedded_service
from fanfold.settings import Settings

StartService = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartService]:
    services: list[Service] = []

    def make(log: JsonLog | None = None) -> Service:
        configured = catalogue("dvf", report_to=str(tmp_path / "reports"))
        parts, owner = embedded_parts(
            Settings(database=tmp_path / "fanfold.db"),
            os.environ,
            log=log or JsonLog(io.StringIO()),
            client=StubClient(),
            catalogue=lambda: configured,
        )
        services.append(
            embedded_service(
                parts,
                owner,
                max_concurrent=4,
                schedules=True,
                listen=("127.0.0.1", 0),
                may_see=lambda authorization: authorization == "Bearer known",
            )
        )
        services[-1].start()
        return services[-1]

    yield make
    for each in services:
        each.parts.ledger.close()


def ask(service: Service, authorization: str = "Bearer known") -> tuple[int, dict[str, Any]]:
    assert service.endpoint is not None
    address = urllib.request.Request(
        f"http://127.0.0.1:{service.endpoint.port}/healthz",
        headers={"Authorization": authorization},
    )
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, json.load(exc)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_service_that_is_well_says_so(start: StartService) -> None:
    service = start()
    status, state = ask(service)
    assert (status, state["status"], state["open_runs"]) == (200, "ok", [])
    assert state["log"] == {"lost": 0, "why": ""}
    assert state["callbacks"] == {"refused": 0}
    assert ask(service, "Bearer unknown") == (200, {"status": "ok"})
    service.stop(1)


def test_a_record_that_cannot_be_read_is_named_and_stops_nothing(start: StartService) -> None:
    lines = io.StringIO()
    service = start(JsonLog(lines))
    ledger = service.parts.ledger
    assert isinstance(ledger, SqliteLedger)
    ledger.create_run(a_run("r1", deadline=datetime.now(UTC) + timedelta(hours=1)), [])
    ledger.database.write(lambda connection: connection.execute("UPDATE run SET document = '1'"))
    service.timer._next_sweep_at = 0
    until(lambda: "cannot be read" in lines.getvalue())

    status, state = ask(service)
    assert (status, state["open_runs"]) == (200, ["r1"])
    (told,) = state["unreadable"]
    assert told.startswith("run r1: its record cannot be read (")
    for _ in range(2):  # the same trouble at each sweep is one line for a while
        told_by = lines.tell()
        service.timer._next_sweep_at = 0
        until(lambda: "swept" in lines.getvalue()[told_by:])  # noqa: B023 - called at once
    errors = [line for line in lines.getvalue().splitlines() if '"ERROR"' in line]
    assert [json.loads(line)["message"] for line in errors] == [f"the sweep goes on, but: {told}"]
    service.stop(1)


def test_a_service_that_ended_leaves_no_thread_descriptor_or_port(
    start: StartService, tmp_path: Path
) -> None:
    first = start()
    first.stop(1)
    first.parts.ledger.close()
    before = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        service = start()
        assert ask(service)[0] == 200
        service.stop(1)
        service.parts.ledger.close()
    until(lambda: threading.active_count() <= before[0])
    assert len(list(Path("/proc/self/fd").iterdir())) == before[1]
    assert list((tmp_path / "fanfold.db-hosts").iterdir()) == []


@pytest.mark.parametrize("part", ["host", "timer"])
def test_health_says_what_stands_still(start: StartService, part: str) -> None:
    service = start()
    getattr(service, part)._stopping.set()  # as if its thread died
    until(lambda: ask(service)[0] == 503)
    _, state = ask(service)
    assert state["status"] == "unavailable"
    assert "its thread ended" in state["error"]
    assert state["open_runs"] == []
    service.endpoint.close()  # type: ignore[union-attr]
    service.owner.close()


def test_health_says_that_no_report_can_be_written(
    start: StartService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FOLDER_EVERY_S", 0.05)
    service = start()
    assert ask(service)[0] == 200
    with monkeypatch.context() as patch:

        def full(self: FolderSink, report_to: str) -> None:
            raise SinkUnavailable(f"reports cannot be written to {report_to}: No space left")

        patch.setattr(FolderSink, "check", full)
        until(lambda: ask(service)[0] == 503)
        assert "No space left" in ask(service)[1]["error"]
    until(lambda: ask(service)[0] == 200)
    service.stop(1)


def test_health_says_that_the_folder_hangs_and_is_not_hung_itself(
    start: StartService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FOLDER_PATIENCE_S", 0.2)
    go = threading.Event()
    monkeypatch.setattr(FolderSink, "check", lambda *_: go.wait(20))
    service = start()
    until(lambda: ask(service)[0] == 503)
    assert "did not answer" in ask(service)[1]["error"]
    go.set()
    service.stop(1)


@pytest.mark.parametrize("what", ["deleted", "replaced"])
def test_a_service_notices_that_its_file_was_taken_away(
    start: StartService, tmp_path: Path, what: str
) -> None:
    service = start()
    assert service.is_in_place()
    path = tmp_path / "fanfold.db"
    content = path.read_bytes()
    path.unlink()
    if what == "replaced":
        path.write_bytes(content)
    assert not service.is_in_place()
    status, state = ask(service)
    assert status == 503
    assert "deleted or replaced" in state["error"]
    threads = threading.active_count()
    with pytest.raises(Exception, match="deleted or replaced"):
        service.stop(0)
    assert threading.active_count() < threads
    if what == "replaced":
        assert path.read_bytes() == content


def test_lost_log_lines_are_counted_in_health_and_stop_nothing(start: StartService) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        service = start(JsonLog(full))
        service.parts.log("ERROR", "one")
        service.parts.log("ERROR", "two")
        status, state = ask(service)
        assert (status, state["log"]["why"]) == (200, "No space left on device")
        assert state["log"]["lost"] >= 2
        service.stop(1)
        # What Python itself holds back would fail again when the file is closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())


def test_refused_callbacks_are_counted_and_told_without_a_flood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    answers = iter([401] * 5 + [200, 503, 404])
    counted = CountedCallbacks(lambda *_: (next(answers), {"error": "no"}), JsonLog(stream))
    for _ in range(7):
        counted("/callback/r1/dvf", "Bearer x", b"secret")
    assert counted.refused == 5
    monkeypatch.setattr(refusals, "TELL_EVERY_S", 0.0)
    counted("/anything\x1b[31m", "", b"")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["severity"], first["message"], first["http_status"]) == (
        "WARNING",
        "callback refused: no",
        401,
    )
    assert (first["run_id"], first["collector"], first["refused"]) == ("r1", "dvf", 1)
    assert (second["refused"], second["http_status"]) == (5, 404)
    assert "run_id" not in second
    assert "secret" not in stream.getvalue()
    assert "anything" not in stream.getvalue()


@pytest.mark.parametrize(
    ("limit", "wanted", "calls"), [(40, 32, 7), (20, 32, 1), (1024, 32, 32), (65_536, 500, 500)]
)
def test_calls_leave_descriptors_to_the_core(limit: int, wanted: int, calls: int) -> None:
    assert descriptors.calls_within(limit, wanted) == calls


def test_the_limit_is_raised_as_far_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"now": (256, 4096)}
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limits.update(now=new))
    assert descriptors.raise_limit() == 4096
    assert limits["now"] == (4096, 4096)
    limits["now"] = (100_000, resource.RLIM_INFINITY)
    assert descriptors.raise_limit() == 100_000
    limits["now"] = (1024, resource.RLIM_INFINITY)
    assert descriptors.raise_limit() == descriptors.WANTED
    limits["now"] = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    assert descriptors.raise_limit() == descriptors.WANTED


@pytest.mark.parametrize("trouble", ["", "there is no lock file: a folder stands in its place"])
def test_a_service_without_a_lock_file_says_so_when_it_is_put_together(
    tmp_path: Path, trouble: str
) -> None:
    written = io.StringIO()
    configured = catalogue("dvf", report_to=str(tmp_path / "reports"))
    parts, owner = embedded_parts(
        Settings(database=tmp_path / "fanfold.db"),
        os.environ,
        log=JsonLog(written),
        client=StubClient(),
        catalogue=lambda: configured,
    )
    owner.trouble = trouble
    try:
        embedded_service(parts, owner, max_concurrent=1, schedules=False, listen=None)
    finally:
        owner.close()
        parts.ledger.close()
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    told = [(each["severity"], each["message"]) for each in lines if "lock file" in each["message"]]
    assert told == ([("WARNING", trouble)] if trouble else [])
