"""A function as it runs on Google Cloud: unzipped, with its own requirements, behind its server."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import http.client
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.bundle import ROOT

from fanfold.devstack.processes import free_ports

#: How long a function may take to listen, in seconds: it starts on a busy machine, too.
STARTS_IN_S = 60.0

#: How long it may take for one event, in seconds.
ANSWERS_IN_S = 30.0


def environment(requirements: Path) -> Path:
    """Return a venv with *requirements* and nothing else, made once for each content.

    Whoever comes while another process makes it waits: ``--clear`` would empty it under the other.
    """
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    folder = ROOT / "build" / "venvs" / digest
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _run(sys.executable, "-m", "venv", "--clear", str(folder))
            pip = str(folder / "bin" / "pip")
            _run(pip, "install", "--quiet", "--require-hashes", "-r", str(requirements))
            (folder / "complete").touch()
    return folder


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@dataclass
class Deployed:
    """One function, serving. ``log`` is what it printed."""

    name: str
    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def get(self) -> int:
        """Return the status of a probe."""
        return self._answer(urllib.request.Request(self._url))[0]

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body of what answers a POST to *path*."""
        return self._answer(urllib.request.Request(f"{self._url}{path}", body, method="POST"))

    def push(
        self, topic: str, document: Any = None, attributes: Mapping[str, str] | None = None
    ) -> int:
        """Return the status that answers a wrapped Pub/Sub push of *document*, as JSON."""
        content = b"" if document is None else json.dumps(document).encode()
        message = {
            "data": base64.b64encode(content).decode(),
            "attributes": dict(attributes or {}),
            "messageId": hashlib.sha256(content).hexdigest()[:16],
            "publishTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        wrapped = {
            "message": message,
            "subscription": f"projects/demo/subscriptions/{topic}",
            "deliveryAttempt": 1,
        }
        body = json.dumps(wrapped).encode()
        request = urllib.request.Request(
            self._url, body, {"Content-Type": "application/json"}, method="POST"
        )
        return self._answer(request)[0]

    def python(self, source: str, env: Mapping[str, str]) -> str:
        """Return what *source* prints in the function's folder, with its requirements."""
        python = environment(self.folder / "requirements.txt") / "bin" / "python"
        done = subprocess.run(
            [str(python), "-c", source],
            cwd=self.folder,
            env={"HOME": str(self.folder), **env},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stop(self) -> None:
        """End the process, and wait for it."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def said(self) -> str:
        """Return what the function printed."""
        return self.log.read_text("utf-8", "replace")

    def wait_until_it_listens(self) -> None:
        """Return once the function answers a probe."""
        until = time.monotonic() + STARTS_IN_S
        while True:
            assert self.process.poll() is None, self.said()
            try:
                assert self.get() == 200
            except OSError:
                assert time.monotonic() < until, f"{self.name} does not listen: {self.said()}"
                time.sleep(0.1)
            else:
                return

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def _answer(self, request: urllib.request.Request) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(request, timeout=ANSWERS_IN_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except http.client.HTTPException as broken:
            raise AssertionError(f"{self.name} broke off: {self.said()[-3000:]}") from broken


def deploy(archive: Path, into: Path, env: Mapping[str, str], *, entry_point: str = "") -> Deployed:
    """Unzip *archive* into *into* and serve it there, with *env* and next to nothing else.

    The entry point is named like the archive, if no other is asked for.
    """
    name = entry_point or archive.stem
    folder = into / name
    with zipfile.ZipFile(archive) as source:
        source.extractall(folder)
    venv = environment(folder / "requirements.txt")
    (port,) = free_ports(1)
    log = into / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                str(venv / "bin" / "functions-framework"),
                f"--target={name}",
                "--host=127.0.0.1",
                f"--port={port}",
            ],
            cwd=folder,
            env={"PATH": str(venv / "bin"), "HOME": str(into), "THREADS": "4", **env},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    deployed = Deployed(name, folder, port, process, log)
    try:
        deployed.wait_until_it_listens()
    except BaseException:
        deployed.stop()
        raise
    return deployed
