"""Why collectors failed, in the words that equal causes share.

The page, the table, the sentence about a run and the message to people call a cause the same. These
functions read a report's collectors (see :mod:`fanfold.domain.report.entries`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from fanfold.domain.syntax.text import one_line

_HTTP = re.compile(r"HTTP ([0-9]{3})\b")
_HOST = re.compile(r"(?:https?://|\bfrom )([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")

#: What a server answers that is no fault of who asked: too many requests, or it is in trouble.
_THEIRS = frozenset({"429", "502", "503", "504"})

#: The kind of failure of a collector that waited, to the end of its run, for a source that is down.
_BEHIND = "upstream"

#: A collector's name, and its part of the report.
Named = tuple[str, Mapping[str, Any]]

#: What is read here of a failure.
_READ = ("status", "error", "error_kind", "host", "upstream", "required")


class Failures:
    """Those that did not succeed, as far as their causes need them. Equal failures are one.

    ``named`` are they, each with its name, in the order in which they came.
    """

    def __init__(self) -> None:
        self.named: list[Named] = []
        self._known: dict[tuple[Any, ...], Mapping[str, Any]] = {}
        self._words: set[tuple[str, str]] = set()

    def add(self, name: str, one: Mapping[str, Any]) -> bool:
        """Take a failure; return whether no other one had its words."""
        key = tuple(one.get(each) for each in _READ)
        number = len(self._words)
        self._words.add((one["status"], one["error"]))
        self.named.append((name, self._known.setdefault(key, dict(zip(_READ, key, strict=True)))))
        return len(self._words) > number


def titles(bad: Iterable[Named]) -> dict[str, str]:
    """Return why each of *bad* failed, as its cause is called: ``api.insee.fr answered 503``.

    What a source answers that is in trouble is called by the source: the host that the error
    names, the collector's upstream, or the host that several of *bad* are called at. So is a
    source that several of them could not reach. The rest of such a text often differs from one
    collector to the next. Who waited for a source that was down has the cause of those that found
    it so.
    """
    bad = list(bad)
    called = Counter(one.get("host") for _, one in bad)
    shared = {name: _shared_host(one, called) for name, one in bad}
    unreached = Counter(
        shared[name] or source_of(one) for name, one in bad if one.get("error_kind") == "network"
    )
    found = {name: _title(one, shared[name], unreached) for name, one in bad}
    behind = {name: source_of(one) for name, one in bad if one.get("error_kind") == _BEHIND}
    for name, source in behind.items():
        firsts = Counter(
            title
            for other, title in found.items()
            if other not in behind and title.startswith(f"{source} ")
        )
        found[name] = firsts.most_common(1)[0][0] if firsts else f"{source} is down"
    return found


def source_of(one: Mapping[str, Any], error: str = "") -> str:
    """Return the host that *error* names, or else the collector's upstream, or nothing."""
    named = _HOST.search(error)
    if named:
        return named[1].lower()
    source = one_line(one["upstream"] or "", 100)
    return source.partition("://")[2].partition("/")[0] or source


def is_of_source(title: str, one: Mapping[str, Any]) -> bool:
    """Return whether *title* speaks of a source, and not in the words of the collector *one*."""
    return title != one_line(one["error"] or "it did not say why")


def _shared_host(one: Mapping[str, Any], called: Mapping[Any, int]) -> str:
    host = one.get("host")
    return str(host) if host and called[host] > 1 else ""


def _title(one: Mapping[str, Any], called: str, unreached: Mapping[str, int]) -> str:
    error = one_line(one["error"] or "it did not say why")
    status = _HTTP.match(error)
    host = source_of(one, error) or called
    if status and host and status[1] in _THEIRS:
        return f"{host} answered {status[1]}"
    # A collector that nobody reaches is the host that is called, whatever source is behind it.
    host = called or source_of(one)
    if one.get("error_kind") == "network" and host and unreached[host] > 1:
        return f"{host} cannot be reached"
    return error
