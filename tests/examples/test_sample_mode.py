"""What each collector says from the bundled samples, with no parameter at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.examples.conftest import Load, Says

COLLECTORS = Path(__file__).resolve().parents[2] / "examples" / "collectors"
NAMES = ["dvf", "sirene", "insee_contours", "plu"]


@pytest.mark.parametrize(
    ("name", "records", "metrics"),
    [
        ("dvf", 302, {"mutations": 180, "files": 1}),
        ("sirene", 101, {"segments": 1, "announced": 101, "requests": 5}),
        ("insee_contours", 101, {"points": 1948}),
        ("plu", 48, {"communes": 12, "communes_under_rnu": 0, "partitions": 12, "requests": 36}),
    ],
)
def test_the_records_of_the_sample_are_counted(
    load: Load, name: str, records: int, metrics: dict[str, int]
) -> None:
    response = load(name).post()

    assert response.status_code == 200
    assert response.json["records"] == records
    assert response.json["metrics"] == metrics
    assert response.json["bytes"] > 0
    assert response.json["warnings"] == []
    assert response.json["unchanged"] is False


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_has_every_key_of_the_contract(load: Load, name: str) -> None:
    assert set(load(name).post().json) == {
        "records", "bytes", "artifacts", "revision", "unchanged", "warnings", "metrics",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_get_is_a_health_check_that_asks_nothing_of_the_upstream(
    load: Load, upstream_says: Says, name: str
) -> None:
    double = upstream_says(lambda _asked: {})

    response = load(name).client.get("/?health")

    assert response.json == {"collector": name, "source": "sample", "status": "ok"}
    assert double.asked == []


@pytest.mark.parametrize("name", NAMES)
def test_a_bare_post_runs_with_the_defaults(load: Load, name: str) -> None:
    assert load(name).client.post("/").status_code == 200


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_contract_is_accepted(load: Load, name: str) -> None:
    response = load(name).post(
        collector=name,
        attempt=2,
        deadline="2999-01-01T00:00:00Z",
        scheduled_for="2026-01-01T03:15:00Z",
        params={},
        previous={"revision": None, "records": None},
        callback={"url": "https://relay.example/answers", "token": "made-up"},
    )

    assert response.status_code == 200


@pytest.mark.parametrize("name", NAMES)
def test_one_log_line_per_attempt_holds_the_run_and_no_row(
    load: Load, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    load(name).post(attempt=3, callback={"token": "made-up"})

    (line,) = capsys.readouterr().out.splitlines()
    entry = json.loads(line)
    assert (entry["severity"], entry["run_id"], entry["attempt"]) == ("INFO", "run-1", 3)
    assert "RUE" not in line
    assert "COMMUNE" not in line
    assert "made-up" not in line


def test_a_log_line_joins_the_trace_of_the_run(
    load: Load, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "demo")
    trace = "0af7651916cd43dd8448eb211c80319c"

    load("dvf").client.post("/", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})

    entry = json.loads(capsys.readouterr().out)
    assert entry["logging.googleapis.com/trace"] == f"projects/demo/traces/{trace}"


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("dvf", {"departement": "35"}),
        ("dvf", {"year": "2023"}),
        ("sirene", {"departement": "35"}),
        ("sirene", {"source": "insee"}),
        ("insee_contours", {"departement": "35"}),
        ("plu", {"commune": "35238"}),
    ],
)
def test_what_the_samples_do_not_hold_is_refused_and_never_answered_as_empty(
    load: Load, name: str, params: dict[str, Any]
) -> None:
    response = load(name).post(params=params)

    assert (response.status_code, response.json["kind"]) == (400, "not_in_sample")
    assert "samples" in response.json["error"]


def test_another_word_than_live_or_sample_is_a_clear_error(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTOR_SOURCE", "smaple")

    response = load("dvf").post()

    assert (response.status_code, response.json["kind"]) == (500, "misconfigured")
    assert "live or sample" in response.json["error"]


@pytest.mark.parametrize("name", NAMES)
def test_importing_a_collector_reads_no_sample_and_opens_no_connection(name: str) -> None:
    code = (
        "import builtins, io, pathlib, socket, sys, importlib.util as u\n"
        "import flask, requests\n"
        "def no(*a, **k): raise AssertionError('I/O while importing')\n"
        "socket.socket.connect = pathlib.Path.read_bytes = pathlib.Path.open = no\n"
        "spec = u.spec_from_file_location('main', sys.argv[1])\n"
        "spec.loader.exec_module(u.module_from_spec(spec))\n"
        "assert '_kit.offline' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(COLLECTORS / name / "main.py")], check=True)
