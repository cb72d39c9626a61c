"""Collectors behind one source: counted at the source, on both backends and by real processes."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.collectors import Asked, Collectors, Says
from tests.scenarios.embedded import EmbeddedWorld
from tests.scenarios.machine import Machine, wait_until_asked
from tests.scenarios.world import World, statuses

from fanfold.domain.model.request import RunRequest
from fanfold.rendering.causes import causes
from fanfold.rendering.rows import problems

NAMES = [f"c{number:02}" for number in range(12)]

#: How long a call of the stories with real processes lasts, in seconds.
CALL_S = 0.3


def limit(config: Path, limits: str) -> None:
    """Add the *limits* of the source to the configuration; all collectors are at its host."""
    with config.open("a") as file:
        file.write(f"upstreams: {{127.0.0.1: {limits}}}\n")


def at_once(asked: Sequence[Asked], lasts_s: float) -> int:
    """Return how many calls that last so long were under way at one time, at most."""
    begun = [each.at for each in asked]
    return max(sum(0 <= at - first < lasts_s for first in begun) for at in begun)


def test_a_source_that_is_down_for_a_while_behind_12_collectors(world: World) -> None:
    world.configure(NAMES, run_timeout="60s")
    limit(world.config, "{max_concurrent: 2, breaker: {failures: 3, pause: 1s}}")
    up_at = time.time() + 1000
    down = {"error": "maintenance", "retryable": False}

    def script(asked: Asked, _: int) -> Says:
        return Says() if asked.at >= up_at else Says(down, status=503)

    world.collectors.script.update(dict.fromkeys(NAMES, script))
    world.start()
    world.ask(RunRequest(run_id="r1"))
    wait_until_asked(world.collectors, 3)
    up_at = time.time() + 3
    report = world.report("r1")

    # Nothing was tried again, so each collector was called once. Three or four opened the breaker,
    # and of the others one in each second tried until the source was up.
    assert world.collectors.counts() == dict.fromkeys(NAMES, 1)
    failed = [name for name, status in statuses(report).items() if status == "failed"]
    assert 3 <= len(failed) <= 8
    assert len(failed) + report["summary"]["succeeded"] == 12
    assert max(one["waited_seconds"] or 0 for one in report["collectors"].values()) >= 2
    (cause,) = causes(problems(report), report)
    assert cause.title == f"127.0.0.1 answered 503: {len(failed)} collectors"
    assert cause.title in report["about"]


def test_who_waits_for_a_source_that_stays_down_fails_at_the_deadline(world: World) -> None:
    world.configure(NAMES, run_timeout="8s")
    limit(world.config, "{max_concurrent: 2, breaker: {failures: 3, pause: 20s}}")
    down = {"error": "maintenance", "retryable": False}
    world.collectors.script.update(dict.fromkeys(NAMES, lambda *_: Says(down, status=503)))
    world.start()
    world.ask(RunRequest(run_id="r1"))
    wait_until_asked(world.collectors, 3)
    if isinstance(world, EmbeddedWorld):  # its own sweep comes once a minute
        time.sleep(8.5)
        world.sweep()
    report = world.report("r1")

    assert 3 <= len(world.collectors.asked) <= 4
    assert set(statuses(report).values()) == {"failed"}
    errors = [one["error"] for one in report["collectors"].values() if not one["attempts"]]
    assert len(errors) >= 8
    assert set(errors) == {"127.0.0.1 is down (3 collectors failed first)"}
    (cause,) = causes(problems(report), report)
    assert cause.title == "127.0.0.1 answered 503: 12 collectors"


@pytest.fixture
def machine(tmp_path: Path, collectors: Collectors) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.stop()


def configured(machine: Machine, collectors: Collectors, **scheduler: Any) -> None:
    EmbeddedWorld.configure_in(machine.folder, collectors, NAMES, **scheduler)
    limit(machine.folder / "config.yaml", "{max_concurrent: 2}")


@pytest.mark.slow
def test_two_services_on_one_file_keep_to_the_limit_of_the_source(
    machine: Machine, collectors: Collectors
) -> None:
    for name in NAMES:
        collectors.script[name] = lambda *_: Says(wait_s=CALL_S)
    configured(machine, collectors, defaults={"on_overlap": "allow"})
    machine.serve()
    machine.serve()
    run_ids = [machine.ask_for_a_run() for _ in range(2)]
    reports = [machine.report(run_id) for run_id in run_ids]

    assert [report["summary"]["succeeded"] for report in reports] == [len(NAMES)] * 2
    assert at_once(collectors.asked, CALL_S * 0.95) == 2
    assert collectors.counts() == dict.fromkeys(NAMES, 2)


@pytest.mark.slow
def test_the_places_of_a_killed_process_are_free_with_its_leases(
    machine: Machine, collectors: Collectors
) -> None:
    for name in NAMES:
        collectors.script[name] = lambda _, __: Says(wait_s=30 if len(collectors.asked) <= 2 else 0)
    configured(machine, collectors, defaults={"timeout": "60s"}, run_timeout="2m")
    first = machine.serve()
    run_id = machine.ask_for_a_run()
    wait_until_asked(collectors, 2)
    first.send_signal(signal.SIGKILL)
    first.wait()
    began = time.monotonic()
    machine.serve()
    report = machine.report(run_id)

    # A lease lasts a minute and a half here.
    assert time.monotonic() - began < 80
    assert report["summary"]["succeeded"] == len(NAMES)
    assert len(collectors.asked) == len(NAMES) + 2
