"""``GET /metrics`` says how the runs, collectors and messages of one machine stand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import MakeWorld
from tests.docs.documents import ROOT
from tests.support import World, broken, catalogue, collector, ok

from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.domain.model.errors import StoreUnavailable
from fanfold.domain.model.upstream import Breaker, Upstream
from fanfold.logs import JsonLog
from fanfold.messages.topology import COLLECTOR_JOBS, RUN_REQUESTS, topology
from fanfold.ports.bus import Message
from fanfold.ports.ledger import DeadLetter
from fanfold.runtime import metrics as module
from fanfold.runtime.metrics import Metrics

MONITORING = ROOT / "examples" / "monitoring"

needs_promtool = pytest.mark.needs("promtool")

Values = dict[tuple[str, tuple[str, ...]], float]


def metrics_of(world: World, **more: Any) -> Metrics:
    assert isinstance(world.ledger, SqliteLedger)
    given: dict[str, Any] = {
        "duties": {"timer": list, "messages": lambda: ["it stands still"]},
        "log": JsonLog(None),
        "refused": lambda: 3,
    }
    return Metrics(
        bus=world.bus,
        ledger=world.ledger,
        clock=world.clock,
        catalogue=lambda: world.configured,
        **(given | more),
    )


def page(metrics: Metrics) -> str:
    status, kind, body = metrics()
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    return body.decode()


def values(metrics: Metrics) -> Values:
    """Return every sample by its name, without the prefix, and its labels' values, by label."""
    return {
        (sample.name.removeprefix("fanfold_"), tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page(metrics))
        for sample in family.samples
    }


@pytest.fixture
def night(make_world: MakeWorld) -> World:
    """Return a night in which dvf succeeded, and plu failed with a kind of its own."""
    world = make_world(configured=catalogue("dvf", collector("plu", max_attempts=1)))
    world.client.says("dvf", ok(41))
    world.client.says("plu", broken(404, kind="my-own-kind-4711", retryable=False))
    world.ask()
    world.settle()
    return world


def test_runs_are_counted_by_status_for_a_day(night: World) -> None:
    night.publish(RUN_REQUESTS, Message(b"{"))
    night.settle()
    found = values(metrics_of(night))
    assert found["runs", ("failed",)] == found["runs", ("rejected",)] == 1
    assert found["runs", ("succeeded",)] == found["runs", ("missed",)] == 0
    night.clock.forward(86_401)
    assert values(metrics_of(night))["runs", ("failed",)] == 0


def test_answers_are_counted_by_outcome_and_a_bounded_set_of_kinds(night: World) -> None:
    metrics = metrics_of(night)
    first, again = values(metrics), values(metrics)
    assert first == again
    assert first["collectors", ("", "succeeded")] == 1
    assert first["collectors", ("other", "failed")] == 1
    assert "4711" not in page(metrics)


def test_the_last_success_of_each_collector_is_told(night: World) -> None:
    found = values(metrics_of(night))
    assert found["collector_last_success_records", ("dvf",)] == 41
    assert found["collector_last_success_duration_seconds", ("dvf",)] >= 0
    at = found["collector_last_success_timestamp_seconds", ("dvf",)]
    assert 0 <= night.clock.now().timestamp() - at < 60
    assert ("collector_last_success_records", ("plu",)) not in found


def test_a_collector_that_left_the_configuration_has_no_series(night: World) -> None:
    night.configured = catalogue("plu")
    assert not any("dvf" in labels for _, labels in values(metrics_of(night)))


def test_messages_that_wait_and_dead_letters_are_counted(night: World) -> None:
    night.publish(COLLECTOR_JOBS, Message(b"{}"))
    night.settle()
    night.publish(RUN_REQUESTS, Message(b"{}"))
    night.clock.forward(90)
    found = values(metrics_of(night))
    assert found["dead_letters", ("collector-jobs",)] == 1
    assert sum(found[key] for key in found if key[0] == "dead_letters") == 1
    assert found["messages", ("run-requests",)] == 1
    assert found["oldest_message_age_seconds", ("run-requests",)] == 90
    assert found["oldest_message_age_seconds", ("collector-jobs",)] == 0
    shown = {labels[0] for name, labels in found if name == "messages"}
    assert shown == set(topology().subscriptions)
    (letter,) = night.ledger.dead_letters(10)
    night.ledger.mark_replayed(letter.letter_id, night.clock.now())
    assert values(metrics_of(night))["dead_letters", ("collector-jobs",)] == 0


def test_a_dead_letter_of_a_subscription_that_is_gone_counts_as_other(night: World) -> None:
    night.ledger.park(DeadLetter("l1", "an-older-name", "why", b"", {}, night.clock.now()))
    assert values(metrics_of(night))["dead_letters", ("other",)] == 1


def test_duties_lost_lines_and_refusals_are_told(night: World) -> None:
    log = JsonLog(None)
    log("INFO", "nobody reads this")
    found = values(metrics_of(night, log=log))
    assert (found["duty_alive", ("timer",)], found["duty_alive", ("messages",)]) == (1, 0)
    assert found["log_lines_lost_total", ()] == 1
    assert found["callbacks_refused_total", ()] == 3


def test_a_file_that_cannot_be_read_leaves_what_the_process_knows(
    night: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("locked")

    assert values(metrics_of(night))["ledger_readable", ()] == 1
    monkeypatch.setattr(night.bus, "backlog", fail)
    found = values(metrics_of(night))
    assert found["ledger_readable", ()] == 0
    assert ("duty_alive", ("timer",)) in found
    assert not any(name == "runs" for name, _ in found)


def test_records_that_cannot_be_read_are_counted_and_hide_no_other(night: World) -> None:
    runs = metrics_of(night)
    before = values(runs)
    assert before["unreadable_records", ()] == 0
    night.database.write(
        lambda connection: connection.execute(
            "UPDATE run SET document = '{' WHERE run_id = (SELECT min(run_id) FROM run)"
        )
    )

    now = values(metrics_of(night))
    assert now["unreadable_records", ()] == 1
    assert now["ledger_readable", ()] == 1
    assert {key for key in before if key[0] != "build_info"} <= now.keys()


def test_the_answers_of_many_runs_are_read_once(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ANSWERED", 3)
    world = make_world(configured=catalogue("dvf"))
    for number in range(5):
        world.client.says("dvf", ok(1))
        world.ask(run_id=f"r{number}")
        world.settle()
    metrics = metrics_of(world)
    answers = Mock(side_effect=world.ledger.answers)
    monkeypatch.setattr(world.ledger, "answers", answers)
    assert values(metrics)["collectors", ("", "succeeded")] == 3
    assert values(metrics)["collectors", ("", "succeeded")] == 3
    assert answers.call_count == 3


def test_a_second_scrape_at_once_is_sent_away(night: World) -> None:
    metrics = metrics_of(night)
    said: list[int] = []
    catalogue_now = metrics.catalogue

    def meanwhile() -> Any:
        said.append(metrics()[0])
        return catalogue_now()

    metrics.catalogue = meanwhile
    assert metrics()[0] == 200
    assert said == [503]


def test_the_library_is_loaded_by_the_first_scrape_and_named_where_it_is_missing(
    night: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys, fanfold.runtime.service; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    status, _, body = metrics_of(night)()
    assert (status, b'pip install "fanfold[cli]"' in body) == (503, True)


@needs_promtool
def test_promtool_has_nothing_against_the_page(night: World) -> None:
    said = subprocess.run(
        ["promtool", "check", "metrics"],
        input=page(metrics_of(night)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


@needs_promtool
def test_promtool_takes_the_example_alerts() -> None:
    command = ["promtool", "check", "rules", str(MONITORING / "alerts.yaml")]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert "8 rules found" in said.stdout


@pytest.mark.parametrize("file", ["alerts.yaml", "dashboard.json", "README.md"])
def test_the_examples_name_metrics_and_labels_that_there_are(night: World, file: str) -> None:
    text = Path(MONITORING / file).read_text(encoding="utf-8")
    known = {f"fanfold_{name}" for name, _ in values(metrics_of(night))}
    named = set(re.findall(r"\bfanfold_[a-z_]+", text))
    assert named
    assert named <= known
    if file.endswith(".json"):
        expressions = [each["targets"][0]["expr"] for each in json.loads(text)["panels"]]
        assert len(expressions) == 10


def test_sources_with_limits_are_told(make_world: MakeWorld) -> None:
    limits = Upstream("api.insee.fr", 2, breaker=Breaker(1, 60))
    world = make_world(configured=catalogue(collector("dvf", limits=limits, max_attempts=1)))
    world.client.says("dvf", broken(503))
    world.ask()
    found = values(metrics_of(world))
    assert found["upstream_down", ("api.insee.fr",)] == 0
    world.settle()
    found = values(metrics_of(world))
    assert found["upstream_down", ("api.insee.fr",)] == 1
    assert found["upstream_calls", ("api.insee.fr",)] == 0
