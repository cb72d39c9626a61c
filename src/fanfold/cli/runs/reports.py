"""A run as a report: the stored one if it is final, or how far it is; and where reports go."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from fanfold.cli.exit_codes import CommandError
from fanfold.cli.output.outcome import LoadedReport
from fanfold.cli.output.words import REPORT_FOLDER, list_folder
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.model.run import Run
from fanfold.domain.report import fold
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import ReportSink
from fanfold.rendering import document_name, to_bytes


def report_of(run: Run, ledger: Ledger, sink: ReportSink, now: datetime) -> LoadedReport:
    """Return the report of *run*: the stored one, one made again from the ledger, or one so far."""
    if run.announced_at is not None and not run.is_notice:
        stored = _stored(run, sink, document_name(run.revision, "json"))
        if stored is not None:
            return LoadedReport(json.loads(stored), stored)
    report = report_now(run, ledger, now)
    return LoadedReport(report, to_bytes(report))


def report_now(run: Run, ledger: Ledger, now: datetime) -> dict[str, Any]:
    """Return the report of *run* as the ledger alone tells it at *now*."""
    manifest, answers = ledger.manifest(run.run_id), ledger.answers(run.run_id)
    if run.verdict is None:
        return fold.fold_so_far(run, manifest, ledger.jobs(run.run_id), answers, now)
    lates = ledger.lates(run.run_id)
    return fold.fold(run, manifest, answers, lates, revision=max(1, run.revision))


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
    if catalogue.report_to.startswith("gs://"):
        raise CommandError(
            f"reports go to {catalogue.report_to}, which the embedded backend cannot write",
            REPORT_FOLDER,
        )
    folder = Path(catalogue.report_to)
    probe = folder / f".{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as exc:
        raise CommandError(
            f"reports cannot be written to {folder}: {exc.strerror}; nothing was started",
            list_folder(folder),
        ) from exc
