"""``fanfold history --grid``: collectors by slots, a character each, in the width that there is."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from tests import support
from tests.cli.conftest import Folder

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.cli.output.history_grid import FEWEST_SLOTS, MOST_ROWS, Grid, Row, lines
from fanfold.domain.model.run import RunFigures
from fanfold.domain.rules.history import slots_of

LAST = datetime.now(UTC).replace(hour=2, minute=15, second=0, microsecond=0) - timedelta(days=1)

LONG = "a" * 63


def night(back: int) -> datetime:
    return LAST - timedelta(days=back)


def figures(name: str, outcome: str, back: int, *, later_s: float = 60) -> RunFigures:
    ended = night(back) + timedelta(seconds=later_s)
    return RunFigures(name, outcome, ended, 5 if outcome == "s" else None, 1.0, None, night(back))


@pytest.fixture
def grid(folder: Folder) -> Folder:
    """Twelve nights of three collectors: one retried, one missed, one weekly, a run by hand."""
    folder.configure({"plu": "ok", LONG: "ok", "weekly": "ok"})
    database = Database(folder.path / "fanfold.db")
    ledger = SqliteLedger(database)
    ledger.create_run(support.a_run("night-0"), ())
    plu = "ssfsssmsstcf"
    for back in range(12):
        of_night = [figures("plu", plu[11 - back], back), figures(LONG, "s", back)]
        if back == 5:
            of_night.append(figures("weekly", "k", back))
        ledger.remember(f"night-{back}", of_night)
    ledger.remember("night-9-try2", [figures("plu", "s", 9, later_s=9000)])
    ledger.remember("hand", [RunFigures("plu", "s", night(3) + timedelta(hours=5), 7)])
    database.close()
    return folder


def rows(said: str) -> dict[str, str]:
    found = [line.split(maxsplit=1) for line in said.splitlines() if line]
    return {words[0]: words[1] for words in found if len(words) == 2}


def test_each_slot_is_a_character_and_a_retried_one_counts_once(grid: Folder) -> None:
    said = grid.run("history", "--grid")
    assert said.code == 0
    shown = rows(said.out)
    assert shown["plu"].split()[0] == "··↻···▢··◷⊘✗"
    assert shown[LONG].split()[0] == "·" * 12
    assert shown["weekly"].split()[0] == "------~-----"
    assert said.out.splitlines()[0].startswith("Last 12 slots, ")
    assert said.out.splitlines()[2].startswith("plu ")  # who fails stands first
    assert "by hand: plu succeeded" in said.out
    assert "↻ its retry succeeded" in said.out
    assert "\x1b" not in said.out


@pytest.mark.parametrize(("width", "slots"), [(80, 12), (120, 12), (72, 7), (40, FEWEST_SLOTS)])
def test_long_names_keep_their_columns_in_any_width(
    grid: Folder, monkeypatch: pytest.MonkeyPatch, width: int, slots: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    table = grid.run("history", "--grid").out.splitlines()
    cells = [line[65:].split(" ")[0] for line in table[2:5]]
    assert [len(each) for each in cells] == [slots] * 3
    assert table[2].startswith("plu" + " " * 62)
    assert all(len(line) <= max(width, 65 + slots) for line in table)


def test_since_limit_and_collector_choose_what_is_shown(grid: Folder) -> None:
    few = grid.run("history", "--grid", "--limit", "3")
    assert rows(few.out)["plu"].split()[0] == "◷⊘✗"
    since = grid.run("history", "--grid", "--since", "100h")
    assert 2 <= len(rows(since.out)["plu"].split()[0]) <= 4
    one = grid.run("history", "--grid", "--collector", "weekly")
    assert rows(one.out)["weekly"].split()[0] == "~"
    assert "plu" not in rows(one.out)


def test_json_and_csv_say_the_same(grid: Folder) -> None:
    document = grid.run("history", "--grid", "--format", "json").json()
    assert len(document["slots"]) == 12
    plu = document["collectors"]["plu"]
    assert plu["cells"] == "··↻···▢··◷⊘✗"
    retried = plu["outcomes"][2]
    assert (retried["outcome"], retried["tries"]) == ("succeeded", 2)
    assert retried["run_ids"] == ["night-9", "night-9-try2"]
    assert [each["run_ids"] for each in plu["by_hand"]] == [["hand"]]
    table = grid.run("history", "--grid", "--format", "csv").out
    written = [row for row in csv.DictReader(io.StringIO(table)) if row["collector"] == "plu"]
    assert [row["outcome"] for row in written if row["kind"] == "slot"] == [
        each["outcome"] for each in plu["outcomes"]
    ]


def test_what_does_not_go_together_or_is_unknown_is_refused(grid: Folder) -> None:
    said = grid.run("history", "--grid", "--status", "failed")
    assert (said.code, said.out) == (2, "")
    said = grid.run("history", "--grid", "--collector", "plo")
    assert said.code == 2
    assert "did you mean 'plu'" in said.err


def test_without_a_slot_it_says_so(folder: Folder) -> None:
    assert folder.run("run").code == 0
    said = folder.run("history", "--grid")
    assert said.code == 0
    assert "no slot was recorded yet" in said.out


def test_of_many_collectors_those_in_which_nothing_is_wrong_are_counted() -> None:
    names = [f"c{number:03}" for number in range(MOST_ROWS + 20)]
    made = []
    for number, name in enumerate(names):
        slots = slots_of([figures(name, "f" if number == 7 else "s", 0)])
        made.append(Row(name, {each.at: each for each in slots}, (), {}, None))
    table = list(lines(Grid([LAST], made, "UTC"), width=80))
    assert [line.split()[0] for line in table if line.startswith("c0")] == ["c007"]
    assert f"and {MOST_ROWS + 19} in which nothing is wrong" in "\n".join(table)
