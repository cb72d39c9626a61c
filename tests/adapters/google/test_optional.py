"""What is optional is loaded by whoever uses it, and by nobody else."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

#: Libraries of the google backend and of its optional parts, as modules.
LIBRARIES = ("google.auth", "google.api_core", "grpc", "google.cloud.storage")
OPTIONAL = ("google.cloud.storage", "google.cloud.tasks_v2", "google.cloud.secretmanager_v1")

GOOGLE = """
import io
from fanfold import logs, settings
from fanfold.runtime import collector_client, google
env = {"GOOGLE_CLOUD_PROJECT": "demo", "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9"}
log = logs.JsonLog(io.StringIO(), project="", at_least="INFO")
google.google_parts(settings.read_settings(env), env, log=log)
collector_client.collector_client(env)
"""

CLIENT = """
from fanfold.runtime.collector_client import collector_client
collector_client({"GOOGLE_CLOUD_PROJECT": "demo"})
"""


def _loaded(code: str, modules: tuple[str, ...]) -> list[str]:
    """Return those of *modules* that a new process has after *code*."""
    ask = f"{code}\nimport sys\nprint(*[each for each in {modules!r} if each in sys.modules])"
    command = [sys.executable, "-c", ask]
    env = {"PYTHONPATH": os.pathsep.join(sys.path), "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    "code",
    [
        "import fanfold.runtime.google",
        "import fanfold.runtime.http_entry",
        "import fanfold.adapters.google.secret_manager",
        "import fanfold.adapters.google.identity",
        "import fanfold.adapters.google.bus.task_route",
        # A collector of the embedded backend, which may be installed without Google's libraries.
        CLIENT,
    ],
)
def test_importing_loads_none_of_google_s_libraries(code: str) -> None:
    assert _loaded(code, (*LIBRARIES, *OPTIONAL)) == []


def test_the_google_backend_is_built_without_its_optional_parts() -> None:
    assert _loaded(GOOGLE, OPTIONAL) == []
