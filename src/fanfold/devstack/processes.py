"""Processes that are started, watched, started again when they die, and ended: each with its group.

A process group of its own lets a stop reach what a child started itself (gunicorn's workers, a JVM
behind a script), and keeps Ctrl-C in the terminal from reaching it before us.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

#: How long a child may take until it answers, in seconds.
READY_TIMEOUT_S = 60.0

#: How long a child has to end by itself before it is killed, in seconds.
STOP_TIMEOUT_S = 5.0

#: How often the watch looks, in seconds.
WATCH_EVERY_S = 0.2

#: Pause before a child that died is started again, in seconds.
RESTART_AFTER_S = 0.5


class DidNotStart(Exception):
    """A child ended, or did not answer, before it was ready."""


@dataclass(slots=True)
class Child:
    """One process. ``url`` answers any status once it is ready; its output goes to ``log``."""

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

    def await_ready(self, stopping: threading.Event) -> None:
        """Return once it answers.

        Raises:
            DidNotStart: It ended, or took too long; the text has its last words.
        """
        until = time.monotonic() + READY_TIMEOUT_S
        while self.is_alive() and time.monotonic() < until and not stopping.is_set():
            if _answers(self.url):
                return
            stopping.wait(0.05)
        if not stopping.is_set():
            last = self.log.read_text("utf-8", "replace").splitlines()[-5:]
            raise DidNotStart(f"{self.name} did not start; {self.log} ends:\n" + "\n".join(last))

    def signal(self, number: int) -> None:
        """Send a signal to the whole group; the process may have ended, its group not."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def end(self) -> None:
        """Wait for the end that was asked for, and then insist."""
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_TIMEOUT_S)
        self.signal(signal.SIGKILL)
        self.process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - loopback
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


class Children:
    """Starts children, and starts again those that die, until :meth:`stop`.

    Args:
        say: Told in a sentence what happens.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.stopping = threading.Event()
        self._all: list[Child] = []
        self._then: dict[str, Callable[[], None]] = {}
        self._watch = threading.Thread(target=self._watch_all, name="children", daemon=True)

    def start(self, *children: Child) -> None:
        """Start *children* side by side, and return once all are ready."""
        for child in children:
            self._all.append(child)
            child.start()
        for child in children:
            child.await_ready(self.stopping)
            self._introduce(child)

    def after_restart(self, child: Child, act: Callable[[], None]) -> None:
        """Have *act* done each time *child* was started again."""
        self._then[child.name] = act

    def watch(self) -> None:
        """Begin to look for children that died."""
        self._watch.start()

    def stop(self) -> None:
        """End all of them, the last that was started first."""
        self.stopping.set()
        if self._watch.is_alive():
            self._watch.join()
        for child in reversed(self._all):
            child.signal(signal.SIGTERM)
        for child in reversed(self._all):
            child.end()

    def _watch_all(self) -> None:
        while not self.stopping.wait(WATCH_EVERY_S):
            for child in self._all:
                if not child.is_alive() and not self.stopping.is_set():
                    self._restart(child)

    def _restart(self, child: Child) -> None:
        code = child.process.returncode if child.process else None
        self.say(f"{child.name} died ({_how(code)}); starting it again")
        child.signal(signal.SIGKILL)  # a worker that outlived its master holds the port
        self.stopping.wait(RESTART_AFTER_S)
        child.start()
        try:
            child.await_ready(self.stopping)
            self._then.get(child.name, lambda: None)()
        except Exception as exc:  # noqa: BLE001 - the next look tries again
            self.say(str(exc))
        else:
            self._introduce(child)

    def _introduce(self, child: Child) -> None:
        if child.process is not None and not self.stopping.is_set():
            self.say(f"{child.name}: pid {child.process.pid}, {child.url}, log {child.log}")


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit {code}"
