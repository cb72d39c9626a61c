"""A function's requirements: everything it imports, pinned as tested, and nothing else."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from tools.bundle import FUNCTIONS, ROOT, is_on, requirements
from tools.locked import NotLocked, closure, normalized, read_lock

#: Everything that a configuration can switch on.
ALL_ON: dict[str, Any] = {
    "scheduler": {"use_cloud_tasks": True, "use_secret_manager": True},
    "report": {"bucket": "gs://reports"},
    "notify": {"webhook": {"url": "${HOOK}"}, "to": ["${MAILBOX}"]},
}

#: Rooms of the package that a function never enters on Google Cloud.
NOT_ENTERED = {
    "aggregator": (
        "cli",
        "devstack",
        "adapters/embedded",
        "adapters/http",
    ),
    "collector_relay": (
        "cli",
        "devstack",
        "adapters/embedded",
        "adapters/notify",
        "adapters/google/bus/task_route",
        "adapters/google/bus/tasks",
        "adapters/google/reports",
        "config",
        "rendering",
    ),
    "console": (
        "cli",
        "devstack",
        "adapters/embedded",
        "adapters/http",
        "adapters/notify",
        "adapters/google/secret_manager",
        "adapters/google/bus/task_route",
        "adapters/google/bus/tasks",
    ),
    "dispatcher": (
        "cli",
        "devstack",
        "adapters/embedded",
        "adapters/notify",
        "adapters/http",
        "adapters/google/secret_manager",
    ),
}

#: Modules of rooms that functions enter, which only the command imports.
ENTERED_BY_THE_COMMAND = ("runtime/embedded.py", "runtime/metrics.py", "runtime/service.py")

LOCK = """\
# made by pip-compile
Asker==1.0 \\
    --hash=sha256:aa
    # via project (pyproject.toml)
below==2.0 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
    # via
    #   asker
    #   someone-else
far_below==3.0 \\
    --hash=sha256:dd
    # via below
someone-else==4.0 \\
    --hash=sha256:ee
    # via project (pyproject.toml)
"""


def _names(text: str) -> set[str]:
    return set(read_lock(text))


def test_a_closure_is_what_is_asked_for_and_all_below_it() -> None:
    pins = read_lock(LOCK)

    assert [pin.name for pin in closure(pins, ["ASKER"])] == ["asker", "below", "far-below"]
    assert [pin.name for pin in closure(pins, ["far.below"])] == ["far-below"]


def test_a_pin_keeps_its_version_and_all_its_hashes() -> None:
    pin = read_lock(LOCK)["below"]

    assert pin.text.splitlines() == [
        "below==2.0 \\",
        "    --hash=sha256:bb \\",
        "    --hash=sha256:cc",
    ]
    assert pin.asked_by == {"asker", "someone-else"}


def test_what_is_not_locked_is_named() -> None:
    with pytest.raises(NotLocked, match="unheard-of"):
        closure(read_lock(LOCK), ["unheard_of"])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_pin_is_that_of_the_lock_with_its_hashes(name: str) -> None:
    lock = read_lock((ROOT / "requirements.lock").read_text("utf-8"))
    pins = read_lock(requirements(name, ALL_ON))

    assert len(pins) > 20
    for pin in pins.values():
        assert pin.text == lock[pin.name].text
        assert "--hash=sha256:" in pin.text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_framework_is_among_them(name: str) -> None:
    # Where it is missing, the build installs one of its own choice, not the one that was tested.
    assert "functions-framework" in _names(requirements(name, {}))


def test_a_relay_reads_no_configuration() -> None:
    assert _names(requirements("collector_relay", ALL_ON)).isdisjoint({"pydantic", "pyyaml"})


@pytest.mark.parametrize(
    ("name", "switch", "distribution"),
    [
        ("aggregator", "report.bucket", "google-cloud-storage"),
        ("dispatcher", "report.bucket", "google-cloud-storage"),
        ("aggregator", "scheduler.use_cloud_tasks", "google-cloud-tasks"),
        ("dispatcher", "scheduler.use_cloud_tasks", "google-cloud-tasks"),
        ("aggregator", "notify.webhook", "standardwebhooks"),
        ("aggregator", "notify.to", "apprise"),
        ("aggregator", "notify.slack", "apprise"),
        ("aggregator", "scheduler.use_secret_manager", "google-cloud-secret-manager"),
        ("collector_relay", "scheduler.use_secret_manager", "google-cloud-secret-manager"),
    ],
)
def test_an_optional_part_comes_with_its_switch(name: str, switch: str, distribution: str) -> None:
    section, key = switch.split(".")

    assert distribution in _names(requirements(name, {section: {key: "gs://x"}}))
    assert distribution not in _names(requirements(name, {}))


@pytest.mark.parametrize(
    ("value", "on"),
    [
        (True, True),
        (False, False),
        (None, False),
        ("", False),
        ("off", False),
        ("gs://reports", True),
        ("${MAY_BE:-}", True),  # a reference may turn out to be anything
    ],
)
def test_a_switch_is_on_if_it_may_be(value: Any, *, on: bool) -> None:
    assert is_on({"report": {"bucket": value}}, "report.bucket") is on


@pytest.mark.parametrize("name", FUNCTIONS)
def test_everything_a_function_imports_is_required(name: str) -> None:
    required = _names(requirements(name, ALL_ON))
    missing = {
        f"{path.relative_to(ROOT)} imports {module} of {distribution}"
        for path in _sources(name)
        for module in _imports(path)
        if (distribution := _distribution_of(module)) and distribution not in required
    }

    assert missing == set()


def _sources(name: str) -> Iterator[Path]:
    package = ROOT / "src" / "fanfold"
    yield ROOT / "functions" / name / "main.py"
    for path in package.rglob("*.py"):
        inside = path.relative_to(package).as_posix()
        if not inside.startswith(NOT_ENTERED[name]) and inside not in ENTERED_BY_THE_COMMAND:
            yield path


def _imports(path: Path) -> Iterator[str]:
    """Yield the modules that *path* imports anywhere, those inside functions as well."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


@cache
def _distribution_of(module: str) -> str | None:
    """Return which distribution brings *module*; None for Python's own, ours, and no module."""
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    if found is None or not found.origin:
        return None
    return _owners().get(found.origin)


@cache
def _owners() -> dict[str, str]:
    return {
        str(each.locate()): normalized(distribution.metadata["Name"])
        for distribution in metadata.distributions()
        for each in distribution.files or ()
        if each.suffix in (".py", ".so")
    }
