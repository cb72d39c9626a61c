"""The file as a tree that remembers where each key and value stands."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from fanfold.config.file.key_paths import KeyPath, in_params
from fanfold.config.file.source import Spot

_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})?\.[0-9]{1,30}([eE][-+]?[0-9]{1,3})?")


@dataclass(slots=True)
class Node:
    """A value of the file.

    ``value`` is a scalar, a ``dict`` of nodes or a ``list`` of nodes. ``written`` is a scalar's
    text before substitution. ``variables`` and ``secrets`` are those that it refers to. A
    ``broken`` node has a problem of its own and counts as absent.
    """

    value: Any
    spot: Spot
    key_spot: Spot | None = None
    written: str = ""
    quoted: bool = False
    variables: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    from_defaults: bool = False
    broken: bool = False

    def down(self, path: KeyPath) -> list[Node]:
        """Return the nodes on the way to *path*, this one first, as far as there are any."""
        way: list[Node] = [self]
        for part in path:
            child = way[-1].child(part)
            if child is None:
                break
            way.append(child)
        return way

    def get(self, *path: str | int) -> Node | None:
        """Return the node at *path* below this one, or None."""
        way = self.down(path)
        return way[-1] if len(way) == len(path) + 1 else None

    def nearest(self, path: KeyPath) -> Node:
        """Return the deepest node on the way to *path*."""
        return self.down(path)[-1]

    def child(self, part: str | int) -> Node | None:
        """Return the node at *part* of this one, or None."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            found: Node = self.value[part]
            return found
        return None

    def break_at(self, path: KeyPath) -> None:
        """Mark the node nearest to *path* as broken, and every list that it is in.

        If that node is broken already, the nearest node above it is marked, up to this one: so each
        call marks one more.
        """
        way = self.down(path)
        for node in way[:-1]:
            node.broken = node.broken or isinstance(node.value, list)
        for node in reversed(way):
            if not node.broken:
                node.broken = True
                return

    def scalars(self, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Node]]:
        """Yield every scalar below, with its path."""
        if isinstance(self.value, dict):
            for key, child in self.value.items():
                yield from child.scalars((*path, key))
        elif isinstance(self.value, list):
            for index, child in enumerate(self.value):
                yield from child.scalars((*path, index))
        else:
            yield path, self

    @property
    def place(self) -> Spot:
        """What a caret should underline to speak of this value."""
        if self.key_spot and (isinstance(self.value, dict | list) or not self.spot.width):
            return self.key_spot
        return self.spot


def plain(node: Node, path: KeyPath) -> Any:
    """Return *node*, which stands at *path*, as Python values: without what is broken or null.

    Null is a value inside ``params`` and in lists only.
    """
    if isinstance(node.value, dict):
        return {
            key: plain(child, (*path, key))
            for key, child in node.value.items()
            if not child.broken and (child.value is not None or in_params((*path, key)))
        }
    if isinstance(node.value, list):
        return [plain(child, (*path, index)) for index, child in enumerate(node.value)]
    return node.value


def flow(node: Node) -> str:
    """Return *node* on one line, as it may stand in the file: ``[b, c]``, ``"90"``, ``20%``."""
    if isinstance(node.value, list):
        return f"[{', '.join(flow(child) for child in node.value)}]"
    if isinstance(node.value, dict):
        return f"{{{', '.join(f'{key}: {flow(child)}' for key, child in node.value.items())}}}"
    if isinstance(node.value, str):
        # Text that would read as something else without quotes keeps them.
        return node.value if isinstance(read_word(node.value), str) else f'"{node.value}"'
    return node.written if not node.written.startswith("$") else json.dumps(node.value)


def with_defaults(defaults: Node, own: Node) -> Node:
    """Return the collector *own* on top of *defaults*.

    Maps merge, lists and scalars replace, null takes away; one auth replaces another whole.
    """
    return _merged(defaults, own, apart=("auth",))


def _merged(defaults: Node, own: Node, apart: tuple[str, ...] = ()) -> Node:
    children = dict(_inherited(defaults).value)
    for key, child in own.value.items():
        below = defaults.value.get(key)
        both_maps = below is not None and isinstance(below.value, dict) and key not in apart
        merges = both_maps and isinstance(child.value, dict)
        children[key] = _merged(below, child) if merges else child
    return replace(own, value=children)


def _inherited(node: Node) -> Node:
    value = node.value
    if isinstance(value, dict):
        value = {key: _inherited(child) for key, child in value.items()}
    return replace(node, value=value, from_defaults=True)


def read_word(text: str) -> Any:
    """Return what a scalar without quotes means.

    By YAML 1.2 rather than 1.1, and less, so that identifiers survive: ``true`` and ``false`` are
    the only booleans, decimal numbers without a leading zero the only numbers; ``01``, ``2A``,
    ``no``, ``12:30`` and ``2026-11-23`` are text.
    """
    if text in {"", "~", "null", "Null", "NULL"}:
        return None
    if text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
        return text[0] in "tT"
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text
