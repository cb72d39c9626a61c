"""Reads of a configuration what its slots need, whatever else in it cannot be read.

A slot needs names, crons, the zone and how long to wait for its run. A token that is not set where
``fanfold status`` is called changes none of these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fanfold.config.catalogue import catalogue_of, collector_of
from fanfold.config.file.problems import ConfigError, Level, Problem
from fanfold.config.file.source import read_source
from fanfold.config.loading import load, read_file
from fanfold.config.origins import Origin
from fanfold.config.schema.keys import CollectorSection, File, SchedulerSection
from fanfold.domain.model.collector import Auth, Catalogue

#: Settings of a collector and of the scheduler without which its slots are not known.
_OF_COLLECTOR = frozenset({"enabled", "schedule"})
_OF_SCHEDULER = frozenset({"timezone", "name", "missed_after", "defaults", "collectors"})


@dataclass(frozen=True, slots=True)
class Slots:
    """What could be read.

    Args:
        catalogue: The collectors with their names and crons, and the zone; None if the file is not
            there or is no YAML. Where something was wrong, addresses and the like are missing.
        unknown: What is wrong with what the slots need, a sentence each.
        unread: What else is wrong, a sentence each.
        warnings: Warnings of a file that can be used.
        origins: Of such a file: each dotted key's value, secrets masked, and where it is from.
    """

    catalogue: Catalogue | None
    unknown: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)


def load_slots(path: Path, env: Mapping[str, str]) -> Slots:
    """Return what can be read of the file at *path*; nothing is raised.

    Args:
        path: The file.
        env: Where ``${NAME}`` is looked up.
    """
    try:
        loaded = load(path, env)
    except ConfigError as exc:
        wrong = [each for each in exc.problems if each.level is Level.ERROR]
    else:
        return Slots(loaded.catalogue, warnings=loaded.warnings, origins=loaded.origins)
    try:
        source = read_source(path)
        read = read_file(source, env)
    except ConfigError as exc:
        return Slots(None, _sentences(exc.problems))
    collectors = [
        collector_of(entry, "", Auth(), read.settled.file.network) for entry in read.settled.entries
    ]
    catalogue = catalogue_of(read.settled.file, tuple(collectors), source.version)
    known = {collector.name for collector in collectors}
    needed = [each for each in wrong if _is_needed(each.where, known)]
    others = [each for each in wrong if each not in needed]
    return Slots(catalogue, _sentences(needed), _sentences(others))


def _sentences(problems: Iterable[Problem]) -> tuple[str, ...]:
    return tuple(
        f"line {each.line}: {each.sentence}" if each.line else each.sentence for each in problems
    )


def _is_needed(where: str, known: Collection[str]) -> bool:
    """Return whether a slot needs what is wrong at the dotted key *where*.

    An unknown key counts: it may be meant for one that is needed. So does a collector that could
    not be read at all; one of the *known* collectors has another trouble, such as no URL.
    """
    match where.split("."):
        case ["scheduler", "collectors", name]:
            return name not in known
        case ["scheduler", "collectors", _, setting, *_] | ["scheduler", "defaults", setting, *_]:
            return setting in _OF_COLLECTOR or setting not in CollectorSection.model_fields
        case ["scheduler", setting, *_]:
            return setting in _OF_SCHEDULER or setting not in SchedulerSection.model_fields
        case [section, *_]:
            return section == "scheduler" or section not in File.model_fields
    return True
