"""This machine: the configuration's file, the clock, the database and the disk that it is on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fanfold.adapters.clock import SystemClock
from fanfold.cli.findings.finding import Finding, Level
from fanfold.cli.output import words
from fanfold.cli.runs.store import open_store
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.syntax.text import local, plural, short

#: Less free space than this is an error, in bytes: a night of reports and of the log.
LEAST_FREE_BYTES = 100 * 1024 * 1024

#: A write-ahead log longer than this says that something keeps it from being folded in, in bytes.
LONGEST_LOG_BYTES = 64 * 1024 * 1024

#: How far the newest run may begin after now, in seconds: clocks of two machines differ a little.
CLOCK_MARGIN_S = 60.0


def configuration(session: Session) -> tuple[Catalogue | None, Finding]:
    """Return the configuration, None where it cannot be read, and what is to be said of it."""
    name = str(session.settings.config)
    try:
        catalogue = session.load().catalogue
    except FanfoldError as exc:
        said = str(exc).splitlines()[0]
        return None, Finding(Level.ERROR, name, said, words.CHECK)
    enabled = sum(each.enabled for each in catalogue.collectors)
    text = f"{plural(len(catalogue.collectors), 'collector')}, {enabled} enabled"
    return catalogue, Finding(Level.OK, name, text)


def clock(catalogue: Catalogue | None, newest: datetime | None) -> Finding:
    """Return how the clock stands to the *newest* run's start, None if there is none."""
    now = SystemClock().now()
    zone = catalogue.timezone if catalogue else "UTC"
    text = f"{short(local(now.isoformat(), zone))} in {zone}"
    if newest is not None and newest > now + timedelta(seconds=CLOCK_MARGIN_S):
        ahead = f"the newest run began at {newest.astimezone(UTC):%Y-%m-%d %H:%M} UTC, after now"
        return Finding(Level.ERROR, "clock", f"{text}: {ahead}", words.SHOW_CLOCK)
    return Finding(Level.OK, "clock", text)


def newest_run(session: Session) -> datetime | None:
    """Return when the newest run began, None if there is none.

    Raises:
        FanfoldError: What is stored cannot be read.
    """
    with open_store(session) as (ledger, _):
        runs = ledger.recent_runs(1)
    return runs[0].start_time if runs else None


def database(path: Path) -> Iterator[Finding]:
    """Give what is to be said of the file at *path*, before it is opened, and of its disk."""
    folder, subject = path.absolute().parent, str(path)
    if not folder.is_dir():
        text = f"there is no folder {folder}: a wrong folder, or a mistyped FANFOLD_DB?"
        yield Finding(Level.ERROR, subject, text, words.make_missing(folder))
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        text = f"nothing can be written in {folder}, and the log has to be beside the file"
        yield Finding(Level.ERROR, subject, text, words.whose(folder))
    elif not path.exists():
        yield Finding(Level.OK, subject, "not there yet: the first run makes it")
    else:
        yield _file(path)
    free = shutil.disk_usage(folder).free
    level = Level.OK if free >= LEAST_FREE_BYTES else Level.ERROR
    command = "" if level is Level.OK else words.space_at(folder)
    yield Finding(level, "disk", f"{free // (1024 * 1024):,} MB free at {folder}", command)


def _file(path: Path) -> Finding:
    subject, status = str(path), path.stat()
    if not os.access(path, os.R_OK | os.W_OK):
        text = f"it belongs to user {status.st_uid}, and you ({os.geteuid()}) may not write to it"
        return Finding(Level.ERROR, subject, text, words.whose(path))
    log = path.with_name(f"{path.name}-wal")
    log_bytes = log.stat().st_size if log.exists() else 0
    if log_bytes > LONGEST_LOG_BYTES:
        text = f"its write-ahead log has {log_bytes // (1024 * 1024)} MB: a reader holds it open?"
        return Finding(Level.WARNING, subject, text, words.users_of(log))
    if os.geteuid() not in (0, status.st_uid):
        text = f"it belongs to user {status.st_uid}, you are {os.geteuid()}; both may write to it"
        return Finding(Level.WARNING, subject, text, words.whose(path))
    return Finding(Level.OK, subject, f"{status.st_size // 1024:,} kB, can be written")
