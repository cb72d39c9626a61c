"""Which source is behind each collector, and what its limits mean for a run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fanfold.config.checks.collectors import Address, ConfiguredCollector
from fanfold.config.checks.findings import Findings
from fanfold.config.file.nodes import Node
from fanfold.config.file.problems import shown
from fanfold.config.schema.keys import File
from fanfold.config.schema.upstream_keys import UpstreamSection
from fanfold.domain.model.names import did_you_mean
from fanfold.domain.model.upstream import Breaker, Upstream
from fanfold.domain.rules.upstream_words import last_begins_after_s, too_slow_words
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.urls import BadUrl, read_url

#: What a source may be called: a host as a rule, or a word of one's own.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,98}[A-Za-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of a file, by their names in lower case."""

    by_name: Mapping[str, Upstream]

    def behind(self, entry: ConfiguredCollector, address: Address) -> Upstream | None:
        """Return the source of *entry*: the one that it names, or else the host of its URL."""
        written = entry.section.upstream
        if written:
            return self._called(written.strip()) or self._at(written.strip())
        return None if address.broken else self._at(address.url)

    def _called(self, name: str) -> Upstream | None:
        return self.by_name.get(name.lower())

    def _at(self, url: str) -> Upstream | None:
        """Return the source whose name is the host of *url*, with its port or without."""
        try:
            read = read_url(url)
        except BadUrl:
            return None
        return self._called(read.place) or self._called(read.host)


def sources_of(file: File, root: Node, findings: Findings) -> Sources:
    """Return the sources of *file*; what is wrong with their names is added to *findings*."""
    by_name: dict[str, Upstream] = {}
    for name, section in file.upstreams.items():
        node = root.get("upstreams", name)
        spot = root.place if node is None else node.key_spot or node.spot
        where = f"upstreams.{name}"
        if not _NAME.fullmatch(name):
            what = f"{shown(name)} is no name of a source"
            findings.error(spot, where, what, "write its host, such as api.insee.fr")
        elif name.lower() in by_name:
            fix = "keep one: upper and lower case are the same"
            findings.error(spot, where, f"{shown(name)} stands twice", fix)
        else:
            upstream = by_name[name.lower()] = _upstream(name.lower(), section)
            if upstream == Upstream(upstream.name):
                what, fix = "it has no limit", "write max_concurrent, per_minute or breaker"
                findings.warning(spot, where, what, fix)
    return Sources(by_name)


def _upstream(name: str, section: UpstreamSection) -> Upstream:
    breaker = section.breaker
    return Upstream(
        name,
        section.max_concurrent,
        section.per_minute,
        None if breaker is None else Breaker(breaker.failures, breaker.pause),
    )


def check_upstreams(
    file: File,
    root: Node,
    entries: Sequence[ConfiguredCollector],
    used: Mapping[str, Upstream | None],
    findings: Findings,
) -> None:
    """Check that sources and collectors find each other, and what the limits mean for a run.

    *used* are the sources of the enabled collectors, by the collector's name.
    """
    known = [name.lower() for name in file.upstreams]
    for entry in entries:
        written = (entry.section.upstream or "").strip()
        near = did_you_mean(written, known) if written and entry.name in used else ""
        if near and used[entry.name] is None:
            what = f"no source is called {shown(written)} under upstreams: it has no limits"
            fix = near.removeprefix(": ")
            findings.warning(entry.spot("upstream"), entry.where("upstream"), what, fix)
    numbers = Counter(upstream for upstream in used.values() if upstream is not None)
    behind = {upstream.name for upstream in numbers}
    for name in file.upstreams:
        node = root.get("upstreams", name)
        is_known = _NAME.fullmatch(name) and node is not None and not node.broken
        if name.lower() not in behind and is_known and node is not None:
            what = "no enabled collector names it, and none is called at this host"
            fix = f"write upstream: {name} below a collector, or remove it"
            findings.warning(node.key_spot or node.spot, f"upstreams.{name}", what, fix)
    for upstream, number in numbers.items():
        _check_time(upstream, number, file, root, findings)


def _check_time(
    upstream: Upstream, number: int, file: File, root: Node, findings: Findings
) -> None:
    """Warn of a source whose limits leave no time for its collectors within one run."""
    key = next(name for name in file.upstreams if name.lower() == upstream.name)
    spot, where = root.nearest(("upstreams", key)).place, f"upstreams.{key}"
    run_timeout_s = file.scheduler.run_timeout
    if last_begins_after_s(upstream, number) >= run_timeout_s:
        what = f"{too_slow_words(upstream, number)}: longer than a run may last"
        fix = f"raise per_minute, or scheduler.run_timeout, which is {duration(run_timeout_s)}"
        findings.warning(spot, f"{where}.per_minute", what, fix)
    if upstream.breaker is not None and upstream.breaker.pause_s >= run_timeout_s:
        what = "the pause is as long as a run: after the breaker opened nobody calls again in it"
        fix = f"write a pause shorter than run_timeout, which is {duration(run_timeout_s)}"
        findings.warning(spot, f"{where}.breaker.pause", what, fix)
