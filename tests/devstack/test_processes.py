"""Children: ready when they answer, started again when they die, and never left behind."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fanfold.devstack.example_collectors import COLLECTORS, example_collectors, examples_root
from fanfold.devstack.processes import (
    Child,
    Children,
    DidNotStart,
    StartInterrupted,
    end_all,
    free_ports,
)
from fanfold.domain.model.errors import NotConfigured

#: Answers 404 on the port that it is given; a grandchild of its own group sleeps beside it.
SERVER = """
import http.server, subprocess, sys
print("starting", flush=True)
subprocess.Popen(["sleep", "60"])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(404)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

#: Does not mind being asked to end.
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + SERVER

PATIENCE_S = 20.0


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    made: list[Child] = []

    def child(code: str = SERVER, name: str = "server") -> Child:
        (port,) = free_ports(1)
        command = [sys.executable, "-c", code, str(port)]
        made.append(Child(name, command, f"http://127.0.0.1:{port}/", tmp_path / f"{name}.log"))
        return made[-1]

    yield child
    end_all(made, 0)


def group_of(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


def test_ports_are_free_and_no_two_the_same() -> None:
    ports = free_ports(50)

    assert len(set(ports)) == 50
    with socket.socket() as mine:
        mine.bind(("127.0.0.1", ports[0]))


def test_a_child_is_ready_when_it_answers_whatever_it_says(make: Callable[..., Child]) -> None:
    child = make()
    assert not child.is_ready()

    child.start()
    child.await_ready()

    assert child.is_ready()
    assert child.log.read_text("utf-8").startswith("starting")


def test_an_end_reaches_the_whole_group(make: Callable[..., Child]) -> None:
    child = make()
    child.start()
    child.await_ready()

    child.end()

    assert not child.is_alive()
    until(lambda: is_gone(group_of(child)))
    assert not child.is_ready()


def test_a_child_that_does_not_end_is_killed(make: Callable[..., Child]) -> None:
    children = [make(STUBBORN, f"stubborn{number}") for number in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.await_ready()

    started = time.monotonic()
    end_all(children, within_s=0.5)

    assert 0.4 < time.monotonic() - started < 5  # the wait is for all of them together
    assert [child.end_words() for child in children] == ["SIGKILL"] * 3
    until(lambda: all(is_gone(group_of(child)) for child in children))


def test_an_end_that_was_never_started_does_nothing(make: Callable[..., Child]) -> None:
    make().end()


def test_a_child_that_ends_at_once_is_told_with_its_last_words(make: Callable[..., Child]) -> None:
    broken = make("print('first'); raise SystemExit('no such module')", "broken")
    with Children(lambda _: None) as children, pytest.raises(DidNotStart) as caught:
        children.start(broken)

    assert caught.value.child == "broken"
    assert str(caught.value).startswith("broken ended (exit 1); ")
    assert str(caught.value).endswith("first\nno such module")


def test_a_child_that_never_answers_is_told_so(
    make: Callable[..., Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fanfold.devstack.processes.READY_TIMEOUT_S", 0.2)
    silent = make("import time; time.sleep(60)", "silent")
    with Children(lambda _: None) as children, pytest.raises(DidNotStart, match="does not answer"):
        children.start(silent)

    until(lambda: is_gone(group_of(silent)))


def test_a_start_can_be_interrupted(make: Callable[..., Child]) -> None:
    asked = threading.Event()
    silent = make("import time; time.sleep(60)", "silent")
    threading.Timer(0.3, asked.set).start()
    with Children(lambda _: None, asked.is_set) as children, pytest.raises(StartInterrupted):
        children.start(silent)

    until(lambda: is_gone(group_of(silent)))


def test_a_child_that_dies_is_started_again_and_told(make: Callable[..., Child]) -> None:
    told: list[str] = []
    set_up: list[str] = []
    child = make()
    with Children(told.append) as children:
        children.start(child)
        children.after_restart(child, lambda: set_up.append("again"))
        children.watch()
        first = group_of(child)
        os.killpg(first, signal.SIGKILL)
        until(lambda: len(told) == 3)

        second = group_of(child)
        assert second != first
        assert child.is_ready()
        assert told[0].startswith(f"server: pid {first}, http://127.0.0.1:")
        assert told[1] == "server died (SIGKILL); starting it again"
        assert told[2].startswith(f"server: pid {second}, http://127.0.0.1:")
        assert set_up == ["again"]
    until(lambda: is_gone(second))
    assert len(told) == 3  # what is ended is no death


def test_a_restart_that_fails_is_told_and_tried_again(
    make: Callable[..., Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fanfold.devstack.processes.RESTART_AFTER_S", 0.01)
    told: list[str] = []
    child = make()
    with Children(told.append) as children:
        children.start(child)
        good, child.command = child.command, [sys.executable, "-c", "raise SystemExit(7)"]
        children.watch()
        os.killpg(group_of(child), signal.SIGKILL)
        until(lambda: sum("server ended (exit 7)" in line for line in told) >= 2)
        child.command = good
        until(child.is_ready)


def test_many_starts_and_ends_leave_no_descriptor_and_no_thread(make: Callable[..., Child]) -> None:
    def one() -> None:
        with Children(lambda _: None) as children:
            child = make()
            children.start(child)
            children.watch()
        assert child.process is not None

    one()
    descriptors = open_descriptors()
    threads = threading.active_count()
    for _ in range(3):
        one()

    assert open_descriptors() == descriptors
    assert threading.active_count() == threads


def test_the_example_collectors_are_the_folders_of_the_checkout() -> None:
    folders = {path.parent.name for path in examples_root().glob("examples/collectors/*/main.py")}

    assert folders == set(COLLECTORS)


def test_without_the_examples_it_says_where_they_should_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fanfold.devstack.example_collectors.EXAMPLES", Path("no/such/folder"))
    with pytest.raises(NotConfigured, match=r"there is no .*no/such/folder"):
        examples_root()


@pytest.mark.slow
def test_the_example_collectors_answer_and_end(tmp_path: Path) -> None:
    served = example_collectors(examples_root(), "sample")
    with Children(lambda _: None) as children:
        processes = [each.child(tmp_path) for each in served]
        children.start(*processes)
        assert all(child.is_ready() for child in processes)
    assert not any(child.is_alive() or child.is_ready() for child in processes)
