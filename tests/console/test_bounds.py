"""With 20,000 runs and 500 collectors home is cheap, and no page is large."""

from __future__ import annotations

import sqlite3
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.console.conftest import FIRST, Console, nightly
from tests.support import MovingClock, World, a_closing, a_run

from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.embedded.micros import micros
from fanfold.domain.model.run import RunFigures
from fanfold.domain.model.states import RunStatus
from fanfold.messages import records

COLLECTORS, RUNS, SLOTS = 500, 20_000, 30

#: Most processor time of home, in seconds: 0.2 on a machine that does nothing else, and some slack.
MOST_S = 0.2 * 2

#: Most bytes of a page.
MOST_BYTES = 300_000


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Console:
    """Return a console on a file that was written at once: a run every half an hour."""
    folder: Path = tmp_path_factory.mktemp("many")
    names = [f"family{number % 20:02}_{number:03}" for number in range(COLLECTORS)]
    last = FIRST + timedelta(days=400)
    clock = MovingClock(last + timedelta(hours=3))
    world = World(folder, configured=nightly(*names), clock=clock)
    assert isinstance(world.ledger, SqliteLedger)
    _fill_runs(world, last)
    rows = [
        (name, micros(at), run_id, records.encode(RunFigures(name, letter, at, 10, 1.5, slot=at)))
        for number, name in enumerate(names)
        for back in range(SLOTS)
        for at in [last - timedelta(days=back)]
        for run_id in [f"{at:%Y-%m-%dT%H%MZ}-nightly"]
        for letter in ["f" if number % 3 == 0 and back < 2 else "s"]
    ]
    world.database.write(
        lambda connection: connection.executemany("INSERT INTO history VALUES (?, ?, ?, ?)", rows)
    )
    return Console(world)


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"


def _fill_runs(world: World, last: datetime) -> None:
    run_id = f"{last:%Y-%m-%dT%H%MZ}-nightly"
    summary = {"total": COLLECTORS, "succeeded": 333, "failed": 167, "skipped": 0}
    run = a_run(run_id, start_time=last, scheduled_for=last, deadline=last + timedelta(hours=1))
    world.ledger.create_run(run, [])
    world.ledger.finalize_run(
        run_id, a_closing(verdict=RunStatus.FAILED, summary=summary, end_time=last)
    )
    world.ledger.mark_announced(run_id, revision=1, report="r.html", at=last)

    def copy(connection: sqlite3.Connection) -> None:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(run)")]
        (first,) = connection.execute("SELECT * FROM run WHERE run_id = ?", (run_id,))
        as_written = dict(zip(columns, first, strict=True))
        began = _text(last)
        rows = []
        for back in range(1, RUNS):
            at = last - timedelta(minutes=30 * back)
            document = as_written["document"].replace(began, _text(at))
            document = document.replace(run_id, f"r{back}")
            copied = {"run_id": f"r{back}", "start_time": micros(at), "document": document}
            rows.append(tuple((as_written | copied)[each] for each in columns))
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO run VALUES ({marks})", rows)  # noqa: S608 - marks

    world.database.write(copy)


def test_home_takes_little_time(console: Console) -> None:
    console.get("/")  # templates are read once
    spent = []
    for _ in range(3):
        began = time.process_time()
        page = console.page("/")
        spent.append(time.process_time() - began)
    assert "333 of 500 succeeded" in page.text
    assert "Failing: 167" in page.text
    assert min(spent) < MOST_S


@pytest.mark.parametrize(
    "path", ["/", "/runs", "/runs?page=90", "/collectors", "/collectors/family00_000"]
)
def test_no_page_is_large(console: Console, path: str) -> None:
    assert len(console.get(path).data) < MOST_BYTES
