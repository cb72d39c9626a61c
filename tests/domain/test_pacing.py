"""Which jobs are published when, where there are fewer places than jobs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support import START, a_job, a_run, after, catalogue, collector, entry

from fanfold.domain.model.collector import Catalogue, Transport
from fanfold.domain.model.run import Job, Lease
from fanfold.domain.rules.pacing import chained, due, held_back, pushed_at_once, released_by

NAMES = ("a", "b", "c", "d", "e")


def places(number: int, *names: str) -> Catalogue:
    return catalogue(*(names or NAMES), max_concurrent_collectors=number)


MANIFEST = chained([entry(name) for name in NAMES], places(2))
RUN = a_run(manifest=MANIFEST, dispatched_at=after(1))


def jobs(**changed: Job) -> list[Job]:
    return [changed.get(name, a_job(name)) for name in NAMES]


def answered(name: str) -> Job:
    return a_job(name, started=1, answered=True)


def test_each_place_has_a_chain_and_each_job_releases_the_next_of_its_chain() -> None:
    assert [each.releases for each in MANIFEST] == ["c", "d", "e", None, None]
    assert released_by(MANIFEST) == {"c": "a", "d": "b", "e": "c"}


def test_with_places_enough_nobody_waits() -> None:
    assert not released_by(chained([entry(name) for name in NAMES], places(5)))


def test_who_is_skipped_or_queues_behind_another_run_is_in_no_chain() -> None:
    manifest = chained(
        [entry("a"), entry("b", skip="disabled"), entry("c", behind="r0"), entry("d")], places(1)
    )

    assert released_by(manifest) == {"d": "a"}


def test_a_job_is_held_back_until_the_place_before_it_is_free() -> None:
    assert held_back(MANIFEST, jobs(), RUN) == {"c", "d", "e"}
    assert held_back(MANIFEST, jobs(a=answered("a")), RUN) == {"d", "e"}
    assert held_back(MANIFEST, jobs(b=a_job("b", accepted_until=after(900))), RUN) == {"c", "e"}


def test_a_sweep_changes_nothing_while_every_place_is_taken() -> None:
    assert not due(MANIFEST, jobs(), RUN, after(60)).publish


def test_a_sweep_fills_the_place_that_nobody_passed_on_from_the_end_of_the_chains() -> None:
    waits = a_job("a", started=1, not_before=after(3600))

    found = due(MANIFEST, jobs(a=waits), RUN, after(60))

    assert found.publish == ["e"]
    assert found.leave_alone == {"c", "d", "e"}


def test_what_a_sweep_published_is_not_held_back_and_needs_its_place() -> None:
    waits = a_job("a", started=1, not_before=after(3600))
    again = replace(a_job("e"), published_at=after(60))

    assert held_back(MANIFEST, jobs(a=waits, e=again), RUN) == {"c", "d"}
    assert not due(MANIFEST, jobs(a=waits, e=again), RUN, after(120)).publish


def test_a_job_that_was_released_and_not_begun_is_noted_once() -> None:
    first = due(MANIFEST, jobs(a=answered("a")), RUN, after(60))
    noted = replace(a_job("c"), published_at=after(60))

    assert (first.note, first.publish) == (["c"], [])
    assert "c" in first.leave_alone
    second = due(MANIFEST, jobs(a=answered("a"), c=noted), RUN, after(120))
    assert second.note == []
    assert "c" not in second.leave_alone


def test_a_job_under_way_is_not_noted() -> None:
    lease = Lease("r", "c", 1, "me", 1, START, after(600))
    working = a_job("c", started=1, lease=lease)

    assert due(MANIFEST, jobs(a=answered("a"), c=working), RUN, after(60)).note == []


@pytest.mark.parametrize(
    ("places_in_all", "by_tasks", "of", "pushed"),
    [
        (4, 0, 4, 4),
        (4, 4, 4, 4),
        (4, 2, 4, 2),
        (10, 1, 4, 8),
        (10, 3, 4, 3),
        (1, 1, 2, 1),
        (3, 1, 9, 2),
    ],
)
def test_each_transport_has_its_share_of_the_places(
    places_in_all: int, by_tasks: int, of: int, pushed: int
) -> None:
    collectors = [
        collector(f"c{n}", transport=Transport.CLOUD_TASKS if n < by_tasks else Transport.PUBSUB)
        for n in range(of)
    ]

    mixed = catalogue(*collectors, max_concurrent_collectors=places_in_all)

    assert pushed_at_once(mixed) == pushed


def test_a_job_that_goes_by_cloud_tasks_is_in_no_chain_and_takes_no_place_of_the_pushed() -> None:
    mixed = catalogue(
        *(collector(name, transport=Transport.PUBSUB) for name in "abc"),
        "d",
        max_concurrent_collectors=2,
        use_cloud_tasks=True,
    )
    manifest = chained([entry(name) for name in "abcd"], mixed)
    run = a_run(manifest=manifest, dispatched_at=after(1))
    known = [a_job("a"), a_job("b"), a_job("c"), answered("d")]

    assert released_by(manifest) == {"b": "a", "c": "b"}
    assert not due(manifest, known, run, after(60)).publish
