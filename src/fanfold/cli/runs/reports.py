"""A run as a report, from the ledger: as it ended, or how far it is; and where reports go."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from fanfold.adapters.report_folder import FolderSink
from fanfold.cli.exit_codes import UNREACHABLE, CommandError
from fanfold.cli.output.outcome import LoadedReport
from fanfold.cli.output.words import (
    REPORT_FOLDER,
    SPACE,
    STATUS,
    in_or_ago,
    list_folder,
    slot_words,
)
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import FanfoldError, NotConfigured, SinkUnavailable
from fanfold.domain.model.run import Run
from fanfold.domain.model.unreadable import UnreadableRun
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import ReportSink
from fanfold.rendering import document_name, to_bytes
from fanfold.views.find import retry_of
from fanfold.views.progress import time_of, usual_end
from fanfold.views.reports import report_now


def report_of(
    run: Run, ledger: Ledger, sink: ReportSink, now: datetime, note: Callable[[str], None]
) -> LoadedReport:
    """Return the report of *run*: of its end if it is final, or so far at *now*.

    It is made from the ledger, as the stored one was: the bytes are the same. A stored report that
    is another one was changed since, or written by another version; *note* is told, and the
    ledger's is returned. Only where the ledger no longer has all of it is the stored one believed.

    A stored report does not know of a later retry: ``retried_by`` is in what is shown, and not in
    the bytes.

    Raises:
        CommandError: The record of the run cannot be read.
    """
    if isinstance(run, UnreadableRun):
        where = f"; its report was written to {run.report}" if run.report else ""
        raise CommandError(f"run {run.run_id}: {run.why}{where}", STATUS, UNREACHABLE)
    stored = None
    if run.announced_at is not None and not run.is_notice:
        stored = _stored(run, sink, document_name(run.revision, "json"))
    try:
        report = report_now(run, ledger, now)
    except FanfoldError:
        if stored is None:
            raise
        return LoadedReport(_with_retry(json.loads(stored), run, ledger), stored)
    content = to_bytes(report)
    if stored is not None and stored != content:
        note(
            f"warning: the report stored for {run.run_id} is not what the ledger says: it was "
            "changed, or another version wrote it; what follows is the ledger's"
        )
    return LoadedReport(_with_retry(report, run, ledger), content)


def _with_retry(report: dict[str, Any], run: Run, ledger: Ledger) -> dict[str, Any]:
    following = None if run.verdict is None or run.is_notice else retry_of(ledger, run)
    return report if following is None else {**report, "retried_by": following.run_id}


def end_lines(session: Session, run: Run, report: Mapping[str, Any]) -> list[str]:
    """Return when *run*, which is under way, ends at the latest, and when such a run usually does.

    The usual end is unknown before each of its collectors has succeeded once, and where the
    configuration, which says how many are asked at a time, cannot be read.
    """
    if run.verdict is not None:
        return []
    now = time_of(report)
    lines = [
        f"  deadline  {slot_words(run.deadline, run.timezone)} ({in_or_ago(run.deadline, now)})"
    ]
    try:
        usual = usual_end(report, session.load().catalogue.max_concurrent_collectors)
    except FanfoldError:
        usual = None
    if usual is not None:
        lines.append(f"  usual end {slot_words(usual, run.timezone)} ({in_or_ago(usual, now)})")
    return lines


def _stored(run: Run, sink: ReportSink, name: str) -> bytes | None:
    try:
        content = sink.read(run.report_to, run.run_id, name)
        if content is not None:
            json.loads(content)
    except (FanfoldError, ValueError):  # the ledger still has everything that was in it
        return None
    return content


def check_report_folder(session: Session, catalogue: Catalogue) -> None:
    """Return if a report can be written where the configuration says.

    Found out now, this costs nothing; found out at the end, a night.

    Raises:
        CommandError: It cannot.
    """
    if session.settings.backend != "embedded":
        return
    try:
        FolderSink(session.settings.report_mode).check(catalogue.report_to)
    except NotConfigured as exc:
        raise CommandError(str(exc), REPORT_FOLDER) from exc
    except SinkUnavailable as exc:
        is_full = isinstance(exc.__cause__, OSError) and exc.__cause__.errno == errno.ENOSPC
        next_command = SPACE if is_full else list_folder(Path(catalogue.report_to))
        raise CommandError(f"{exc}; nothing was started", next_command) from exc
