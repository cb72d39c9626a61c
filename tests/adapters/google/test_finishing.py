"""An instance on Google Cloud takes many results at once, and makes one report of a run."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.conftest import MakeWorld
from tests.support import an_answer

from fanfold.domain.model.run import Run
from fanfold.logs import silent
from fanfold.ports.outside import Drawing
from fanfold.runtime.google import EMULATORS, google_parts
from fanfold.settings import read_settings


def test_callers_side_by_side_in_one_instance_fold_the_run_once(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in EMULATORS:
        monkeypatch.setenv(name, "127.0.0.1:9")  # nothing is asked of them
    env = {"FANFOLD_BACKEND": "google", "GOOGLE_CLOUD_PROJECT": "demo"}
    world = make_world()
    world.ask()
    world.deliver()
    for name in ("dvf", "plu"):
        world.ledger.record(an_answer(name, run_id="r1"))
    drawn: list[str] = []

    def draw(run: Run) -> Drawing:
        drawn.append(run.run_id)
        time.sleep(0.1)
        return world.parts.finisher.draw(run)

    google = google_parts(read_settings(env), env, log=silent).finisher
    finisher = replace(world.parts.finisher, draw=draw, share=google.share)
    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(lambda _: finisher.finish("r1"), range(20)))

    assert drawn == ["r1"]
    assert [each["run_id"] for each in told if each is not None] == ["r1"]
    assert world.finished_events() == ["r1/1"]
