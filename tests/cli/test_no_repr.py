"""No Python object is written out for people: no message puts a repr of anything but text."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.bundle import ROOT

#: What a message may put in quotes by ``!r``: names, words and keys that somebody typed. Anything
#: else (an exception, an enum, a list, a dataclass) would show how it is written in Python.
TEXTS = frozenset(
    {
        "attribute", "audience", "backend", "boot", "collector", "colour", "cron", "entry.name",
        "exc.run_id", "host", "key", "kind", "letter", "log_level", "name", "near[0]", "old.value",
        "reference.name", "report_mode", "request.cron", "request.run_id", "request.schedule",
        "catalogue.schedule", "route.relay_url", "chunk_id", "request.retry_of", "wanted.collector",
        "condition.get('displayName', 'an absence')", "has", "job.get('schedule')", "new.value",
        "wanted", "_cron_of(job)", "run.run_id", "run_id", "shell", "shown", "source",
        "self.name", "subscription", "tag", "text", "topic", "value",
    }
)  # fmt: skip


def reprs() -> Iterator[tuple[str, str]]:
    """Yield each expression that the package formats by its repr, and where."""
    for path in sorted((ROOT / "src" / "fanfold").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for_developers = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name == "__repr__"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if id(node) in for_developers:
                continue
            place = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.FormattedValue) and node.conversion in (ord("r"), ord("a")):
                yield ast.unparse(node.value), place
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("repr", "ascii"):
                yield ast.unparse(node.args[0]), place


def test_only_text_is_put_in_quotes() -> None:
    known = TEXTS | {"cut", "name[:60]", "key[:40]", "key[:80]", "distance_s", "set_at_s"}
    known |= {"min(unknown)", "str(value)[:40]", "text[:40]"}
    known |= {"spec"}  # measured, and shown to nobody
    assert [(found, place) for found, place in reprs() if found not in known] == []
