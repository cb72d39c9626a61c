"""A project on which Terraform was applied before: what would the next apply change?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.infra.provider import serving
from tests.infra.terraform import INFRA, Plan, offline_folder
from tests.needs import give_up
from tools.bundle import bundle

#: What a change is called, by Terraform's actions.
_WORDS = {
    ("create",): "made",
    ("update",): "changed",
    ("delete",): "removed",
    ("delete", "create"): "replaced",
    ("create", "delete"): "replaced",
}

Changes = Mapping[str, list[str]]


@dataclass(frozen=True)
class World:
    """A folder with a state, a configuration and its bundles, and the variables of the last apply.

    ``link`` is where Terraform finds it: a copy of a project is at the same place as the project.
    """

    folder: Path
    link: Path
    provider: str
    variables: Mapping[str, Any]

    def configured(self, config: str) -> World:
        """Return the same project after somebody wrote *config* and ran ``make bundle``."""
        file = self.folder / "config.yaml"
        file.write_text(config, "utf-8")
        bundle(file, self.folder / "build")
        return self

    def given(self, **variables: Any) -> World:
        """Return the same project with other *variables*."""
        return replace(self, variables={**self.variables, **variables})

    def copy(self, into: Path) -> World:
        """Return a project that stands where this one does, and goes its own way."""
        shutil.copytree(self.folder, into, dirs_exist_ok=True)
        return replace(self, folder=into)

    def apply(self) -> World:
        """Apply, and return what is there then."""
        done = self.run("apply", "-auto-approve")
        assert done.returncode == 0, done.stdout + done.stderr
        return self

    def plan(self, *words: str) -> Plan:
        """Return what an apply would do, with further *words* for Terraform."""
        planned = self.folder / "plan"
        done = self.run("plan", f"-out={planned}", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return Plan(json.loads(self._terraform("show", "-json", str(planned)).stdout))

    def changes(self) -> Changes:
        """Return the addresses of what an apply would make, change and so on."""
        found: dict[str, list[str]] = {}
        for each in self.plan().document["resource_changes"]:
            word = _WORDS.get(tuple(each["change"]["actions"]))
            if word:
                found.setdefault(word, []).append(each["address"].replace(".main", ""))
        return found

    def refusal(self, *words: str) -> str:
        """Return with which words a plan is refused, on one line."""
        done = self.run(*(words or ("plan",)))
        assert done.returncode != 0, done.stdout
        return " ".join(done.stderr.replace("│", " ").split())

    def write_state(self, kind: str, **values: Any) -> None:
        """Change the state, as a person changed every resource of *kind* in the console."""
        file = self.folder / "state"
        state = json.loads(file.read_text("utf-8"))
        for each in state["resources"]:
            if each["type"] == kind:
                for instance in each["instances"]:
                    instance["attributes"] |= values
        file.write_text(json.dumps(state), "utf-8")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Return what terraform says to *words*, with the state and the variables."""
        given = {
            "project_id": "demo",
            "bundles_folder": str(self.link / "build"),
            "config_file": str(self.link / "config.yaml"),
            **self.variables,
        }
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(self.folder)
        file = self.folder / "given.tfvars.json"
        file.write_text(json.dumps(given), "utf-8")
        state = f"-state={self.folder / 'state'}"
        verb, *rest = words
        return self._terraform(
            verb,
            "-input=false",
            "-lock=false",
            "-refresh=false",
            state,
            f"-var-file={file}",
            *rest,
        )

    def _terraform(self, *words: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_VAR_")}
        kept.pop("TF_CLI_CONFIG_FILE", None)
        return subprocess.run(
            ["terraform", f"-chdir={INFRA}", *words],
            env={
                **kept,
                "TF_CLI_ARGS": "-no-color",
                "TF_DATA_DIR": str(self.folder / "terraform"),
                "TF_REATTACH_PROVIDERS": self.provider,
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )


@contextmanager
def empty_project(folder: Path, config: str, **variables: Any) -> Iterator[World]:
    """Give a project on which nothing was applied."""
    if shutil.which("terraform") is None:
        give_up("terraform is not installed", "terraform")
    with serving(offline_folder()) as provider:
        world = World(folder, folder.with_name("here"), provider, variables).configured(config)
        made = world._terraform("init", "-input=false")
        assert made.returncode == 0, made.stderr
        yield world


def kinds(addresses: list[str]) -> Mapping[str, int]:
    """Return how many there are of each kind, without ``google_``."""
    return dict(
        Counter(
            each.partition("[")[0].partition(".")[0].removeprefix("google_") for each in addresses
        )
    )
