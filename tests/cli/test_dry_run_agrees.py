"""Where two sides meet: ``run --dry-run`` says what the dispatcher's ``dry_run`` records."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import World, catalogue, collector

from fanfold.cli.run_options import planned
from fanfold.domain.model.errors import Rejected
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.states import RunStatus

CONFIGURED = catalogue(
    collector("dvf", cron="15 2 * * *", tags=("daily",)),
    collector("plu", cron="0 4 1 * *", tags=("monthly",)),
    collector("old", enabled=False),
)
NAMES = st.lists(st.sampled_from(["dvf", "plu", "old", "nobody"]), unique=True).map(tuple)

REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "collectors": NAMES.filter(len),
        "exclude": NAMES,
        "tags": st.lists(st.sampled_from(["daily", "x"]), max_size=2).map(tuple),
        "due": st.booleans(),
        "force": st.booleans(),
        "run_id": st.sampled_from(["mine", "2026-11-23T0215Z-nightly", "x-missed", None]),
        "params": st.just({"dvf": {"big": "x" * 700_000}}),
    },
)


@settings(max_examples=60, deadline=None)
@given(REQUESTS)
def test_the_command_and_the_dispatcher_say_the_same_of_a_request(request_: dict[str, Any]) -> None:
    request = RunRequest(**request_, dry_run=True)
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), configured=CONFIGURED)
        world.ask(**({"run_id": None} | request_), dry_run=True)
        world.settle()
        (recorded,) = world.ledger.recent_runs(10)
        try:
            run, _ = planned(request, CONFIGURED, now=world.clock.at, histories={}, busy={})
            expected = (RunStatus.PLANNED, run.about)
        except Rejected as exc:
            expected = (RunStatus.REJECTED, f"not started: {exc}")
        world.close()
        assert (recorded.status, recorded.about) == expected
