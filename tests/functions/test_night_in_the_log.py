"""A failed night as its log tells it, found by the filters that docs/operations.md names."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
from tests.conftest import MakeWorld
from tests.docs.documents import text_of
from tests.support import World, accepted, broken, catalogue, collector

from fanfold.domain.syntax.traceparent import traceparent_of
from fanfold.logs import JsonLog
from fanfold.messages import events
from fanfold.messages.topology import COLLECTOR_RESULTS, RUN_REPORTS, RUN_REQUESTS
from fanfold.ports.bus import Message
from fanfold.runtime.callbacks import take_callback

#: The jq programs that operations.md names.
FILTERS = re.findall(r"journalctl .*\| jq -c '([^']+)'", text_of("docs/operations.md"))

TRACE = "c" * 32

Line = Mapping[str, Any]


def written(world: World) -> str:
    """Return what the functions logged, as it goes to stdout."""
    stream = io.StringIO()
    log = JsonLog(stream)
    for severity, message, fields in world.logged:
        log(severity, message, **fields)
    return stream.getvalue()


def lines(world: World) -> list[Line]:
    return [json.loads(each) for each in written(world).splitlines()]


@pytest.fixture
def night(make_world: MakeWorld) -> World:
    """Return a run of four: one succeeded, one failed after a retry, two were never heard of."""
    names = [collector(name, max_attempts=2) for name in ("dvf", "insee", "plu", "sirene")]
    world = make_world(configured=catalogue(*names))
    world.client.says("plu", broken(503), broken(404, retryable=False))
    for name in ("insee", "sirene"):
        world.client.says(name, accepted())
    attributes = {"traceparent": traceparent_of(TRACE, "asked")}
    world.publish(RUN_REQUESTS, Message(b'{"run_id": "r1"}', attributes))
    world.live(7200.0)
    return world


def test_the_end_of_a_failed_run_is_one_error_with_its_sentence(night: World) -> None:
    (end,) = [each for each in lines(night) if each["severity"] == "ERROR"]
    run = night.run()
    assert (end["run_id"], end["status"], end["message"]) == ("r1", "failed", run.about)
    assert end["logging.googleapis.com/labels"]["run_id"] == "r1"


def test_each_collector_that_failed_is_a_warning_with_kind_and_text(night: World) -> None:
    warned = {each["collector"]: each for each in lines(night) if each["severity"] == "WARNING"}
    kinds = {name: (each["kind"], each["outcome"]) for name, each in warned.items()}
    assert kinds == {
        "plu": ("http", "failed"),
        "insee": ("timeout", "timed_out"),
        "sirene": ("timeout", "timed_out"),
    }
    for each in warned.values():
        assert each["message"] == f"{each['outcome']} ({each['kind']}): {each['error']}"
        assert each["run_id"] == "r1"


def test_a_retry_names_its_run_and_collector(night: World) -> None:
    (retry,) = [each for each in lines(night) if each["severity"] == "NOTICE"]
    assert (retry["run_id"], retry["collector"]) == ("r1", "plu")
    assert retry["message"].startswith("comes back: attempt 1 failed: http 503")


@pytest.mark.parametrize("way", ["callback", "message"])
def test_a_failure_that_a_collector_reports_later_is_a_warning(
    make_world: MakeWorld, way: str
) -> None:
    world = make_world(configured=catalogue("dvf"))
    world.client.says("dvf", accepted())
    world.ask()
    world.settle()
    body = {"status": "failed", "error": "no disk", "kind": "disk"}
    if way == "callback":
        sent = json.dumps(body).encode()
        take_callback(world.parts, "/callback/r1/dvf", f"Bearer {world.token('dvf')}", sent)
    else:
        body |= {"run_id": "r1", "collector": "dvf", "token": world.token("dvf")}
        world.publish(COLLECTOR_RESULTS, Message(json.dumps(body).encode()))
    world.settle()
    told = [each for each in lines(world) if each["severity"] != "INFO"]
    by_severity = {each["severity"]: each for each in told}
    assert (len(told), set(by_severity)) == (2, {"WARNING", "ERROR"})
    assert by_severity["WARNING"]["message"] == "failed (disk): no disk"
    assert (by_severity["WARNING"]["run_id"], by_severity["WARNING"]["collector"]) == ("r1", "dvf")
    assert by_severity["ERROR"]["status"] == "failed"
    trace = world.run().trace_id
    assert {each["logging.googleapis.com/trace"] for each in told} == {trace}


def test_a_run_that_succeeded_says_nothing_above_info(make_world: MakeWorld) -> None:
    world = make_world()
    world.ask()
    world.settle()
    assert {each["severity"] for each in lines(world)} == {"INFO"}


def test_one_trace_goes_from_the_request_to_the_finished_event(night: World) -> None:
    of_run = [each for each in lines(night) if each.get("run_id") == "r1"]
    assert {each.get("logging.googleapis.com/trace") for each in of_run} == {TRACE}
    functions = {each["function"] for each in of_run}
    assert functions == {"dispatcher", "collector_relay", "aggregator"}
    for topic in (COLLECTOR_RESULTS, RUN_REPORTS):
        carried = [
            (events.traceparent_in(message) or "")[3:35]
            for at, message in night.published
            if at == topic
        ]
        assert carried
        assert set(carried) == {TRACE}


@pytest.mark.needs("jq")
def test_the_filters_of_the_document_find_what_they_say(night: World) -> None:
    assert len(FILTERS) == 3

    def found(program: str) -> list[Line]:
        program = program.replace("2026-11-23T0215Z-nightly", "r1")
        done = subprocess.run(
            ["jq", "-c", program], input=written(night), capture_output=True, text=True, check=True
        )
        return [json.loads(each) for each in done.stdout.splitlines()]

    ends, failed, of_run = map(found, FILTERS)
    assert [each["status"] for each in ends] == ["failed"]
    assert sorted(each["collector"] for each in failed) == ["insee", "plu", "sirene"]
    assert {"dispatcher", "collector_relay", "aggregator"} == {each["function"] for each in of_run}
    assert {each["run_id"] for each in of_run} == {"r1"}


def test_the_alert_of_a_failed_run_matches_its_one_line(night: World) -> None:
    source = text_of("infra/monitoring.tf")
    assert 'AND severity=ERROR AND jsonPayload.status=\\"failed\\""' in source

    matched = [
        each
        for each in lines(night)
        if each["severity"] == "ERROR" and each.get("status") == "failed"
    ]
    assert len(matched) == 1
    assert "EXTRACT(labels.run_id)" in source
    assert matched[0]["logging.googleapis.com/labels"]["run_id"] == "r1"
