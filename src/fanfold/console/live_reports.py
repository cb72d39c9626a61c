"""The runs under way, each with its report so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fanfold.console.site import Site
from fanfold.domain.model.errors import FanfoldError
from fanfold.views.overview import Overview
from fanfold.views.reports import report_now

#: Most runs under way that are shown with their progress.
MAX_LIVE = 3


def live_reports(here: Site, overview: Overview) -> Sequence[dict[str, Any]]:
    """Return the reports so far of the runs under way, the newest first."""
    under_way = [run for run in overview.running if run.verdict is None]
    reports = []
    for run in sorted(under_way, key=lambda run: run.start_time, reverse=True)[:MAX_LIVE]:
        try:
            reports.append(report_now(run, here.parts.ledger, overview.now))
        except FanfoldError:  # its record cannot be read: a finding of the overview says so
            continue
    return reports
