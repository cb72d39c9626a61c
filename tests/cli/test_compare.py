"""``fanfold report --compare``: what is new since another run."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from tests import support
from tests.cli.conftest import Folder
from tests.rendering.varieties import a_run, an_answer, an_entry, failed, mixed_night, timed_out

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.cli.output.comparison import MOST_LISTED, comparison_lines
from fanfold.domain.model.states import RunStatus
from fanfold.domain.report.compare import compare
from fanfold.domain.report.fold import fold
from fanfold.rendering.columns import cells

SCHEMA = json.loads(files("fanfold.cli.output").joinpath("compare.schema.json").read_text("utf-8"))


def test_two_runs_are_compared_and_a_new_failure_is_1(folder: Folder) -> None:
    folder.configure({"dvf": "ok", "plu": "fail", "sirene": "ok"})
    assert folder.run("run", "--run-id", "first").code == 1
    folder.configure({"dvf": "fail", "plu": "ok", "sirene": "ok"})
    assert folder.run("run", "--run-id", "second").code == 1

    said = folder.run("report", "--compare", "latest~1")
    assert said.code == 1
    assert "run second" in said.out
    assert "compared with first" in " ".join(said.out.split())
    assert "new failures: 1\n  ✗ dvf: HTTP 400: no such place" in said.out
    assert "recovered: 1\n  plu\n" in said.out
    assert said.out.splitlines()[-1].startswith(
        "✗ 1 new failure, 1 recovered: 2 of 3 succeeded, before 2 of 3   "
    )
    document = folder.run("report", "second", "--compare", "first", "--format", "json")
    assert document.code == 1
    jsonschema.validate(document.json(), SCHEMA)
    assert document.json()["new_failures"] == ["dvf"]
    assert folder.run("report", "second", "--compare", "first", "-o", "out").out == ""
    assert (folder.path / "out").read_text("utf-8") == said.out

    same = folder.run("report", "--compare", "latest")
    assert (same.code, "still failing: 1" in same.out) == (0, True)


@pytest.mark.parametrize(
    "odd",
    [
        *(["--only", "failed"], ["--open"], ["--format", "html"], ["--format", "markdown"]),
        *(["nowhere"], ["--compare", "nowhere"], ["--compare", "latest~9"], ["--compare", ""]),
    ],
)
def test_what_does_not_go_with_a_comparison_is_refused(folder: Folder, odd: list[str]) -> None:
    folder.run("run")
    said = folder.run("report", "--compare", "latest", *odd)
    assert (said.code, said.out) == (2, "")
    assert "  next: " in said.err


@pytest.mark.parametrize("order", [["latest", "missed"], ["missed", "good"]])
def test_a_record_that_never_ran_cannot_be_compared(folder: Folder, order: list[str]) -> None:
    folder.run("run", "--run-id", "good")
    database = Database(folder.path / "fanfold.db")
    missed = support.a_run("missed", verdict=RunStatus.MISSED, about="no run came")
    SqliteLedger(database).create_run(missed, ())
    database.close()
    said = folder.run("report", order[0], "--compare", order[1])
    assert (said.code, said.out) == (2, "")
    assert "missed never ran: there is nothing to compare (no run came)" in said.err


@pytest.mark.parametrize("width", [40, 80, 120, 0])
def test_it_fits_the_terminal_and_loses_no_word(width: int) -> None:
    names = [f"c{number:03d}" for number in range(100)]
    error = "HTTP 500: " + "漢字 " * 30
    entries = [an_entry(name) for name in names]
    bad = [
        failed(name, error) if number % 2 else timed_out(name) for number, name in enumerate(names)
    ]
    good = [an_answer(name, records=10, end=30) for name in names]
    more = [an_answer(name, records=100 + n, end=300 + n) for n, name in enumerate(names)]
    before = fold(a_run(100, 100), entries, good)

    def told(answers: list[Any]) -> list[str]:
        report = fold(a_run(100, 100), entries, answers)
        return comparison_lines(compare(report, before), "Europe/Paris", width=width)

    lines = told(bad)
    assert all(cells(line) <= width or not width for line in lines[:-1])
    assert "".join(lines).replace(" ", "").count(error.replace(" ", "")) == MOST_LISTED // 2
    assert f"  and {100 - MOST_LISTED} more: --format json has all" in lines
    moved = [" ".join(line.split()) for line in told(more)]
    assert "records, by 20 % or more: 100" in moved
    assert "c099 199 after 10 +1890 %" in moved
    assert any(line.startswith("c099 6m") and " after " in line for line in moved)


def test_colour_only_adds() -> None:
    compared = compare(mixed_night(), mixed_night())
    plain = comparison_lines(compared, "UTC", width=80)
    coloured = comparison_lines(compared, "UTC", width=80, colour=True)
    assert "\x1b[32m✓ nothing new failed, 1 still failing" in coloured[-1]
    assert not any("\x1b" in line for line in plain)
