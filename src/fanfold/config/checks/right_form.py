"""How something would stand in this file that stands there in the wrong form or place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from fanfold.config.checks.substitution import SECRETIVE
from fanfold.config.file.key_paths import KeyPath, setting_of
from fanfold.config.file.nodes import Node, flow
from fanfold.config.schema.console_keys import ConsoleSection
from fanfold.config.schema.keys import (
    AuthForms,
    CollectorSection,
    Expectations,
    NetworkSection,
    ReportSection,
    Retries,
    SchedulerSection,
)
from fanfold.config.schema.notify_keys import NotifySection

#: Keys that take nearly anything, or hold secrets: nobody is told that a value may belong there.
_NEVER = frozenset(
    {
        "params",
        "tags",
        "upstream",
        "on",
        "name",
        "auth",
        "to",
        "slack",
        "webhook",
        "heartbeat",
        "proxy",
    }
)

#: Where the keys of each section stand, from the top of the file; nearest to a collector first.
_PLACES: tuple[tuple[type[BaseModel], tuple[str, ...]], ...] = (
    (SchedulerSection, ("scheduler",)),
    (ReportSection, ("report",)),
    (NotifySection, ("notify",)),
    (NetworkSection, ("network",)),
    (ConsoleSection, ("console",)),
    (CollectorSection, ("scheduler", "defaults")),
)
_IN_A_COLLECTOR: tuple[tuple[type[BaseModel], str], ...] = (
    (Retries, "retries"),
    (Expectations, "expect"),
    (AuthForms, "auth"),
)

#: Text that needs no quotes between braces.
_PLAIN = re.compile(r"[\w/.+-]([^,\[\]{}\"'#:]|:(?! ))*")

#: Words for no retries at all.
_NONE = frozenset({"no", "none", "off", "false", "never"})

#: So many entries of a map are shown.
_SHOWN = 4

#: Where nothing more can be said.
INDENTED = "write its keys below it, indented"


def as_map(model: type[BaseModel] | None, key: str, node: Node, context: Mapping[str, Any]) -> str:
    """Return the map that *node*, which is none, would be under *key*; *model* is its section."""
    if isinstance(node.value, list):
        entries = _by_name(node.value) if model is None or key == "collectors" else {}
        if not entries:
            return INDENTED
        pad = " " * (node.key_spot.column - 1 if node.key_spot else 0)
        lines = [f"{pad}  {name}: {text}" for name, text in list(entries.items())[:_SHOWN]]
        more = [f"{pad}  …"] if len(entries) > _SHOWN else []
        return "\n".join(["write the names as keys:", f"{pad}{key}:", *lines, *more])
    if model is None:
        return INDENTED
    if model is Retries and str(node.value).lower() in _NONE:
        return f"write {key}: {{max: 0}}"
    for name in model.model_fields:
        if name not in _NEVER and _fits(model, name, node.value, context):
            return f"write {key}: {{{name}: {_in_braces(node)}}}"
    example = next(iter(model.model_fields.items()))
    if model in (Retries, Expectations):
        return f"write {key}: {{{example[0]}: {example[1].default}}}"
    return INDENTED


def _in_braces(node: Node) -> str:
    """Return a scalar as it can stand between braces, its references as they were written."""
    if node.variables:
        return f'"{node.written}"'
    text = flow(node)
    return text if node.value == text and _PLAIN.fullmatch(text) else json.dumps(node.value)


def _fits(model: type[BaseModel], name: str, value: Any, context: Mapping[str, Any]) -> bool:
    try:
        model.model_validate({name: value}, context=dict(context))
    except ValidationError:
        return False
    return True


def _by_name(items: list[Node]) -> dict[str, str]:
    """Return a list's words, or its maps by their ``name``, as the entries of a map."""
    entries: dict[str, str] = {}
    for item in items:
        if isinstance(item.value, str):
            entries[item.value] = "{}"
            continue
        found: dict[str, Node] = dict(item.value) if isinstance(item.value, dict) else {}
        named = found.pop("name", None) or found.pop("id", None)
        if named is None and len(found) == 1:  # - dvf: {…}
            name, inner = next(iter(found.items()))
            entries[name] = _brief(inner)
        elif named is not None:
            inside = ", ".join(f"{key}: {_brief(each, key)}" for key, each in found.items())
            entries[str(named.value)] = f"{{{inside}}}"
    return entries


def _brief(node: Node, key: str = "") -> str:
    """Return *node* in a few characters; what is in a map, or under *key*, may be a secret."""
    if SECRETIVE.search(key):
        return "…"
    if isinstance(node.value, dict | list) and node.value:
        return "…"
    text = flow(node)
    return text if len(text) <= 60 else "…"


def in_its_place(path: KeyPath, node: Node) -> str:
    """Return how the unknown key at *path* would stand where a key of its name is known."""
    name = str(path[-1])
    place: KeyPath = ()
    secret = False
    for section, above in _places(path):
        if name in section.model_fields and above != path[:-1]:
            place, secret = above, section in (AuthForms, NotifySection, NetworkSection)
            break
    else:
        keys = set(node.value) if isinstance(node.value, dict) else set()
        if keys and keys <= set(CollectorSection.model_fields):
            place = ("scheduler", "collectors")
    if not place:
        return ""
    value = None if secret else node
    return "\n".join([f"it stands under {place[-1]}:", *_nested(place, name, value)])


def _places(path: KeyPath) -> Iterator[tuple[type[BaseModel], KeyPath]]:
    """Yield the sections where a key may belong that stands at *path*, the nearest first."""
    if setting_of(path):
        above = path[: len(path) - len(setting_of(path))]
        yield CollectorSection, above
        for section, key in _IN_A_COLLECTOR:
            yield section, (*above, key)
    yield from _PLACES
    for section, key in _IN_A_COLLECTOR:
        yield section, ("scheduler", "defaults", key)


def _nested(place: KeyPath, name: str, node: Node | None) -> Iterator[str]:
    """Yield the lines of *node* at *place*; None for a secret."""
    for depth, part in enumerate(place):
        yield f"{'  ' * depth}{part}:"
    pad = "  " * len(place)
    entries: dict[str, str] = {}
    if node is not None and isinstance(node.value, dict):
        entries = {key: _brief(inner, key) for key, inner in node.value.items()}
    elif node is not None and isinstance(node.value, list) and name == "collectors":
        entries = _by_name(node.value)
    if not entries:
        yield f"{pad}{name}: {'…' if node is None else _brief(node)}"
        return
    yield f"{pad}{name}:"
    for key, text in list(entries.items())[:_SHOWN]:
        yield f"{pad}  {key}: {text}".rstrip()
    if len(entries) > _SHOWN:
        yield f"{pad}  …"
