"""A tool that is missing skips a test on a laptop, and fails it in CI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.docs.documents import ROOT
from tests.needs import LACKING, give_up, lacks

CI_RUN = ROOT / ".ci" / "run"


@pytest.fixture(autouse=True)
def laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "FANFOLD_REQUIRE_EMULATORS", LACKING):
        monkeypatch.delenv(name, raising=False)


def test_a_laptop_skips() -> None:
    with pytest.raises(pytest.skip.Exception, match="no jq"):
        give_up("no jq", "jq")


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("FANFOLD_REQUIRE_EMULATORS", "1")])
def test_ci_fails(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(pytest.fail.Exception, match="no jq"):
        give_up("no jq", "jq")
    monkeypatch.setenv(LACKING, "promtool curl")
    with pytest.raises(pytest.fail.Exception, match="no jq"):
        give_up("no jq", "jq")


def test_ci_skips_what_it_said_it_could_not_get(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv(LACKING, "promtool jq")
    with pytest.raises(pytest.skip.Exception):
        give_up("no jq", "jq")


def test_what_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", {"jq": "/usr/bin/jq"}.get)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert lacks("jq") == ""
    assert lacks("curl") == "curl is not installed"
    assert "only root" in lacks("root")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert lacks("root") == ""


def test_ci_run_gets_every_tool_that_a_test_needs() -> None:
    marks = re.compile(r'mark\.needs\("([a-z]+)"\)')
    needed = {
        tool
        for file in (ROOT / "tests").rglob("test_*.py")
        for tool in marks.findall(file.read_text())
    }
    script = CI_RUN.read_text("utf-8")
    # gcloud comes with the emulators, which the workflow installs.
    assert needed - {"gcloud", "root"} == set(re.findall(r"^get (\w+)", script, re.MULTILINE))


@pytest.mark.parametrize("is_away", [True, False])
def test_ci_run_goes_on_without_apt_and_says_what_is_not_tested(
    tmp_path: Path, *, is_away: bool
) -> None:
    """With commands of our own in front: no jq at first, and an apt-get that brings it or fails."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("bash", "dirname", "env", "id", "cat", "chmod"):
        (commands / name).symlink_to(shutil.which(name) or name)

    def command(name: str, text: str) -> None:
        (commands / name).write_text(f"#!{shutil.which('bash')}\n{text}\n")
        (commands / name).chmod(0o755)

    brought = f"echo '#!/bin/sh' > {commands}/jq; chmod +x {commands}/jq"
    command("apt-get", "exit 100" if is_away else f'echo "$@" >&2; {brought}')
    command("id", "echo 0")
    command("curl", "true")
    command("promtool", "true")
    command("chromium", "true")
    command("terraform", "true")
    command("make", 'echo "make $* CI=$CI lacks=[$FANFOLD_CI_LACKS]"')

    done = subprocess.run(
        [CI_RUN],
        env={"PATH": str(commands), "FANFOLD_TF_OFFLINE": str(CI_RUN)},
        capture_output=True,
        text=True,
        check=True,
    )

    lacking = "jq" if is_away else ""
    assert done.stdout.splitlines()[0] == f"make check CI=true lacks=[{lacking}]"
    assert ("not tested here, for it is not to be had: jq" in done.stderr) == is_away
