"""Processes that are started, watched, started again when they die, and ended: each with its group.

A process group of its own lets a stop reach what a child started itself (gunicorn's workers, a JVM
behind a script), and keeps Ctrl-C in the terminal from reaching it before us.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

#: How long a child may take until it answers, in seconds.
READY_TIMEOUT_S = 60.0

#: How long children have to end by themselves before they are killed, in seconds.
STOP_TIMEOUT_S = 5.0

#: How often the watch looks, in seconds.
WATCH_EVERY_S = 0.2

#: Pause before a child that died is started again, in seconds.
RESTART_AFTER_S = 0.5


class DidNotStart(Exception):
    """A child ended, or did not answer, before it was ready. ``child`` is its name."""

    def __init__(self, child: str, why: str) -> None:
        super().__init__(why)
        self.child = child


class StartInterrupted(Exception):
    """Somebody asked to stop before all children were ready."""


def free_ports(number: int) -> list[int]:
    """Return so many loopback ports that nobody listens on now, no two the same."""
    with ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@dataclass(slots=True)
class Child:
    """One process that answers HTTP at ``url`` once it is ready. Its output goes to ``log``."""

    name: str
    command: Sequence[str]
    url: str
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; it is not ready yet."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - commands that fanfold makes itself
                self.command,
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_alive(self) -> bool:
        """Return whether the process itself still runs."""
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        """Return whether it answers, with any status."""
        host, _, port = self.url.removeprefix("http://").partition("/")[0].rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=2)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True

    def await_ready(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Return once it answers.

        Raises:
            DidNotStart: It ended, or took too long; the text has its last words.
            StartInterrupted: *is_stopping* returned True.
        """
        until = time.monotonic() + READY_TIMEOUT_S
        while self.is_alive() and time.monotonic() < until:
            if is_stopping():
                raise StartInterrupted
            if self.is_ready():
                return
            time.sleep(0.05)
        if is_stopping():
            raise StartInterrupted
        what = "does not answer" if self.is_alive() else f"ended ({self.end_words()})"
        last = self.log.read_text("utf-8", "replace").splitlines()[-5:]
        raise DidNotStart(self.name, f"{self.name} {what}; {self.log} ends:\n" + "\n".join(last))

    def end_words(self) -> str:
        """Return how the process ended, in a word or two."""
        code = self.process.returncode if self.process is not None else None
        return signal.Signals(-code).name if code is not None and code < 0 else f"exit {code}"

    def signal(self, number: int) -> None:
        """Send a signal to the whole group; the process may have ended, its group not."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def end(self, within_s: float = STOP_TIMEOUT_S) -> None:
        """Ask the group to end, wait up to *within_s* seconds, and then insist."""
        end_all([self], within_s)


def end_all(children: Sequence[Child], within_s: float = STOP_TIMEOUT_S) -> None:
    """End *children* and all that they started, in *within_s* seconds together."""
    started = [(child, child.process) for child in children if child.process is not None]
    for child, _ in started:
        child.signal(signal.SIGTERM)
    until = time.monotonic() + within_s
    for child, process in started:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, until - time.monotonic()))
        child.signal(signal.SIGKILL)
        process.wait()


@dataclass(frozen=True, slots=True)
class Served:
    """What functions-framework serves: the function *target* in the file *source*."""

    name: str
    source: Path
    target: str
    port: int
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self.port}/"

    def child(self, folder: Path) -> Child:
        """Return the process that serves it, with its log in *folder*."""
        command = [
            *(sys.executable, "-m", "functions_framework", "--signature-type=http"),
            *(f"--source={self.source}", f"--target={self.target}"),
            *("--host=127.0.0.1", f"--port={self.port}"),
        ]
        return Child(self.name, command, self.url, folder / f"{self.name}.log", self.env)


class Children:
    """Starts children, and starts again those that die, until :meth:`stop` or the block's end.

    Args:
        say: Told in a sentence what happens.
        is_interrupted: Whether somebody asked to stop; a start in progress then ends.
    """

    def __init__(
        self, say: Callable[[str], None], is_interrupted: Callable[[], bool] = lambda: False
    ) -> None:
        self.say = say
        self.is_interrupted = is_interrupted
        self._all: list[Child] = []
        self._then: dict[str, Callable[[], None]] = {}
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._watch_all, name="children", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, *children: Child) -> None:
        """Start *children* side by side, and return once all are ready.

        Raises:
            DidNotStart: One ended or does not answer.
            StartInterrupted: Somebody asked to stop meanwhile.
        """
        for child in children:
            self._all.append(child)
            child.start()
        for child in children:
            child.await_ready(self._is_stopping)
            self._introduce(child)

    def after_restart(self, child: Child, act: Callable[[], None]) -> None:
        """Have *act* done each time *child* was started again."""
        self._then[child.name] = act

    def watch(self) -> None:
        """Begin to look for children that died."""
        self._watch.start()

    def stop(self) -> None:
        """End all of them, the last that was started first."""
        self._stopping.set()
        if self._watch.is_alive():
            self._watch.join()
        end_all(self._all[::-1])

    def _is_stopping(self) -> bool:
        return self._stopping.is_set() or self.is_interrupted()

    def _watch_all(self) -> None:
        while not self._stopping.wait(WATCH_EVERY_S):
            for child in self._all:
                if not child.is_alive() and not self._is_stopping():
                    self._restart(child)

    def _restart(self, child: Child) -> None:
        self.say(f"{child.name} died ({child.end_words()}); starting it again")
        child.signal(signal.SIGKILL)  # a worker that outlived its master holds the port
        self._stopping.wait(RESTART_AFTER_S)
        child.start()
        try:
            child.await_ready(self._is_stopping)
            self._then.get(child.name, lambda: None)()
        except StartInterrupted:
            return
        except Exception as exc:  # noqa: BLE001 - the next look tries again
            self.say(str(exc))
        else:
            self._introduce(child)

    def _introduce(self, child: Child) -> None:
        if child.process is not None:
            self.say(f"{child.name}: pid {child.process.pid}, {child.url}, log {child.log}")
