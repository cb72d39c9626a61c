"""Which runs are over, so that nothing of them can be cancelled."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from tests.support import START, a_run

from fanfold.domain.model.states import RunStatus
from fanfold.domain.model.unreadable import UnreadableRun, is_over


@pytest.mark.parametrize(
    ("changes", "over", "over_unreadable"),
    [
        ({}, False, False),
        ({"verdict": RunStatus.SUCCEEDED}, True, False),
        ({"verdict": RunStatus.MISSED}, True, True),
        ({"verdict": RunStatus.SUCCEEDED, "announced_at": START}, True, True),
        ({"announced_at": START}, True, True),
    ],
)
def test_a_run_is_over_by_its_verdict_if_its_record_can_be_read(
    changes: dict[str, Any], *, over: bool, over_unreadable: bool
) -> None:
    run = a_run(**changes)
    damaged = UnreadableRun(**{each.name: getattr(run, each.name) for each in fields(run)}, why="x")
    assert (is_over(run), is_over(damaged)) == (over, over_unreadable)
