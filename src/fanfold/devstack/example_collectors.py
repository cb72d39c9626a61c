"""The example collectors as processes of their own: started, awaited, and always stopped."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from fanfold.cli.exit_codes import INTERRUPTED, CommandError
from fanfold.cli.interrupt import Interrupt

#: Where the examples are, in a checkout.
EXAMPLES = Path("examples/collectors")

#: Longest wait for a collector to answer, in seconds.
READY_WITHIN_S = 30.0

#: How long a collector may take to stop before it is killed, in seconds.
STOP_WITHIN_S = 3.0


def checkout() -> Path:
    """Return the root of the checkout: this folder, one above it, or the package's own.

    Raises:
        CommandError: The examples are in none of them.
    """
    here = Path.cwd()
    for root in (here, *here.parents, *Path(__file__).resolve().parents):
        if (root / EXAMPLES / "_kit").is_dir():
            return root
    raise CommandError(
        f"the demo needs a checkout of fanfold: there is no {EXAMPLES} here or above",
        "git clone the repository, cd into it, then make run",
    )


class Fleet:
    """The example collectors of the checkout at *root*, asking *source* (sample or live).

    Leaving the block stops every process that was started, by its id.
    """

    def __init__(self, root: Path, source: str) -> None:
        self.folder = root / EXAMPLES
        self.source = source
        self.names = tuple(sorted(path.parent.name for path in self.folder.glob("*/main.py")))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: dict[str, IO[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes.values():
            if process.poll() is None:
                process.terminate()
        until = time.monotonic() + STOP_WITHIN_S
        for process in self._processes.values():
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for log in self._logs.values():
            log.close()

    def start(self, interrupted: Interrupt) -> Mapping[str, str]:
        """Start every collector and return their addresses once each answers.

        Raises:
            CommandError: One does not start, or it was interrupted.
        """
        ports = _free_ports(len(self.names))
        for name, port in zip(self.names, ports, strict=True):
            self._spawn(name, port)
        until = time.monotonic() + READY_WITHIN_S
        for name, port in zip(self.names, ports, strict=True):
            while not _answers(port):
                self._check(name, late=time.monotonic() > until)
                if interrupted.wait(0.05):
                    raise CommandError(
                        "interrupted: no run was started", "fanfold demo", INTERRUPTED
                    )
        return {
            name: f"http://127.0.0.1:{port}/" for name, port in zip(self.names, ports, strict=True)
        }

    def _spawn(self, name: str, port: int) -> None:
        import tempfile  # noqa: PLC0415

        self._logs[name] = log = tempfile.TemporaryFile()  # noqa: SIM115 - closed on leaving
        arguments = ["--target", "collect", "--signature-type", "http", "--host", "127.0.0.1"]
        self._processes[name] = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [
                sys.executable,
                "-c",
                "from functions_framework._cli import _cli; _cli()",
                *arguments,
                "--port",
                str(port),
                "--source",
                str(self.folder / name / "main.py"),
            ],
            env={**os.environ, "COLLECTOR_SOURCE": self.source},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us; we stop them
        )

    def _check(self, name: str, *, late: bool) -> None:
        """Raise if the process of *name* has ended, or it is too *late*."""
        status = self._processes[name].poll()
        if status is None and not late:
            return
        log = self._logs[name]
        log.seek(0)
        last = log.read().decode("utf-8", "replace").strip().splitlines()[-1:] or [
            "it said nothing"
        ]
        what = "does not answer" if status is None else f"ended with {status}"
        raise CommandError(
            f"the example collector {name} {what}: {last[0]}",
            f"{sys.executable} -m pip install -r {self.folder / 'requirements.txt'}",
        )


def _free_ports(number: int) -> list[int]:
    """Return so many free ports of the loopback address, no two the same."""
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    except http.client.HTTPException:
        return False
    finally:
        connection.close()
