"""What each function loads before its first event and at it, by the names of modules."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Nobody's in a function: the command's, the host's, and what people are shown.
NEVER = ("rich", "typer", "waitress", "prometheus_client", "fanfold.cli", "fanfold.devstack")
#: What only one event or another needs: none of it is loaded by importing the function.
LATER = (
    *(
        "google.cloud.firestore",
        "google.auth",
        "google.api_core",
        "grpc",
        "sqlite3",
        "pycurl",
        "requests",
    ),
    *("pydantic", "yaml", "fanfold.adapters.embedded", "fanfold.adapters.google.ledger"),
    *("fanfold.adapters.http", "fanfold.config", "fanfold.rendering"),
)
CONFIGURATION = ("pydantic", "yaml", "fanfold.config")
CALLS = ("pycurl", "fanfold.adapters.http")
PAGE = ("fanfold.rendering",)

CONFIG = """\
version: 2
scheduler:
  defaults: {auth: none, retries: {max: 0}}
  collectors:
    dvf: {url: "http://127.0.0.1:9/"}
    plu: {url: "http://127.0.0.1:9/"}
report: {folder: REPORTS}
"""

#: Loads a function's file as the functions framework does, and then gives it one push.
FIRST_EVENT = """
import json, runpy, sys
entry = runpy.run_path(sys.argv[1])["entry"]
before = sorted(sys.modules)
text, status, _ = entry.answer("POST", "/", {}, sys.argv[2].encode())
print("\\n" + json.dumps({"before": before, "after": sorted(sys.modules), "status": status}))
"""


@dataclass
class Loaded:
    """The modules that one function had before its first event and after it."""

    before: list[str]
    after: list[str]
    status: int


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Loaded]:
    """One run of two collectors, each step by a process of its own, up to the first result."""
    folder = tmp_path_factory.mktemp("first-event")
    config = folder / "config.yaml"
    config.write_text(CONFIG.replace("REPORTS", str(folder / "reports")))
    env = {
        "FANFOLD_BACKEND": "embedded",
        "FANFOLD_CONFIG": str(config),
        "FANFOLD_DB": str(folder / "fanfold.db"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    job = {"run_id": "r1", "collector": "dvf"}
    tick = {"ce-type": "dev.fanfold.sweep.tick.v1"}
    return {
        "request": _first_event("dispatcher", "run-requests", {"run_id": "r1"}, {}, env),
        "job": _first_event("collector_relay", "collector-jobs", job, {}, env),
        "result": _first_event("aggregator", "collector-results", job, {}, env),
        "sweep": _first_event("aggregator", "sweep-ticks", {}, tick, env),
    }


def _first_event(
    function: str,
    subscription: str,
    document: Mapping[str, str],
    attributes: Mapping[str, str],
    env: Mapping[str, str],
) -> Loaded:
    message = {
        "data": base64.b64encode(json.dumps(document).encode()).decode(),
        "attributes": dict(attributes),
        "messageId": "m1",
        "publishTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    push = {"message": message, "subscription": f"projects/p/subscriptions/{subscription}"}
    source = str(ROOT / "functions" / function / "main.py")
    return Loaded(**json.loads(_python(FIRST_EVENT, source, json.dumps(push), env=env)))


def _python(code: str, *arguments: str, env: Mapping[str, str]) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(
        command, env=dict(env), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


def _of(modules: list[str], names: tuple[str, ...]) -> list[str]:
    return [each for each in modules if any(f"{each}.".startswith(f"{name}.") for name in names)]


@pytest.mark.parametrize("event", ["request", "job", "result", "sweep"])
def test_importing_a_function_loads_what_every_event_needs(
    loaded: Mapping[str, Loaded], event: str
) -> None:
    assert _of(loaded[event].before, (*NEVER, *LATER)) == []


@pytest.mark.parametrize(
    ("event", "unused"),
    [
        ("request", (*NEVER, *CALLS, *PAGE)),
        ("job", (*NEVER, *CONFIGURATION, *PAGE)),
        ("result", (*NEVER, *CONFIGURATION, *CALLS, *PAGE)),
        ("sweep", (*NEVER, *CALLS, *PAGE)),
    ],
)
def test_the_first_event_loads_what_it_needs(
    loaded: Mapping[str, Loaded], event: str, unused: tuple[str, ...]
) -> None:
    assert loaded[event].status == 204
    assert _of(loaded[event].after, unused) == []


#: What the command looks at, and clients that wait for their first call.
NOT_OF_A_FUNCTION = (
    *("fanfold.adapters.google.deployment", "fanfold.adapters.google.bus.inventory"),
    *("fanfold.adapters.google.bus.undelivered", "google.pubsub_v1", "google.cloud.storage"),
    *("google.cloud.tasks_v2", "google.cloud.secretmanager_v1", "fanfold.adapters.embedded"),
    *("sqlite3", *CONFIGURATION, *CALLS, *PAGE, *NEVER),
)

PARTS = """
import json, sys
from fanfold.runtime.http_entry import function_parts
function_parts()
print(json.dumps(sorted(sys.modules)))
"""


def test_the_google_backend_is_put_together_from_its_ledger_alone() -> None:
    env = {
        "FANFOLD_BACKEND": "google",
        "GOOGLE_CLOUD_PROJECT": "demo",
        "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    modules = json.loads(_python(PARTS, env=env))

    assert "google.cloud.firestore" in modules
    assert _of(modules, NOT_OF_A_FUNCTION) == []
