"""Checks of groups, all at once: who belongs to each, and whether it can ever be satisfied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from fanfold.config.checks.collectors import ConfiguredCollector
from fanfold.config.checks.findings import Findings
from fanfold.config.file.nodes import Node
from fanfold.config.file.problems import shown
from fanfold.config.file.source import Spot
from fanfold.config.schema import values
from fanfold.config.schema.keys import File, GroupSection
from fanfold.config.schema.values import Wrong
from fanfold.domain.model.collector import Group
from fanfold.domain.model.names import did_you_mean

_HERE = ("scheduler", "groups")


def groups_of(
    file: File, root: Node, entries: Sequence[ConfiguredCollector], findings: Findings
) -> Mapping[str, Group]:
    """Return the group of each collector that has one; what is wrong is added to *findings*."""
    enabled = {entry.name: entry.section.enabled for entry in entries}
    taken: dict[str, str] = {}
    found: dict[str, Group] = {}
    for name, section in file.scheduler.groups.items():
        _check_name(name, root, findings)
        node = root.get(*_HERE, name, "any_of")
        if node is not None and node.broken:
            continue  # it has been told
        _check_members(name, section, root, enabled, findings)
        for member in dict.fromkeys(section.any_of):
            other = taken.setdefault(member, name)
            if other != name:
                what = f"{shown(member)} is in the group {shown(other)} already"
                fix = "a collector has one group: remove it from one of them"
                findings.error(*_place(root, name, "any_of"), what, fix)
            elif member in enabled:
                found[member] = Group(name, section.at_least)
        _check_number(name, section, root, enabled, findings)
    return found


def _place(root: Node, *path: str) -> tuple[Spot, str]:
    return root.nearest((*_HERE, *path)).place, ".".join((*_HERE, *path))


def _check_name(name: str, root: Node, findings: Findings) -> None:
    try:
        values.collector_name(name)
    except Wrong as exc:
        what = str(exc).replace("a collector", "a group")
        findings.error(*_place(root, name), what, exc.fix)


def _check_members(
    name: str, section: GroupSection, root: Node, enabled: Mapping[str, bool], findings: Findings
) -> None:
    place = _place(root, name, "any_of")
    if not section.any_of:
        fix = "write any_of: [sirene_a, sirene_b], or remove the group"
        findings.error(*place, "the group has no members", fix)
    for member, number in Counter(section.any_of).items():
        if number > 1:
            findings.error(*place, f"{shown(member)} stands twice", "write it once")
        if member not in enabled:
            what = f"no collector is called {shown(member)}"
            fix = did_you_mean(member, enabled).removeprefix(": ") or "remove it"
            findings.error(*place, what, fix)
        elif not enabled[member]:
            what = f"{member} is disabled, so it never helps its group"
            findings.warning(*place, what, "remove it, or enable it")


def _check_number(
    name: str, section: GroupSection, root: Node, enabled: Mapping[str, bool], findings: Findings
) -> None:
    members = set(section.any_of)
    able = sum(enabled.get(member, False) for member in members)
    place = _place(root, name, "at_least")
    if members and section.at_least > len(members):
        what = f"{section.at_least} is more than its {len(members)} members"
        findings.error(*place, what, f"write {len(members)} or less")
    elif members <= enabled.keys() and able < section.at_least <= len(members):
        what = f"only {able} of its members are enabled, so it is never satisfied"
        findings.error(*place, what, "enable more of them, or write a smaller number")
