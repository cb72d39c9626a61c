"""Defaults follow what is written, so that no default contradicts a value of the file.

A default never exceeds a limit that the file sets: with ``run_timeout: 20s`` alone, a collector's
timeout is 20s and not 9m. The default of ``run_timeout`` leaves time for the longest timeout that
is written. The defaults of ``report.keep`` and ``retries.max_backoff`` are fixed limits: Terraform
and the people who read the file rely on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fanfold.config.checks.collectors import ConfiguredCollector
from fanfold.config.file.key_paths import KeyPath
from fanfold.config.file.nodes import Node
from fanfold.config.schema.keys import File
from fanfold.config.schema.types import CountLimit
from fanfold.domain.syntax.durations import duration

#: The shortest time after which a run counts as missed, in seconds: the sweep looks once a minute.
SWEEP_S = 60.0


@dataclass(slots=True)
class Settled:
    """A file whose defaults fit what is written.

    ``followed`` are the defaults that are not the usual ones, as a person would write them.
    """

    file: File
    entries: list[ConfiguredCollector]
    followed: dict[KeyPath, Any] = field(default_factory=dict)


def settle_defaults(file: File, root: Node, entries: Sequence[ConfiguredCollector]) -> Settled:
    """Return *file* and its collectors, each default at most what a written limit allows."""
    settled = Settled(_with_lengths(file, root, entries), [])
    for name in ("run_timeout", "max_trigger_age", "missed_after"):
        length_s = getattr(settled.file.scheduler, name)
        if length_s != getattr(file.scheduler, name):
            settled.followed["scheduler", name] = duration(length_s)
    settled.entries += [_with_limits(each, settled) for each in entries]
    return settled


def _with_lengths(file: File, root: Node, entries: Sequence[ConfiguredCollector]) -> File:
    """Return *file* with the run's lengths of time below ``report.keep`` where that is written."""
    most_s = file.report.keep / 2 if _is_written(root, "report", "keep") else file.report.keep
    timeouts_s = [each.section.timeout for each in entries if _is_written(each.node, "timeout")]
    scheduler = file.scheduler
    lengths_s = {
        "run_timeout": max(min(scheduler.run_timeout, most_s), *timeouts_s, 0.0),
        "max_trigger_age": min(scheduler.max_trigger_age, most_s),
        "missed_after": max(min(scheduler.missed_after, most_s), SWEEP_S),
    }
    unwritten = {
        name: length_s
        for name, length_s in lengths_s.items()
        if not _is_written(root, "scheduler", name)
    }
    return file.model_copy(update={"scheduler": scheduler.model_copy(update=unwritten)})


def _with_limits(entry: ConfiguredCollector, settled: Settled) -> ConfiguredCollector:
    """Return *entry*, its defaults within its own limits and the run's."""
    section, above = entry.section, ("scheduler", "collectors", entry.name)
    retries, expect = section.retries, section.expect
    run_timeout_s, most = settled.file.scheduler.run_timeout, expect.max_records
    if section.timeout > run_timeout_s and not _is_written(entry.node, "timeout"):
        section = section.model_copy(update={"timeout": run_timeout_s})
        settled.followed[(*above, "timeout")] = duration(run_timeout_s)
    if retries.backoff > retries.max_backoff and not _is_written(entry.node, "retries", "backoff"):
        retries = retries.model_copy(update={"backoff": retries.max_backoff})
        settled.followed[(*above, "retries", "backoff")] = duration(retries.backoff)
    if (
        most is not None
        and most.value < expect.min_records.value
        and not _is_written(entry.node, "expect", "min_records")
    ):
        expect = expect.model_copy(update={"min_records": CountLimit(value=most.value)})
        settled.followed[(*above, "expect", "min_records")] = most.value
    return replace(entry, section=section.model_copy(update={"retries": retries, "expect": expect}))


def _is_written(node: Node, *path: str) -> bool:
    found = node.get(*path)
    return found is not None and found.value is not None and not found.broken
