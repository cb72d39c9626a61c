"""The three bundles in real processes, each with its own requirements, sharing one ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from tests.bundle.deployed import Deployed, deploy
from tools.bundle import FUNCTIONS, bundle

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.domain.model.states import RunStatus

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]

CONFIGURATION = """\
version: 2
scheduler:
  collectors:
    dvf:
      url: ${DVF_URL}
report:
  folder: REPORTS
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deployed")


@pytest.fixture(scope="module")
def collector() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as server:
        server.expect_request("/dvf", method="POST").respond_with_json({"records": 7})
        yield server


@pytest.fixture(scope="module")
def functions(folder: Path, collector: HTTPServer) -> Iterator[Mapping[str, Deployed]]:
    config = folder / "config.yaml"
    config.write_text(CONFIGURATION.replace("REPORTS", str(folder / "reports")))
    bundle(config, folder / "build")
    env = {
        "FANFOLD_BACKEND": "embedded",
        "FANFOLD_CONFIG": "config.yaml",
        "FANFOLD_DB": str(folder / "fanfold.db"),
        "DVF_URL": collector.url_for("/dvf"),
    }
    serving: dict[str, Deployed] = {}
    try:
        for name in FUNCTIONS:
            archive = folder / "build" / f"{name}.zip"
            serving[name] = deploy(archive, folder / "serving", env)
        relay = folder / "build" / "collector_relay.zip"
        serving["callbacks"] = deploy(relay, folder / "serving", env, entry_point="callbacks")
        yield serving
    finally:
        for function in serving.values():
            function.stop()


@pytest.fixture
def ledger(folder: Path) -> Iterator[SqliteLedger]:
    found = SqliteLedger(Database(folder / "fanfold.db"))
    yield found
    found.close()


#: A subscription of each function.
FED_BY = {
    "dispatcher": "run-requests",
    "collector_relay": "collector-jobs",
    "aggregator": "collector-results",
}


@pytest.mark.parametrize("name", FED_BY)
def test_a_bundle_refuses_what_is_anothers(
    functions: Mapping[str, Deployed], ledger: SqliteLedger, name: str
) -> None:
    assert functions[name].push("somewhere", ["no", name]) == 403

    assert f"does not feed {name}" in functions[name].said()
    assert ledger.dead_letters(100) == []


def test_the_relays_bundle_serves_the_callbacks_too(functions: Mapping[str, Deployed]) -> None:
    status, body = functions["callbacks"].post("callback/r1/dvf", b"{}")
    assert (status, b"Authorization: Bearer" in body) == (401, True)
    assert functions["callbacks"].push("collector-jobs", {"run_id": "r1"}) == 404
    assert functions["collector_relay"].post("callback/r1/dvf", b"{}")[0] == 404


@pytest.mark.parametrize("name", FED_BY)
def test_a_bundle_parks_what_nobody_can_read(
    functions: Mapping[str, Deployed], ledger: SqliteLedger, name: str
) -> None:
    function = functions[name]
    before = len(ledger.dead_letters(100)) + len(ledger.recent_runs(100))

    status = function.push(FED_BY[name], ["no", name])

    assert status == 204, function.said()
    # A dead letter; a request for a run is a record of its refusal instead.
    assert len(ledger.dead_letters(100)) + len(ledger.recent_runs(100)) == before + 1


def test_three_bundles_make_one_run(
    functions: Mapping[str, Deployed], ledger: SqliteLedger, folder: Path
) -> None:
    subject = {"run_id": "bundled", "collector": "dvf"}

    assert functions["dispatcher"].push("run-requests", {"run_id": "bundled"}) == 204
    run = ledger.run("bundled")
    assert run is not None, functions["dispatcher"].said()
    assert run.status is RunStatus.RUNNING

    assert functions["collector_relay"].push("collector-jobs", subject) == 204
    answer = ledger.answer("bundled", "dvf")
    assert answer is not None, functions["collector_relay"].said()
    assert answer.records == 7

    assert functions["aggregator"].push("collector-results", subject) == 204
    run = ledger.run("bundled")
    assert run is not None
    assert run.status is RunStatus.SUCCEEDED, functions["aggregator"].said()
    written = {path.name for path in (folder / "reports" / "bundled").iterdir()}
    assert {"report.html", "report.json"} <= written


#: Puts the google backend together; its clients connect later, and to nothing.
GOOGLE = """\
import os
from fanfold import logs, settings
from fanfold.runtime import google
parts = google.google_parts(settings.read_settings(os.environ), os.environ, log=logs.silent)
print(type(parts.ledger).__name__)
"""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bundle_holds_what_the_google_backend_needs(
    functions: Mapping[str, Deployed], name: str
) -> None:
    nowhere = {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:1", "PUBSUB_EMULATOR_HOST": "127.0.0.1:1"}

    said = functions[name].python(
        GOOGLE, {"FANFOLD_BACKEND": "google", "GOOGLE_CLOUD_PROJECT": "demo", **nowhere}
    )

    assert said.splitlines()[-1] == "FirestoreLedger"


def test_the_sweep_runs_in_its_bundle(functions: Mapping[str, Deployed]) -> None:
    tick = {"ce-type": "dev.fanfold.sweep.tick.v1"}

    assert functions["aggregator"].push("sweep-ticks", {}, tick) == 204
    assert "sweep" in functions["aggregator"].said()
    assert "CRITICAL" not in functions["aggregator"].said()
