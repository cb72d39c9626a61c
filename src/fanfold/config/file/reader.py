"""Reads YAML into a tree.

Only plain YAML is read: no tags, no anchors, no aliases (a few lines of them can stand for billions
of values), no merge keys, no second document, each key once, at most :data:`MAX_DEPTH` levels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from fanfold.config.checks.problems import ConfigError, Problem, shown
from fanfold.config.file.nodes import Node, Spot, problem_at, read_word
from fanfold.config.file.source import TO_HAVE_ONE, Source
from fanfold.config.file.yaml_words import explain
from fanfold.config.schema.values import kind

#: The deepest nesting that is read.
MAX_DEPTH = 64

#: libyaml where it is there: the same events, ten times faster.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_tree(source: Source) -> Node:
    """Return the file as a tree.

    Raises:
        ConfigError: It is not YAML, or not the plain YAML that is read; duplicates all at once.
    """
    reader = _Reader(source)
    try:
        for event in yaml.parse(source.text, Loader=LOADER):
            reader.take(event)
    except yaml.YAMLError as exc:
        raise ConfigError([explain(exc, source)], source.name) from exc
    if reader.problems:
        raise ConfigError(reader.problems, source.name)
    if reader.root is None or reader.root.value is None:
        raise ConfigError([Problem("", "the file is empty", TO_HAVE_ONE)], source.name)
    if not isinstance(reader.root.value, dict):
        what = f"the file holds {kind(reader.root.value)}, not keys with values"
        raise reader.refusal(reader.root.spot, what, "begin with scheduler:")
    return reader.root


@dataclass(slots=True)
class _Reader:
    """Builds the tree from the parser's events, without recursion."""

    source: Source
    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    open: list[Node] = field(default_factory=list)
    keys: list[tuple[str, Spot] | None] = field(default_factory=list)

    def take(self, event: Any) -> None:
        """Take in the next event."""
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise self.refusal(self._spot(event), "a second document begins here", "keep the first")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            what = "anchors (&name) and aliases (*name) are not read"
            fix = "share settings in scheduler.defaults; quote a value that begins with * or &"
            raise self.refusal(self._spot(event), what, fix)
        if getattr(event, "tag", None):
            raise self.refusal(self._spot(event), "tags (!name) are not read", "quote the value")
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self.open.pop()
            self.keys.pop()

    def _scalar(self, event: Any) -> None:
        quoted = bool(event.style)  # libyaml says '' of a plain one, PyYAML None
        if self.open and isinstance(self.open[-1].value, dict) and self.keys[-1] is None:
            self.keys[-1] = (event.value, self._spot(event))
            return
        value = event.value if quoted else read_word(event.value)
        self._add(Node(value, self._spot(event), written=event.value, quoted=quoted))

    def _open(self, event: Any) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise self.refusal(self._spot(event), f"nested deeper than {MAX_DEPTH} levels", "")
        is_map = isinstance(event, yaml.MappingStartEvent)
        node = Node({} if is_map else [], self._spot(event))
        if self.open and isinstance(self.open[-1].value, dict) and self.keys[-1] is None:
            raise self.refusal(self._spot(event), "a key must be a word", "quote it")
        self._add(node)
        self.open.append(node)
        self.keys.append(None)

    def _add(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        parent = self.open[-1].value
        if isinstance(parent, list):
            parent.append(node)
            return
        name, spot = self.keys[-1] or ("", node.spot)
        self.keys[-1] = None
        node.key_spot = spot
        if name == "<<":
            self._problem(spot, "merge keys (<<) are not read", "use scheduler.defaults")
        elif name in parent:
            first = parent[name].key_spot
            what = f"key {shown(name)} stands twice, first in line {first.line if first else 0}"
            self._problem(spot, what, "keep one of them")
        else:
            parent[name] = node

    def _spot(self, event: Any) -> Spot:
        start, end = event.start_mark, event.end_mark
        line = self.source.line(start.line + 1)
        stop = end.column if end.line == start.line else len(line)
        return Spot(start.line + 1, start.column + 1, max(0, stop - start.column))

    def _problem(self, spot: Spot, what: str, fix: str) -> None:
        self.problems.append(problem_at(self.source, spot, "", what, fix))

    def refusal(self, spot: Spot, what: str, fix: str) -> ConfigError:
        """Return the error that ends the reading, with what was found before."""
        self._problem(spot, what, fix)
        return ConfigError(self.problems, self.source.name)
