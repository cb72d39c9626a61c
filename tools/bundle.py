"""Makes what is deployed: for each function a folder and a zip, the same bytes every time.

``python -m tools.bundle`` writes ``build/<function>/``, ``build/<function>.zip`` and
``build/bundles.json``, which Terraform compares with the configuration it was given. A bundle holds
``main.py``, ``requirements.txt``, the package ``fanfold`` and, for those who read it,
``config.yaml``.

``functions/<function>/requirements.txt`` names what that function imports. Here each name becomes
its pin and hashes from ``requirements.lock``, with everything below it, since pip wants either all
hashes or none: the build installs what was tested, or fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tools.locked import closure, read_lock

ROOT = Path(__file__).parent.parent

#: The service that shows pages; no subscription feeds it.
CONSOLE = "console"

#: The functions, as the topology calls them, and the console.
FUNCTIONS = ("aggregator", "collector_relay", CONSOLE, "dispatcher")

#: Those that read the configuration: the dispatcher for the collectors, the aggregator for slots
#: whose run never came, and the console for both.
READ_CONFIGURATION = ("aggregator", CONSOLE, "dispatcher")

#: Parts of the package that only the command needs, or who writes a collector.
LEFT_OUT = frozenset({"cli", "collector", "devstack", "__pycache__", "service.py", "metrics.py"})

#: Parts that only the console needs.
OF_THE_CONSOLE = frozenset({"console", "views"})

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?:#.*\bwith (?P<switch>[a-z_.]+))?.*")

#: The earliest time that a zip can hold.
_NO_TIME = (1980, 1, 1, 0, 0, 0)

_HEADER = """\
# {function}: every pin and hash is from requirements.lock. Made by `make bundle`; do not edit.
"""


def requirements(function: str, configuration: Mapping[str, Any], root: Path = ROOT) -> str:
    """Return the pinned requirements of *function*, with what *configuration* switches on."""
    written = (root / "functions" / function / "requirements.txt").read_text("utf-8")
    named = []
    for line in written.splitlines():
        match = _REQUIREMENT.fullmatch(line)
        if match and (match["switch"] is None or is_on(configuration, match["switch"])):
            named.append(match["name"])
    pins = closure(read_lock((root / "requirements.lock").read_text("utf-8")), named)
    return _HEADER.format(function=function) + "".join(f"{pin.text}\n" for pin in pins)


def is_on(configuration: Mapping[str, Any], switch: str) -> bool:
    """Return whether *configuration* switches on what *switch* names, such as ``report.bucket``.

    A reference counts as on: what it stands for is not known here.
    """
    value: Any = configuration
    for key in switch.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, str) and "${" not in value:
        return value.strip().lower() not in ("", "false", "no", "off", "0")
    return bool(value)


def contents(function: str, config: Path, root: Path = ROOT) -> Mapping[str, bytes]:
    """Return the files of *function*'s bundle by their path in it, in order."""
    package = root / "src" / "fanfold"
    configuration = yaml.safe_load(config.read_text("utf-8")) or {}
    files = {
        "main.py": (root / "functions" / function / "main.py").read_bytes(),
        "requirements.txt": requirements(function, configuration, root).encode(),
    }
    if function in READ_CONFIGURATION:
        files["config.yaml"] = config.read_bytes()
    left_out = LEFT_OUT if function == CONSOLE else LEFT_OUT | OF_THE_CONSOLE
    for path in package.rglob("*"):
        inside = path.relative_to(package)
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.is_file() and not hidden and left_out.isdisjoint(inside.parts):
            files[f"fanfold/{inside.as_posix()}"] = path.read_bytes()
    return dict(sorted(files.items()))


def write(function: str, files: Mapping[str, bytes], into: Path) -> Path:
    """Write *files* as a folder and as a zip, and return the zip's path.

    The zip holds no time and no owner of this machine. It is not compressed: compressors differ,
    and another hash would be another deployment.
    """
    folder = into / function
    shutil.rmtree(folder, ignore_errors=True)
    archive = into / f"{function}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.create_system = 3  # Unix, wherever this runs
            entry.external_attr = 0o644 << 16
            target.writestr(entry, content)
    return archive


def bundle(config: Path, into: Path, root: Path = ROOT) -> Mapping[str, Any]:
    """Write all bundles into *into*, and return what ``bundles.json`` says about them."""
    into.mkdir(parents=True, exist_ok=True)
    made = {}
    for function in FUNCTIONS:
        archive = write(function, contents(function, config, root), into)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        made[function] = {"bytes": archive.stat().st_size, "sha256": digest}
    about = {"bundles": made, "config_sha256": hashlib.sha256(config.read_bytes()).hexdigest()}
    (into / "bundles.json").write_text(json.dumps(about, indent=2) + "\n", "utf-8")
    return about


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the bundles, and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m tools.bundle", description=__doc__)
    parser.add_argument("--config", type=Path, default=ROOT / "config" / "config.yaml")
    parser.add_argument("--into", type=Path, default=ROOT / "build")
    asked = parser.parse_args(arguments)
    if not asked.config.is_file():
        parser.error(f"there is no configuration at {asked.config}; name one: --config FILE")
    for function, made in bundle(asked.config, asked.into)["bundles"].items():
        path = asked.into / f"{function}.zip"
        sys.stdout.write(f"{path}  {made['bytes']} bytes  sha256:{made['sha256'][:12]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
