"""The wheel, installed in an empty environment and used in an empty folder, far from a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

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
