"""Where each value came from, for ``fanfold config show --origin``. Secrets are masked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fanfold.config.catalogue import TOKEN
from fanfold.config.checks.collectors import Address, ConfiguredCollector
from fanfold.config.checks.substitution import SECRETIVE
from fanfold.config.checks.validate import model_in
from fanfold.config.file.key_paths import KeyPath, bears_secrets
from fanfold.config.file.nodes import Node, flow, plain
from fanfold.config.schema.keys import CollectorSection, File
from fanfold.domain.model.collector import Auth, AuthKind
from fanfold.domain.syntax.text import printable_line

MASK = "••••"

#: Keys of the scheduler that have lines of their own.
_APART = frozenset({"collectors", "collector_urls", "defaults"})


@dataclass(frozen=True, slots=True)
class Origin:
    """A value, and where it came from.

    ``value`` is its text as a person reads it, ``setting`` the value as YAML holds it: text, a
    number, a truth or a list. A secret is masked in both. ``path`` is where it stands in the file.
    """

    path: KeyPath
    value: str
    where: str
    setting: Any


@dataclass(slots=True)
class Trace:
    """Gathers where the values of one file came from.

    ``followed`` are the defaults that follow what is written.
    """

    name: str
    root: Node
    followed: Mapping[KeyPath, Any]
    found: dict[str, Origin] = field(default_factory=dict)

    def add(self, entry: ConfiguredCollector, address: Address, auth: Auth) -> None:
        """Add the values of one collector."""
        above: KeyPath = ("scheduler", "collectors", entry.name)
        for key, field_ in CollectorSection.model_fields.items():
            node = entry.node.get(key)
            if key == "url":
                self.found[f"{entry.name}.url"] = self._address((*above, key), address)
            elif key == "auth" and (node is None or node.value is None):
                self.found[f"{entry.name}.auth"] = _default_auth((*above, key), auth)
            else:
                for path, origin in self._lines((*above, key), field_, node):
                    self.found[".".join(map(str, path[2:]))] = origin

    def origins(self) -> Mapping[str, Origin]:
        """Return every key's origin: what holds for the run, then the collectors'."""
        whole: dict[str, Origin] = {}
        for key, field_ in File.model_fields.items():
            fields = _keys_in(field_)
            for name, inner in fields.items() or [("", field_)]:
                keys = (key, name) if name else (key,)
                if name not in _APART:
                    lines = self._lines(keys, inner, self.root.get(*keys))
                    whole.update((".".join(map(str, path)), origin) for path, origin in lines)
        return whole | self.found

    def _lines(
        self, path: KeyPath, field_: Any, node: Node | None
    ) -> Iterator[tuple[KeyPath, Origin]]:
        """Yield the lines of the key at *path*: one a leaf, defaults where nothing is written."""
        absent = node is None or node.broken or node.value is None
        inner = _fields(field_)
        written = node.value if node is not None and not absent else None
        if isinstance(written, dict) or (inner and absent):
            below = written or {}
            for key in dict.fromkeys([*inner, *below]):
                yield from self._lines((*path, key), inner.get(key), below.get(key))
        elif node is not None and not absent:
            yield path, self._leaf(path, node)
        elif field_ is not None and field_.default not in (None, {}, [], ""):
            default = self.followed.get(path, field_.default)
            yield path, Origin(path, _flow(default), "default", default)

    def _leaf(self, path: KeyPath, node: Node) -> Origin:
        if bears_secrets(path) or any(SECRETIVE.search(name) for name in _variables(node)):
            return Origin(path, MASK, self._where(node), MASK)
        return Origin(path, printable_line(flow(node)), self._where(node), plain(node, path))

    def _address(self, path: KeyPath, address: Address) -> Origin:
        if not address.url:
            return Origin(path, "", "default", "")
        shown, _, query = address.url.partition("?")
        where = f"env {address.variable}" if address.node is None else self._where(address.node)
        masked = printable_line(f"{shown}?{MASK}" if query else shown)
        return Origin(path, masked, where, masked)

    def _where(self, node: Node) -> str:
        sources = [f"secret {name}" for name in node.secrets]
        sources += [f"env {name}" for name in _variables(node)]
        sources += ["defaults"] if node.from_defaults else []
        return ", ".join([*sources, f"{self.name}:{node.spot.line}"])


def _default_auth(path: KeyPath, auth: Auth) -> Origin:
    kind = auth.kind.value
    if auth.kind is not AuthKind.BEARER:
        return Origin(path, kind, "default", kind)
    secret = any("${secret:" in template for template in auth.headers.values())
    return Origin(path, f"{kind} {MASK}", f"{'secret' if secret else 'env'} {TOKEN}", kind)


def _fields(field_: Any) -> Mapping[str, Any]:
    """Return the keys that a section lists one by one; what has a short form is one value."""
    fields = {} if field_ is None else _keys_in(field_)
    return {} if {"severity", "bearer"} & set(fields) else fields


def _keys_in(field_: Any) -> Mapping[str, Any]:
    """Return the keys of the section that *field_* is; a map's keys are names of its writer's."""
    section, is_map = model_in(field_.annotation)
    return {} if section is None or is_map else section.model_fields


def _variables(node: Node) -> tuple[str, ...]:
    if isinstance(node.value, list):
        return tuple(name for _, leaf in node.scalars() for name in leaf.variables)
    return node.variables


def _flow(default: Any) -> str:
    if isinstance(default, str):
        return default
    return f"[{', '.join(default)}]" if isinstance(default, list) else json.dumps(default)
