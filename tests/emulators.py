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
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.needs import give_up

from fanfold.devstack import emulators
from fanfold.devstack.processes import STOP_TIMEOUT_S, Child, free_ports
from fanfold.domain.model.errors import NotConfigured

VARIABLES: Mapping[str, str] = {
    "firestore": "FIRESTORE_EMULATOR_HOST",
    "pubsub": "PUBSUB_EMULATOR_HOST",
}

#: The emulators that this process started, by process group: kept, so that they can be reaped.
_started: dict[int, Child] = {}


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
    require(kind)
    shared.mkdir(parents=True, exist_ok=True)
    host = _enter(kind, shared)
    try:
        yield host
    finally:
        _leave(kind, shared)


def _enter(kind: str, shared: Path) -> str:
    with _state(kind, shared) as state:
        if not state:
            child = _start(kind, shared)
            assert child.process is not None
            _started[child.process.pid] = child
            host = child.url.removeprefix("http://").strip("/")
            state.update(host=host, group=child.process.pid, users=0)
        state["users"] += 1
        return str(state["host"])


def _start(kind: str, shared: Path) -> Child:
    (port,) = free_ports(1)
    command = _command(kind, port)
    child = Child(kind, command, f"http://127.0.0.1:{port}/", shared / f"{kind}.log")
    child.start()
    try:
        child.await_ready()
    except BaseException:
        child.end()
        raise
    return child


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


def require(kind: str) -> None:
    """Skip where the emulator is not installed; fail where it must be."""
    try:
        _command(kind, 1)
    except NotConfigured as exc:
        missing = f"no {kind} emulator: {exc}; or set {VARIABLES[kind]}"
        give_up(missing)


def _command(kind: str, port: int) -> Sequence[str]:
    if kind == "firestore":
        return emulators.firestore_command(port)
    return emulators.pubsub_command(port, "demo-fanfold")


def _stop(group: int, host: str) -> None:
    """End the process group; if another test process started it, that one reaps it."""
    if group in _started:
        _started.pop(group).end()
        return
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        until = time.monotonic() + STOP_TIMEOUT_S
        while time.monotonic() < until and Child("", (), f"http://{host}/", Path()).is_ready():
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)
