"""The collectors as the file gives them: their settings above the defaults, and their URLs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fanfold.config.checks.findings import Findings
from fanfold.config.checks.validate import fit
from fanfold.config.file.nodes import Node, with_defaults
from fanfold.config.file.source import Spot
from fanfold.config.schema import addresses, values
from fanfold.config.schema.keys import CollectorSection, File
from fanfold.config.schema.values import Wrong
from fanfold.domain.syntax.references import collector_variable


@dataclass(frozen=True, slots=True)
class ConfiguredCollector:
    """One collector of the file. ``node`` is its map, filled up with ``scheduler.defaults``."""

    name: str
    section: CollectorSection
    node: Node

    def spot(self, *path: str) -> Spot:
        """Return what to underline when speaking of *path*."""
        return self.node.nearest(path).place

    def where(self, *path: str) -> str:
        """Return *path* in full, in the defaults where it stands there."""
        found = self.node.get(*path)
        inherited = found is not None and found.from_defaults
        above = "scheduler.defaults" if inherited else f"scheduler.collectors.{self.name}"
        return ".".join((above, *path))


def collectors_of(
    root: Node, context: Mapping[str, int], findings: Findings
) -> list[ConfiguredCollector]:
    """Return every collector, its settings filled up with ``scheduler.defaults``."""
    above = root.get("scheduler", "collectors")
    if above is None or not isinstance(above.value, dict) or not above.value:
        nearest = root.nearest(("scheduler", "collectors"))
        if not nearest.broken and root.get("collectors") is None:  # they have been told there
            what, fix = "there are no collectors", "write at least one under scheduler.collectors"
            findings.error(nearest.place, "", what, fix)
        return []
    defaults = root.get("scheduler", "defaults")
    inherits = defaults is not None and isinstance(defaults.value, dict) and not defaults.broken
    entries = []
    for name, own in above.value.items():
        if own.broken or not (own.value is None or isinstance(own.value, dict)):
            continue
        try:
            values.collector_name(name)
        except Wrong as exc:
            where = f"scheduler.collectors.{name}"
            findings.error(own.key_spot or own.spot, where, str(exc), exc.fix)
            continue
        if own.value is None:
            own.value = {}
        node = with_defaults(defaults, own) if inherits and defaults is not None else own
        section = fit(CollectorSection, node, ("scheduler", "collectors", name), context, findings)
        entries.append(ConfiguredCollector(name, section, node))
    return entries


@dataclass(frozen=True, slots=True)
class Address:
    """A collector's URL and where it came from: a node of the file, or a variable."""

    url: str = ""
    node: Node | None = None
    variable: str = ""
    broken: bool = False


def address_of(
    entry: ConfiguredCollector, file: File, root: Node, env: Mapping[str, str], findings: Findings
) -> Address:
    """Return where *entry* is invoked: the first of the places that may say so."""
    own = entry.node.get("url")
    variable = collector_variable(entry.name)
    listed = root.get("scheduler", "collector_urls", entry.name)
    base = root.get("scheduler", "base_function_url")
    inherited = own is not None and own.from_defaults
    for node in (None if inherited else own, listed):
        if node is not None and (node.broken or node.value):
            return Address(str(node.value), node, broken=node.broken)
    if env.get(variable):
        try:
            return Address(addresses.url(env[variable]), variable=variable)
        except Wrong as exc:
            findings.error(entry.spot(), entry.where(), f"{variable}: {exc}", exc.fix)
            return Address(broken=True)
    if inherited and own is not None and (own.broken or own.value):
        return Address(str(own.value), own, broken=own.broken)
    if base is not None and (base.broken or base.value):
        joined = f"{file.scheduler.base_function_url.rstrip('/')}/{entry.name}"
        return Address(joined, base, broken=base.broken or not _fits(joined, base, findings))
    if entry.section.enabled:
        # A shell sets no variable whose name begins with a digit.
        fix = "write url: below it"
        fix = fix if variable[0].isdigit() else f"set {variable}, or {fix}"
        findings.error(entry.spot(), entry.where(), f"{entry.name} has no URL", fix)
    return Address(broken=entry.section.enabled)


def _fits(joined: str, base: Node, findings: Findings) -> bool:
    """Return whether the base and a collector's name make a URL; notes where they do not."""
    if base.broken:
        return False
    try:
        addresses.url(joined)
    except Wrong as exc:
        findings.error(base.place, "scheduler.base_function_url", str(exc), exc.fix)
        return False
    return True
