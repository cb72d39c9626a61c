"""The jobs of Cloud Scheduler beside the file: one for each cron, and one for the sweep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fanfold.cli.findings.finding import Finding, Level
from fanfold.cli.output import words
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.rules.schedule import crons
from fanfold.domain.syntax.text import plural
from fanfold.messages.topology import RUN_REQUESTS, SWEEP_TICKS

#: How often the sweep looks.
EVERY_MINUTE = "* * * * *"

Job = Mapping[str, Any]


def schedules(
    jobs: Sequence[Job], catalogue: Catalogue, topics: str, place: str
) -> Iterator[Finding]:
    """Give what is wrong with *jobs*, or that all that the file asks for are there.

    Args:
        jobs: As Cloud Scheduler lists them; those that publish elsewhere are not ours.
        catalogue: The crons, and the zone that they are meant in.
        topics: What stands before the topics' names.
        place: The words that name region and project to ``gcloud scheduler``.
    """
    found = [*_sweep(_of_topic(jobs, topics + SWEEP_TICKS), place)]
    ticks, wanted = _of_topic(jobs, topics + RUN_REQUESTS), crons(catalogue)
    for cron in sorted(wanted):
        mine = [each for each in ticks if _cron_of(each) == cron]
        if not mine:
            text = f"no job asks for {cron!r}: its collectors are never asked by the clock"
            found.append(Finding(Level.ERROR, "Cloud Scheduler", text, words.APPLY_INFRA))
        for job in mine:
            found += _tick(job, cron, catalogue, place)
    for job in ticks:
        if _cron_of(job) not in wanted:
            text = f"it asks for {_cron_of(job)!r}, which no enabled collector has"
            found.append(Finding(Level.WARNING, _name(job), text, words.APPLY_INFRA))
    yield from found
    if not found:
        text = f"{plural(len(wanted), 'schedule')} and the sweep are there, in {catalogue.timezone}"
        yield Finding(Level.OK, "Cloud Scheduler", text)


def _sweep(jobs: Sequence[Job], place: str) -> Iterator[Finding]:
    if not jobs:
        text = "no job sweeps: a run whose results are lost never ends"
        yield Finding(Level.ERROR, "Cloud Scheduler", text, words.APPLY_INFRA)
    for job in jobs:
        yield from _state(job, place)
        if job.get("schedule") != EVERY_MINUTE:
            text = f"it sweeps at {job.get('schedule')!r}, and runs end by the sweep's minute"
            yield Finding(Level.WARNING, _name(job), text, words.APPLY_INFRA)


def _tick(job: Job, cron: str, catalogue: Catalogue, place: str) -> Iterator[Finding]:
    yield from _state(job, place)
    attributes = (job.get("pubsubTarget") or {}).get("attributes") or {}
    for what, has, wanted in (
        ("it fires at", job.get("schedule"), cron),
        ("its zone is", job.get("timeZone"), catalogue.timezone),
        ("it names the schedule", attributes.get("schedule"), catalogue.schedule),
    ):
        if has != wanted:
            text = f"{what} {has!r}, and the file says {wanted!r}"
            yield Finding(Level.ERROR, _name(job), text, words.APPLY_INFRA)


def _state(job: Job, place: str) -> Iterator[Finding]:
    state = str(job.get("state") or "ENABLED")
    if state != "ENABLED":
        command = f"gcloud scheduler jobs resume {_name(job)} {place}"
        yield Finding(Level.ERROR, _name(job), f"it is {state}, so it never fires", command)
    status = job.get("status") or {}
    if status.get("code"):
        text = f"its last tick failed: {status.get('message') or status['code']}"
        command = f"gcloud scheduler jobs describe {_name(job)} {place}"
        yield Finding(Level.WARNING, _name(job), text, command)


def _of_topic(jobs: Sequence[Job], topic: str) -> list[Job]:
    return [each for each in jobs if (each.get("pubsubTarget") or {}).get("topicName") == topic]


def _cron_of(job: Job) -> str:
    """Return the cron that the job's message names, or its own where it names none."""
    attributes = (job.get("pubsubTarget") or {}).get("attributes") or {}
    return str(attributes.get("cron") or job.get("schedule") or "")


def _name(job: Job) -> str:
    return str(job.get("name", "")).rpartition("/")[2]
