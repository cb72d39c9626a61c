"""One machine for stories with real processes: ``fanfold`` commands that share a file."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.scenarios.collectors import Collectors
from tests.scenarios.world import PATIENCE_S, check_balance

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger

#: Outcomes that no result event changes any more.
ENDED = {"succeeded", "failed", "cancelled"}


class Machine:
    """One machine: a configuration, a file, and the ``fanfold`` processes that share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "FANFOLD_CONFIG": str(folder / "config.yaml"),
            "FANFOLD_DB": str(folder / "fanfold.db"),
        }
        self.serving: list[subprocess.Popen[bytes]] = []

    def serve(
        self, *, stdout: Any = subprocess.DEVNULL, before: str = 'exec "$@"', port: int = 0
    ) -> subprocess.Popen[bytes]:
        """Start a service; *before* is a shell's text that starts it, after setting limits."""
        fanfold = [sys.executable, "-m", "fanfold", "serve", "--port", str(port)]
        process = subprocess.Popen(
            ["/bin/sh", "-c", before, "sh", *fanfold], env=self.environment, stdout=stdout
        )
        self.serving.append(process)
        return process

    def health(self, port: int, token: str = "") -> tuple[int, dict[str, Any]]:
        """Return what the service on *port* says of itself, once it is up; all with the *token*."""
        until = time.monotonic() + PATIENCE_S
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/healthz", headers={"Authorization": f"Bearer {token}"}
        )
        while True:
            try:
                with urllib.request.urlopen(asked, timeout=10) as answer:
                    return answer.status, json.load(answer)
            except urllib.error.HTTPError as exc:
                with exc:
                    return exc.code, json.load(exc)
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.05)

    def fanfold(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fanfold", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def report(self, run_id: str) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE_S
        while True:
            asked = self.fanfold("status", run_id, "--format", "json")
            if asked.stdout and json.loads(asked.stdout)["status"] in ENDED:
                break
            assert time.monotonic() < until, asked
            time.sleep(0.2)
        report: dict[str, Any] = json.loads(
            self.fanfold("report", run_id, "--format", "json").stdout
        )
        check_balance(report)
        return report

    def answered(self, run_id: str) -> set[str]:
        ledger = SqliteLedger(Database(self.folder / "fanfold.db"))
        try:
            return {answer.collector for answer in ledger.answers(run_id)}
        finally:
            ledger.close()

    def ask_for_a_run(self, *arguments: str) -> str:
        """Publish a request and return the id of its run."""
        asked = self.fanfold("run", "--no-wait", *arguments)
        assert asked.returncode == 0, asked.stderr
        return asked.stdout.strip()

    def stop(self) -> None:
        """Kill every service, paused ones too."""
        for process in self.serving:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_until_asked(collectors: Collectors, count: int) -> None:
    """Return once the collectors were asked *count* times."""
    until = time.monotonic() + PATIENCE_S
    while len(collectors.asked) < count:
        assert time.monotonic() < until
        time.sleep(0.01)
