"""The official emulators, started when a test first needs one and stopped after the last.

Each is a JVM in a process group of its own, on a free loopback port. Test processes that run side
by side (pytest-xdist) share one: a locked file counts who uses it, and the last one ends it. An
emulator that is running already is used instead if ``FIRESTORE_EMULATOR_HOST`` or
``PUBSUB_EMULATOR_HOST`` names it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

#: How long an emulator may take until it answers, in seconds; twice what a busy machine took.
START_TIMEOUT_S = 40.0

#: How long an emulator has to end by itself before it is killed, in seconds.
STOP_TIMEOUT_S = 5.0

#: Less compiling, less memory: an emulator in a test session is short-lived.
JVM_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx768m")

VARIABLES: Mapping[str, str] = {
    "firestore": "FIRESTORE_EMULATOR_HOST",
    "pubsub": "PUBSUB_EMULATOR_HOST",
}

#: The emulators that this process started, by process group: kept, so that they can be reaped.
_started: dict[int, subprocess.Popen[bytes]] = {}


@contextmanager
def emulator(kind: str, shared: Path) -> Iterator[str]:
    """Yield ``host:port`` of the *kind* emulator (``firestore`` or ``pubsub``).

    Args:
        kind: A key of :data:`VARIABLES`.
        shared: A folder that the test processes of one session have in common.
    """
    given = os.environ.get(VARIABLES[kind])
    if given:
        yield given
        return
    command = _command(kind)
    shared.mkdir(parents=True, exist_ok=True)
    host = _enter(kind, command, shared)
    try:
        yield host
    finally:
        _leave(kind, shared)


def _enter(kind: str, command: list[str], shared: Path) -> str:
    with _state(kind, shared) as state:
        if not state:
            port = free_port()
            log = shared / f"{kind}.log"
            process = _start([*command, f"--port={port}"], log)
            state.update(host=f"127.0.0.1:{port}", group=process.pid, users=0)
            try:
                _wait(state["host"], process, log)
            except BaseException:
                _stop(process.pid, state["host"])
                state.clear()
                raise
        state["users"] += 1
        host: str = state["host"]
        return host


def _leave(kind: str, shared: Path) -> None:
    with _state(kind, shared) as state:
        if not state:
            return
        state["users"] -= 1
        if state["users"] == 0:
            _stop(state["group"], state["host"])
            state.clear()


@contextmanager
def _state(kind: str, shared: Path) -> Iterator[dict[str, Any]]:
    """Yield what the test processes know of their emulator, and store what is made of it."""
    with (shared / f"{kind}.lock").open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        state: dict[str, Any] = json.loads(file.read() or "{}")
        try:
            yield state
        finally:
            file.seek(0)
            file.truncate()
            file.write(json.dumps(state))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _command(kind: str) -> list[str]:
    """Return how to start the emulator; skip where it is not installed, fail where it must be."""
    gcloud = shutil.which("gcloud")
    if gcloud is not None and shutil.which("java") is not None:
        platform = Path(gcloud).resolve().parent.parent / "platform"
        java = ["java", *JVM_FLAGS, "-Duser.language=en"]
        jar = platform / "cloud-firestore-emulator" / "cloud-firestore-emulator.jar"
        if kind == "firestore" and jar.exists():
            main = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
            mode = "--database-mode=firestore-native"
            return [*java, "-cp", str(jar), main, "start", "--host=127.0.0.1", mode]
        jars = sorted((platform / "pubsub-emulator" / "lib").glob("cloud-pubsub-emulator-*.jar"))
        if kind == "pubsub" and jars:
            return [*java, "-jar", str(jars[-1]), "--host=127.0.0.1"]
    missing = (
        f"no {kind} emulator: install it with "
        f"`gcloud components install cloud-firestore-emulator pubsub-emulator` and Java 17,"
        f" or set {VARIABLES[kind]}"
    )
    if os.environ.get("CI") or os.environ.get("FANFOLD_REQUIRE_EMULATORS") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _started[process.pid] = process
    return process


def _wait(host: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the emulator answers HTTP."""
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://{host}/", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    said = log.read_text("utf-8", "replace")[-2000:]
    raise RuntimeError(f"the emulator at {host} did not come up: {said}")


def _stop(group: int, host: str) -> None:
    """End the process group, politely first; whoever started it reaps it."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        end = time.monotonic() + STOP_TIMEOUT_S
        while time.monotonic() < end and _listens(host):
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)
    if group in _started:
        _started.pop(group).wait(STOP_TIMEOUT_S)


def _listens(host: str) -> bool:
    name, _, port = host.rpartition(":")
    try:
        socket.create_connection((name, int(port)), timeout=1).close()
    except OSError:
        return False
    return True
