"""A run as a report: the stored one if it is final, or how it stands now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.report import fold

if TYPE_CHECKING:
    from fanfold.domain.model.run import Run
    from fanfold.ports.ledger import Ledger
    from fanfold.ports.outside import ReportSink


@dataclass(frozen=True, slots=True)
class LoadedReport:
    """A report, and its bytes as report.json has them."""

    report: Mapping[str, Any]
    content: bytes


def report_of(run: Run, ledger: Ledger, sink: ReportSink, now: datetime) -> LoadedReport:
    """Return the report of *run*: stored, or made again if its file is gone, or so far at *now*."""
    from fanfold.rendering import document_name, to_bytes  # noqa: PLC0415

    if run.announced_at is not None and not run.is_notice:
        stored = _stored(run, sink, document_name(run.revision, "json"))
        if stored is not None:
            return LoadedReport(json.loads(stored), stored)
    report = report_now(run, ledger, now)
    return LoadedReport(report, to_bytes(report))


def report_now(run: Run, ledger: Ledger, now: datetime) -> dict[str, Any]:
    """Return the report of *run* from the ledger alone, as it stands at *now*."""
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
