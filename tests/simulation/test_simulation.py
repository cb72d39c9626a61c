"""Seeds of the simulation: a few hundred at each run of the tests, more where asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.simulation.simulation import Simulation

#: How many seeds are played, and which is the first: FANFOLD_SEEDS=20000 plays a night's worth.
SEEDS = int(os.environ.get("FANFOLD_SEEDS", "300"))
FIRST_SEED = int(os.environ.get("FANFOLD_FIRST_SEED", "1"))

#: Seeds that are played together, in one world.
TOGETHER = 50


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + SEEDS, TOGETHER))
def test_whatever_happens_the_run_ends_in_one_balanced_report(tmp_path: Path, first: int) -> None:
    # Every other world holds jobs back until there is a place for them.
    simulation = Simulation(tmp_path, is_paced=first // TOGETHER % 2 == 1)
    for seed in range(first, min(first + TOGETHER, FIRST_SEED + SEEDS)):
        simulation.play(seed)


def test_a_seed_is_the_same_schedule_each_time(tmp_path: Path) -> None:
    traces = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        simulation = Simulation(folder)
        simulation.play(7)
        traces.append(simulation.trace)

    assert traces[0] == traces[1]
    assert len(traces[0]) > 10
