"""Checks of a collector's clocks against each other: what would never run out, or means nothing."""

from __future__ import annotations

from fanfold.config.checks.collectors import ConfiguredCollector
from fanfold.config.checks.findings import Findings
from fanfold.config.schema.keys import File


def check_clocks(entry: ConfiguredCollector, file: File, findings: Findings) -> None:
    """Check ``wait_timeout`` and ``heartbeat`` of *entry*; ``slow_after`` fits beside anything."""
    section = entry.section
    run_timeout_s = file.scheduler.run_timeout
    if section.wait_timeout is not None and section.wait_timeout >= run_timeout_s:
        what = "not shorter than scheduler.run_timeout, which ends the run before"
        fix = "shorten it, or remove it"
        findings.warning(entry.spot("wait_timeout"), entry.where("wait_timeout"), what, fix)
    node = entry.node.get("heartbeat")
    if section.heartbeat is None or node is None:
        return
    place = entry.spot("heartbeat"), entry.where("heartbeat")
    if section.mode == "async":
        if section.heartbeat >= min(section.timeout, run_timeout_s):
            what = "not shorter than timeout, which ends the collector before"
            findings.warning(*place, what, "shorten it, or lengthen timeout")
    elif not node.from_defaults:
        # What stands in the defaults is meant for those that are asynchronous.
        what = "a collector that answers in its call says nothing on the way"
        findings.error(*place, what, "write mode: async, or remove it")
