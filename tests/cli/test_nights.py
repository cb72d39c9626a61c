"""What a night may take on Google Cloud, as check and a plan say it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.cli.conftest import Folder
from tests.support import catalogue, collector, entry

from fanfold.cli.output.nights import lengths_by_history, lengths_by_timeout, night_lines
from fanfold.domain.model.collector import CollectorHistory, Mode, Transport

EIGHTY = catalogue(
    *(collector(f"c{n}", timeout_s=540.0) for n in range(80)),
    max_concurrent_collectors=80,
    run_timeout_s=1800.0,
)


def test_a_night_that_may_be_late_over_push_names_cloud_tasks() -> None:
    first, second = night_lines(lengths_by_timeout(EIGHTY), EIGHTY, basis="that uses every timeout")

    assert first == (
        "a night that uses every timeout: Pub/Sub 9m02s to 1h04m, Cloud Tasks 9m01s to 9m08s "
        "(a model; docs/deploy.md)"
    )
    assert second == (
        "! over Pub/Sub it may pass run_timeout (30m00s): scheduler.use_cloud_tasks: true ends in "
        "time"
    )


def test_where_no_transport_ends_in_time_the_limits_are_named() -> None:
    few = catalogue(
        *(collector(f"c{n}", timeout_s=540.0) for n in range(9)),
        max_concurrent_collectors=1,
        run_timeout_s=1800.0,
    )

    assert night_lines(lengths_by_timeout(few), few, basis="so")[1] == (
        "! over Pub/Sub it may pass run_timeout (30m00s): raise it, or max_concurrent_collectors"
    )


def test_a_night_in_time_has_one_line_and_one_without_collectors_none() -> None:
    assert len(night_lines([2.0], EIGHTY, basis="so")) == 1
    assert night_lines([], EIGHTY, basis="so") == []


def test_what_accepts_and_answers_later_takes_no_time() -> None:
    later = catalogue(
        collector("a", mode=Mode.ASYNC, timeout_s=3600.0), collector("b", enabled=False)
    )

    assert list(lengths_by_timeout(later)) == [2.0]


def test_a_plan_counts_what_calls_usually_take() -> None:
    past = CollectorHistory(seconds=(1.0, 50.0, 3.0))
    usual, new = replace(entry("a"), past=past), entry("b")
    later = replace(entry("d", mode=Mode.ASYNC), past=past)

    lengths_s = lengths_by_history([usual, new, entry("c", skip="disabled"), later])

    assert list(lengths_s) == [3.0, new.spec.timeout_s, 2.0]


@pytest.mark.parametrize(("pushed", "lines"), [(0, 1), (1, 2)])
def test_only_a_night_with_jobs_on_pub_sub_may_be_late_over_it(pushed: int, lines: int) -> None:
    by = [Transport.PUBSUB] * pushed + [Transport.CLOUD_TASKS] * (80 - pushed)
    mixed = replace(
        EIGHTY,
        collectors=tuple(
            replace(each, transport=way) for each, way in zip(EIGHTY.collectors, by, strict=True)
        ),
    )

    assert len(night_lines(lengths_by_timeout(mixed), mixed, basis="so")) == lines


@pytest.mark.parametrize(("backend", "is_told"), [("google", True), ("embedded", False)])
def test_check_says_it_where_it_holds(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, backend: str, *, is_told: bool
) -> None:
    folder.configure({"dvf": "/dvf"})
    monkeypatch.setenv("FANFOLD_BACKEND", backend)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")

    printed = folder.run("check")

    assert ("a night that uses every timeout: Pub/Sub" in printed.out) is is_told
