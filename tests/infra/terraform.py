"""Terraform without Google Cloud: real validate and plan, a provider that only knows the schema.

``tf-offline DIR WORDS...`` runs Terraform in DIR behind such a provider. It is found by
``FANFOLD_TF_OFFLINE``, or beside the checkout; without it the tests that need it are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.needs import give_up

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
SHAPE = INFRA / "modules" / "shape"
CONFIGURATIONS = SHAPE / "tests" / "files"

_BESIDE = ROOT.parent / "shared" / "tools" / "terraform-offline" / "tf-offline"


def terraform(*words: str, at: Path, state: Path) -> subprocess.CompletedProcess[str]:
    """Return what terraform says to *words* in folder *at*, its own files in *state*."""
    executable = shutil.which("terraform")
    if executable is None:
        give_up("terraform is not installed", "terraform")
    return _run([executable, f"-chdir={at}", *words], TF_DATA_DIR=str(state))


def offline(*words: str, at: Path = INFRA) -> subprocess.CompletedProcess[str]:
    """Return what terraform says to *words*, with the google provider's schema and nothing else."""
    if shutil.which("terraform") is None:
        give_up("terraform is not installed", "terraform")
    return _run([str(offline_folder() / "tf-offline"), str(at), *words])


def offline_folder() -> Path:
    """Return where tf-offline is, and the google provider's schema."""
    tool = Path(os.environ.get("FANFOLD_TF_OFFLINE") or _BESIDE)
    if not tool.is_file():
        give_up("needs tf-offline: set FANFOLD_TF_OFFLINE to its path", "tf-offline")
    return tool.parent


def _run(command: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_VAR_")}
    kept.pop("TF_CLI_CONFIG_FILE", None)
    return subprocess.run(
        command,
        env={**kept, "TF_IN_AUTOMATION": "1", "TF_CLI_ARGS": "-no-color", **env},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@dataclass
class Plan:
    """One plan, as ``terraform show -json`` tells it."""

    document: Mapping[str, Any]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the planned resources of *kind*: their values by the key of ``for_each``."""
        found = {}
        for each in self.document["planned_values"]["root_module"]["resources"]:
            if each["type"] == kind:
                key = each.get("index", each["name"])
                found[key if isinstance(key, str) else each["name"]] = each["values"]
        return found

    @cached_property
    def resources(self) -> list[dict[str, Any]]:
        """Everything that is planned: type, name, index and values."""
        return list(self.document["planned_values"]["root_module"]["resources"])

    def written(self, kind: str, name: str) -> dict[str, Any]:
        """Return the expressions of resource *name* as its source has them."""
        for each in self.document["configuration"]["root_module"]["resources"]:
            if (each["type"], each["name"]) == (kind, name):
                return dict(each["expressions"])
        raise KeyError(f"{kind}.{name}")


@dataclass
class Planner:
    """Plans the infrastructure from bundles and a configuration in *folder*."""

    folder: Path
    variables: Mapping[str, Any] = field(default_factory=dict)
    at: Path = INFRA

    def try_plan(self, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Return what terraform says to the plan; it is kept in the folder."""
        given = {"project_id": "demo", **self.variables, **variables}
        file = self.folder / "given.tfvars.json"
        file.write_text(json.dumps(given))
        return offline(
            "plan",
            "-input=false",
            "-lock=false",
            f"-var-file={file}",
            f"-out={self._saved}",
            at=self.at,
        )

    def plan(self, **variables: Any) -> Plan:
        """Return the plan."""
        made = self.try_plan(**variables)
        assert made.returncode == 0, made.stdout + made.stderr
        shown = offline("show", "-json", str(self._saved), at=self.at)
        assert shown.returncode == 0, shown.stderr
        return Plan(json.loads(shown.stdout.splitlines()[-1]))

    @property
    def _saved(self) -> Path:
        return self.folder / "saved.tfplan"
