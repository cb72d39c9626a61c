"""What the console's home costs on Firestore, counted as it is billed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.adapters.google.conftest import MakeClient
from tests.adapters.google.traffic import Counted, Tally
from tests.console.conftest import FIRST, Console, nightly
from tests.support import MovingClock, World, a_closing, a_run, an_answer, entry

from fanfold.adapters.google.ledger import FirestoreLedger
from fanfold.domain.model.run import Failure, RunFigures
from fanfold.domain.model.states import Outcome, RunStatus

pytestmark = pytest.mark.emulator

#: Most documents that home reads, whatever the number of collectors and slots.
MOST_READS = 100


def fill(world: World, names: list[str], slots: int) -> None:
    """Store *slots* nights; in the last ones the first collector failed."""
    for night in range(slots):
        at = FIRST + timedelta(days=night)
        run_id = f"{at:%Y-%m-%dT%H%MZ}-nightly"
        is_bad = night >= slots - 2
        manifest = [entry(name) for name in names[:4]]
        run = a_run(run_id, manifest=manifest, start_time=at, scheduled_for=at)
        world.ledger.create_run(run, manifest)
        world.ledger.open_run(run_id)
        outcome, letter = (Outcome.FAILED, "f") if is_bad else (Outcome.SUCCEEDED, "s")
        failed = an_answer(names[0], run_id=run_id, outcome=outcome, error=Failure("http", "no"))
        world.ledger.record(failed)
        verdict = RunStatus.FAILED if is_bad else RunStatus.SUCCEEDED
        world.ledger.finalize_run(run_id, a_closing(verdict=verdict, end_time=at))
        world.ledger.remember(
            run_id,
            [
                RunFigures(name, letter if name == names[0] else "s", at, 10, 1.5, slot=at)
                for name in names
            ],
        )
        world.ledger.mark_announced(run_id, revision=1, report="r.html", at=at)


@pytest.mark.parametrize(("count", "slots"), [(4, 30), (300, 3)])
def test_home_reads_at_most_a_hundred_documents(
    make_client: MakeClient, tmp_path: Path, count: int, slots: int
) -> None:
    names = [f"c{number:03}" for number in range(count)]
    clock = MovingClock(FIRST + timedelta(days=slots - 1, hours=3))
    world = World(
        tmp_path,
        configured=nightly(*names),
        clock=clock,
        connect=lambda: FirestoreLedger(make_client()),
    )
    try:
        fill(world, names, slots)
        tally = Tally()
        client = make_client()
        Counted(client, tally)
        world.parts.ledger = FirestoreLedger(client)
        console = Console(world)
        page = console.page("/")
        assert "c000 failed for the 2nd slot" in page.text
        spent = tally.copy()
        assert spent.reads <= MOST_READS
        assert spent.writes == 0
        # An open page asks often: that costs a few documents.
        console.get("/api/v1/changes")
        assert (tally - spent).reads <= 10
    finally:
        world.close()
