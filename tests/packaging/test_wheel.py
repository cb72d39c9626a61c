"""The wheel, installed in an empty environment and used in an empty folder, far from a checkout."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tools.bundle import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: How long one command may take, in seconds: pip on a busy machine.
ENDS_IN_S = 400.0

#: Variables that a user of the wheel does not have.
OURS = ("FANFOLD_", "PYTHONPATH", "PYTEST", "GOOGLE_", "VIRTUAL_ENV")


def run(
    *command: object, folder: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    kept = {key: text for key, text in os.environ.items() if not key.startswith(OURS)}
    return subprocess.run(
        [str(each) for each in command],
        cwd=folder,
        env={**kept, **(env or {})},
        capture_output=True,
        text=True,
        timeout=ENDS_IN_S,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    built = run(sys.executable, "-m", "pip", "wheel", *options, ROOT)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("fanfold-*.whl"))


@pytest.fixture(scope="module")
def bin_folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    venv = tmp_path_factory.mktemp("venv")
    made = run(sys.executable, "-m", "venv", venv)
    assert made.returncode == 0, made.stderr
    installed = run(venv / "bin" / "pip", "install", "--quiet", f"{wheel}[cli]")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    return venv / "bin"


def test_the_wheel_holds_the_examples_once_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    here = "fanfold/devstack/examples/collectors/"
    assert f"{here}samples/sirene_90_pages.json.gz" in names
    assert f"{here}plu/main.py" in names
    assert "fanfold/devstack/config/config.yaml" in names
    assert len([name for name in names if name.endswith("/plu/main.py")]) == 1
    assert not [name for name in names if name.startswith("tests") or "__pycache__" in name]


def test_the_demo_works_from_the_wheel(bin_folder: Path, tmp_path: Path) -> None:
    demo = run(bin_folder / "fanfold", "demo", folder=tmp_path)

    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert demo.stdout.splitlines()[-1].startswith("✓ all 4 succeeded")
    assert (tmp_path / "build" / "demo" / "fanfold.db").is_file()


def test_the_module_is_the_same_command(bin_folder: Path, tmp_path: Path) -> None:
    failing = ("-m", "fanfold", "demo", "--fault", "plu=empty")
    demo = run(bin_folder / "python", *failing, folder=tmp_path)

    assert demo.returncode == 1, demo.stdout + demo.stderr
    assert "3 of 4 succeeded: plu" in demo.stdout


class _Collector(http.server.BaseHTTPRequestHandler):
    """Answers /good with 42 records; /bad with 400 until ``is_mended``."""

    is_mended = False

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        is_good = self.path == "/good" or self.is_mended
        content = json.dumps({"records": 42} if is_good else {"error": "no"}).encode()
        self.send_response(200 if is_good else 400)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Collector)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_newcomer_goes_from_init_to_a_retry_that_succeeds(
    bin_folder: Path, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Collector, "is_mended", False)
    own = {"ORDERS_COLLECTOR_URL": f"{address}/good", "STOCK_COLLECTOR_URL": f"{address}/bad"}

    def typed(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run(bin_folder / "fanfold", *arguments, folder=tmp_path, env=own)

    steps = [typed(verb) for verb in ("init", "check", "run", "status")]
    _Collector.is_mended = True
    steps += [typed(verb) for verb in ("retry", "status")]

    said = "\n".join(each.stdout + each.stderr for each in steps)
    assert [each.returncode for each in steps] == [0, 0, 1, 1, 0, 0], said
    assert "1 of 2 succeeded: stock" in steps[2].stdout
    assert "Traceback" not in said
