"""``wait_timeout``, ``heartbeat`` and ``slow_after``: what they may be, and what makes no sense."""

from __future__ import annotations

import pytest
from tests.config.cases import dvf, errors, of_dvf, refused, warnings


def test_the_clocks_are_read() -> None:
    spec = dvf(
        "{mode: async, timeout: 55m, wait_timeout: 10m, heartbeat: 5m, slow_after: usual x 2}"
    )
    assert (spec.wait_timeout_s, spec.heartbeat_s) == (600.0, 300.0)
    assert (spec.slow_after_s, spec.slow_factor) == (None, 2.0)
    spec = dvf("{slow_after: 90s}")
    assert (spec.slow_after_s, spec.slow_factor) == (90.0, None)
    assert dvf().wait_timeout_s is dvf().heartbeat_s is dvf().slow_after_s is None


@pytest.mark.parametrize(
    "written", ["usual x 1.5", "usual*1.5", "Usual \u00d7 1.5", "'usual x1.5'"]
)
def test_a_multiple_may_be_written_in_several_ways(written: str) -> None:
    assert dvf(f"{{slow_after: {written}}}").slow_factor == 1.5


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("slow_after: usual x 0", "out of range: write more than usual x 1"),
        ("slow_after: usual x 1", "out of range"),
        ("slow_after: usual x 1000", "out of range"),
        ("slow_after: usual x -2", "is not a multiple of the usual time: write usual x 2"),
        ("slow_after: usually", "is not a multiple of the usual time"),
        ("slow_after: 2", "2 of what?: is it seconds? write 2s"),
        ("slow_after: 0s", "out of range"),
        ("slow_after: [1]", "is not a duration"),
        ("wait_timeout: 0s", "out of range"),
        ("wait_timeout: -5m", "is not a duration"),
        ("heartbeat: true", "is not a duration"),
        ("heartbeat: 5m", "a collector that answers in its call says nothing on the way"),
    ],
)
def test_what_makes_no_sense_is_an_error(written: str, sentence: str) -> None:
    (only,) = refused(of_dvf(f"{{{written}}}")).problems
    assert sentence in f"{only.what}: {only.fix}"


def test_all_errors_are_told_at_once() -> None:
    told = errors(of_dvf("{wait_timeout: 0s, heartbeat: soon, slow_after: usual x 0}"))
    assert len(told) == 3


def test_what_never_runs_out_is_a_warning() -> None:
    (only,) = warnings(of_dvf("{wait_timeout: 3h}"))
    assert "not shorter than scheduler.run_timeout" in only
    (only,) = warnings(of_dvf("{mode: async, timeout: 10m, heartbeat: 10m}"))
    assert "not shorter than timeout" in only


def test_a_heartbeat_of_the_defaults_is_for_asynchronous_collectors() -> None:
    text = of_dvf("{}", "defaults: {heartbeat: 5m}")
    assert warnings(text) == []
