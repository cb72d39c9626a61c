"""A run as it goes: the live picture fits its terminal, and in a log nothing is printed twice."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Folder, ended
from tests.rendering.varieties import a_run, after, an_answer, an_entry, failed

from fanfold.cli.output.live import picture
from fanfold.cli.output.progress import CountingProgress, done_words
from fanfold.cli.output.running import running_lines
from fanfold.cli.output.terminal import Notes, have_one_reader
from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.model.run import Job, Lease
from fanfold.domain.report.fold import fold_so_far
from fanfold.rendering.columns import cells

#: What it usually takes, in seconds.
USUAL_S = 300.0


def a_night(total: int, done: int, bad: int, running: int, *, name: str = "c") -> dict[str, Any]:
    """Return a run 400 s after its begin: *bad* of those that are *done* failed alike."""
    names = [f"{name}{number:03d}" for number in range(total)]
    past = CollectorHistory((900, 910, 920), (USUAL_S,) * 3, "sss")
    answers = [
        failed(each, "HTTP 503: Service Unavailable from https://api.insee.fr/x")
        if number < bad
        else an_answer(each, records=1000, bytes=40_000, end=20)
        for number, each in enumerate(names[:done])
    ]
    now = after(400)
    jobs = [
        Job(
            *("r", each, after(0), after(7200)),
            started=1,
            lease=Lease("r", each, 1, "host", 1, after(10 + number * 60), after(5000)),
            progress={"message": "page 88 of 151"} if number == 1 else None,
        )
        for number, each in enumerate(names[done : done + running])
    ]
    manifest = [an_entry(each, past=past) for each in names]
    return fold_so_far(a_run(total, total), manifest, jobs, answers, now)


@pytest.mark.parametrize(("width", "height"), [(40, 10), (40, 50), (80, 24), (120, 50)])
@pytest.mark.parametrize("name", ["c", "a_long_name_" * 5])
@pytest.mark.parametrize("night", [(300, 281, 16, 9), (4, 2, 1, 1), (30, 25, 25, 3)])
def test_the_picture_fits_every_terminal(
    night: tuple[int, int, int, int], name: str, width: int, height: int
) -> None:
    shown = picture(a_night(*night, name=name), 16, width=width, height=height, frame="⠋").plain
    lines = shown.splitlines()
    assert len(lines) < height
    assert all(cells(line) <= width for line in lines)


def test_the_picture_says_how_far_it_is_who_failed_and_who_takes_longest() -> None:
    shown = picture(a_night(300, 281, 16, 9), 16, width=120, height=40, frame="⠋").plain
    assert "281 of 300 done: 265 succeeded, 16 failed   9 running, 10 waiting" in shown
    assert "ends about 04:48" in shown
    assert "✗ api.insee.fr answered 503: 16 collectors · new" in shown
    assert all(f"c{number:03d}" in shown for number in range(16))
    running = shown[shown.index("running: 9") :].splitlines()
    assert [line.split()[0] for line in running[1:4]] == ["c281", "c282", "c283"]
    assert running[1].endswith("1m30s over")
    assert running[2].endswith("30s over · page 88 of 151")


def test_what_does_not_fit_is_counted() -> None:
    shown = picture(a_night(300, 281, 200, 19), 16, width=80, height=20, frame="⠋").plain
    assert "failed so far: 200" in shown
    assert "and more collectors" in shown
    assert "  and 14 more" in shown


def test_who_has_no_usual_time_stands_behind_those_that_are_over_theirs() -> None:
    report = a_night(3, 0, 0, 3)["collectors"]
    unknown = {**report["c000"], "median_seconds": None}
    named = [("new", unknown), ("over", report["c000"]), ("within", report["c002"])]
    lines = running_lines(named, after(400), 80, 10)
    assert [line.split()[0] for line in lines[1:]] == ["over", "new", "within"]


def test_a_log_is_told_now_and_then_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("fanfold.cli.output.progress.time.monotonic", lambda: clock[0])
    note, told = Notes(), list[str]()
    note.write = told.append
    view = CountingProgress(note, concurrency=16)
    counts: list[int] = []
    for at_s, done in ((0.5, 0), (2, 1), (9, 2), (11, 3), (30, 3), (80, 3), (81, 4), (95, 5)):
        clock[0] = at_s
        view.update(a_night(5, done, 0, 1))
        counts.append(len(told))
    assert counts == [0, 1, 1, 2, 2, 3, 3, 3]
    assert told[0].startswith("run 2026-")
    assert told[1] == f"    6m40s  {done_words(a_night(5, 3, 0, 1))}"


def test_a_log_of_a_run_that_is_over_at_once_has_the_table_alone(folder: Folder) -> None:
    folder.configure({"dvf": "ok", "plu": "fail"})
    said = ended(folder.spawn("run", CI="true"))
    assert said.code == 1
    assert said.err == ""
    assert sum("dvf" in line for line in said.out.splitlines()) == 1


def test_rows_go_to_stderr_where_the_table_goes_elsewhere(folder: Folder) -> None:
    folder.configure({"dvf": "ok", "plu": "fail"})
    document = ended(folder.spawn("run", "--format", "json"))
    assert "  ✓ dvf" in document.err
    assert "  ✗ plu" in document.err


def test_pipes_are_read_together_and_a_file_apart_from_a_pipe(tmp_path: Path) -> None:
    with ExitStack() as stack:
        ends = [*os.pipe(), *os.pipe()]
        _, pipe, _, other = (stack.enter_context(os.fdopen(each)) for each in ends)
        log = stack.enter_context((tmp_path / "log").open("w"))
        same = stack.enter_context((tmp_path / "log").open())
        assert have_one_reader(pipe, other)
        assert have_one_reader(log, same)
        assert not have_one_reader(pipe, log)
    assert not have_one_reader(pipe, log)
