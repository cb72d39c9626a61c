"""Looking at the whole: what is read of the ledger does not grow with the past."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from tests.support import START, World, a_job, a_run, after, catalogue, collector, entry

from fanfold.app.health import look
from fanfold.domain.model.run import RunFigures
from fanfold.domain.model.states import Phase, RunStatus

NIGHTLY = catalogue(
    *(collector(name, cron="15 2 * * *") for name in ("dvf", "plu", "sirene")),
    missed_after_s=2700.0,
)
NOW = after(3600)


class CountedLedger:
    """A ledger that counts what its methods return, by the method's name."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger
        self.read: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._ledger, name)

        def counted(*arguments: Any) -> Any:
            found = method(*arguments)
            self.read[name] += len(found) if hasattr(found, "__len__") else 1
            return found

        return counted


def with_past(world: World, nights: int) -> None:
    """Store *nights*, the last one at START, each with a run in which dvf failed."""
    for back in reversed(range(nights)):
        at = START - back * timedelta(days=1)
        run_id = f"{at:%Y-%m-%dT%H%MZ}-{NIGHTLY.schedule}"
        final: dict[str, Any] = {
            "phase": Phase.FINAL,
            "verdict": RunStatus.FAILED,
            "announced_at": at,
        }
        world.ledger.create_run(a_run(run_id, start_time=at, scheduled_for=at, **final), ())
        letters = {"dvf": "f", "plu": "s", "sirene": "s"}
        world.ledger.remember(
            run_id, [RunFigures(name, each, at, slot=at) for name, each in letters.items()]
        )


def test_what_is_read_does_not_grow_with_the_past(tmp_path: Any) -> None:
    counts = []
    for nights in (40, 400):
        folder = tmp_path / str(nights)
        folder.mkdir()
        world = World(folder, configured=NIGHTLY)
        with_past(world, nights)
        counted: Any = CountedLedger(world.ledger)
        assert look(counted, NIGHTLY, NOW).health.code == 1
        counts.append(counted.read)
        world.close()
    assert counts[0] == counts[1]
    assert counts[0].total() < 30


@pytest.mark.parametrize("running", [False, True])
def test_who_an_open_run_asks_is_not_overdue(world: World, *, running: bool) -> None:
    at = START - timedelta(days=1)
    world.ledger.create_run(a_run("yesterday", start_time=at, announced_at=at), ())
    world.ledger.remember("yesterday", [RunFigures("dvf", "s", at, slot=at)])
    if running:
        manifest = [entry("dvf"), entry("plu", skip="overlap"), entry("sirene", skip="overlap")]
        world.ledger.create_run(a_run("open", manifest=manifest, scheduled_for=START), manifest)
        world.ledger.create_jobs("open", [a_job("dvf", "open")])
    seen = look(world.ledger, NIGHTLY, NOW)
    assert [run.run_id for run in seen.known.open_runs] == ["open"] * running
    assert bool(seen.known.overdue) is not running
