"""A run request: what nobody says has a value that asks for the usual."""

from __future__ import annotations

import pytest

from fanfold.domain.model.request import RunRequest


def test_a_request_that_says_nothing_asks_for_every_enabled_collector() -> None:
    request = RunRequest()

    assert request.collectors is None
    assert (request.tags, request.exclude, request.params) == ((), (), {})
    assert (request.due, request.force, request.dry_run) == (False, False, False)


def test_a_request_does_not_change() -> None:
    with pytest.raises(AttributeError):
        RunRequest().due = True  # type: ignore[misc]
