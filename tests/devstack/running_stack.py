"""``python -m fanfold.devstack`` as a process, driven from outside as a developer would."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.scenarios.collectors import Collectors

#: Longest waits for the start and for the end of a run, in seconds, on a busy machine.
START_S, RUN_S = 90.0, 100.0

#: Who is started, and where its process group can be reached.
INTRODUCED = re.compile(r"^(\w+): pid (\d+), ", re.MULTILINE)


class RunningStack:
    """The stack with scripted collectors. *limit* of them are called at a time."""

    def __init__(
        self, folder: Path, collectors: Collectors, names: Sequence[str], limit: int
    ) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.config = folder / "config.yaml"
        urls = {name: {"url": collectors.url(name)} for name in names}
        scheduler = {
            "max_concurrent_collectors": limit,
            "run_timeout": "80s",
            "defaults": {"timeout": "5s", "retries": {"max": 2, "backoff": "1s"}},
            "collectors": urls,
        }
        document = {"version": 2, "scheduler": scheduler}
        document |= {"report": {"folder": str(folder / "reports")}}
        self.config.write_text(json.dumps(document), encoding="utf-8")
        env = {**os.environ, "FANFOLD_CONFIG": str(self.config), "GOOGLE_CLOUD_PROJECT": ""}
        self._said = (folder / "stderr.txt").open("w", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fanfold.devstack", "--sweep-every=2"],
            env=env,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def await_ready(self) -> None:
        until = time.monotonic() + START_S
        while "ready" not in self.lines:
            assert time.monotonic() < until, self.said()
            assert self.process.poll() is None, self.said()
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it as a terminal or a supervisor would; return its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=40)
        self._reading.join(timeout=5)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._said.close()
        return code

    def said(self) -> str:
        return (self.folder / "stderr.txt").read_text("utf-8")

    def pids(self) -> dict[str, int]:
        """Return the latest process of each name."""
        return {name: int(pid) for name, pid in INTRODUCED.findall(self.said())}

    def urls(self) -> dict[str, str]:
        """Return where each process answers."""
        return dict(re.findall(r"^(\w+): pid \d+, (http://\S+/),", self.said(), re.MULTILINE))

    def hosts(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.lines if "=" in line)

    def report(self, run_id: str) -> dict[str, Any]:
        """Return the run's report once it is written."""
        path = self.folder / "reports" / run_id / "report.json"
        until = time.monotonic() + RUN_S
        while not path.exists():
            assert time.monotonic() < until, f"{run_id} did not end:\n{self.said()}"
            time.sleep(0.05)
        report: dict[str, Any] = json.loads(path.read_bytes())
        return report

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
