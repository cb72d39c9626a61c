"""Finish: one report for a run whose answers are all there, written, announced, remembered.

The answers are immutable by now, so the report is a pure fold of the run and its answers: whoever
computes it gets the same bytes, and every step may be repeated by anybody.
"""

from __future__ import annotations

from dataclasses import dataclass

from fanfold.domain.model.run import Run
from fanfold.domain.model.states import Phase
from fanfold.domain.report import fold
from fanfold.messages import events, topology
from fanfold.ports.bus import Bus
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import Clock, RenderReport, ReportSink


@dataclass(frozen=True, slots=True)
class Finisher:
    """Finalizes and announces runs. Holds the ports that it needs, and no state."""

    ledger: Ledger
    bus: Bus
    sink: ReportSink
    render: RenderReport
    clock: Clock

    def finish(self, run_id: str) -> None:
        """Take a run whose every answer is stored to its announced report.

        A repeat starts at the first step that is not done.

        Raises:
            Unbalanced: An answer is missing or too many: the run is not ready to be finished.
        """
        run = self.ledger.run(run_id)
        if run is None or run.is_notice:
            return
        if run.announced_at is None:
            manifest, answers = self.ledger.manifest(run_id), self.ledger.answers(run_id)
            report = fold.fold(run, manifest, answers)
            if run.phase is not Phase.FINAL:
                self.ledger.finalize_run(run_id, fold.closing_of(report))
            self.ledger.remember(run_id, fold.figures(run, manifest, answers))
            self._publish(run, report)
        self.revise(run_id)

    def revise(self, run_id: str) -> None:
        """Write the next revision of a final report if late evidence came since the last one."""
        lates = self.ledger.lates(run_id)
        if not lates:
            return
        run = self.ledger.run(run_id)
        revision = 1 + len(lates)
        if run is None or run.announced_at is None or run.revision >= revision:
            return
        report = fold.fold(
            run,
            self.ledger.manifest(run_id),
            self.ledger.answers(run_id),
            lates,
            revision=revision,
        )
        self._publish(run, report)

    def _publish(self, run: Run, report: dict[str, object]) -> None:
        """Write, publish, mark: in this order, for a crash may repeat an event but not lose it."""
        location = self.sink.write(run.report_to, run.run_id, self.render(report))
        now = self.clock.now()
        self.bus.publish(topology.RUN_REPORTS, [events.encode_finished(report, location, at=now)])
        revision = report["revision"]
        assert isinstance(revision, int)  # noqa: S101 - the fold puts it there
        self.ledger.mark_announced(run.run_id, revision=revision, report=location, at=now)
