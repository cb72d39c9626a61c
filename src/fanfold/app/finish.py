"""Finish: one report for a run whose answers are all there, written, announced, remembered.

The answers are immutable by now, so the report is a pure fold of the run and its answers: whoever
computes it gets the same bytes, and every step may be repeated by anybody.

A run that must end, and whose report cannot be made or stored as it is, ends all the same: the
fallback closes it as failed, and its record says why.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any, TypeVar

from fanfold.domain.model.errors import ReportDiffers, SinkUnavailable, Transient
from fanfold.domain.model.run import LateAnswer, Run, Verdict
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.domain.model.unreadable import Unreadable, UnreadableRun
from fanfold.domain.protocol.strict_json import NotJson, read_json
from fanfold.domain.report.balance import Pair, Unbalanced, paired
from fanfold.domain.report.fallback import Fallback, folding_of, is_fallback
from fanfold.domain.report.figures import Remembered
from fanfold.domain.report.fold import Folding, closing_of
from fanfold.messages import events, topology
from fanfold.ports.bus import Bus
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import Clock, Drawing, DrawReport, ReportSink

T = TypeVar("T")

#: Most revisions whose names are taken by other content, before the write is given up.
MAX_TAKEN = 20

#: How long after its deadline a final run's report is tried again before the fallback closes the
#: run as failed, in seconds: the next sweep still tries.
TRY_AGAIN_S = 10.0

#: How long after its deadline a run waits for a place that does not take its report now, in
#: seconds. Then it ends without, and its record says why.
SINK_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Folded:
    """A run that was folded once: its report but for the collectors, which are drawn already.

    ``remembered`` is what it adds to the memory of its collectors.
    """

    run: Run
    folding: Folding
    drawing: Drawing
    remembered: Remembered
    lates: Sequence[LateAnswer] = ()

    def report(self, revision: int, remarks: Sequence[str]) -> dict[str, Any]:
        """Return the report of a revision, without its collectors."""
        run = self.run
        # Where the name was taken, the other content may list any of the late answers: this one
        # lists all.
        is_next = len(remarks) == len(run.remarks)
        listed = self.lates[: run.late_listed + 1] if is_next else self.lates
        return self.folding.report(listed, revision=revision, remarks=remarks)


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report without its collectors, its place (empty if it could not be stored), and remarks.

    The remarks are those in its changes.
    """

    report: Mapping[str, Any]
    location: str
    remarks: tuple[str, ...]


#: Takes a step for a key. Callers side by side with equal keys share a step that began after they
#: called.
Share = Callable[[Hashable, Callable[[], None]], None]


def alone(_key: Hashable, step: Callable[[], None]) -> None:
    """Take *step* for this caller alone."""
    step()


@dataclass(frozen=True, slots=True)
class Finisher:
    """Finalizes and announces runs. Holds the ports that it needs, and no state.

    ``share`` keeps the callers of one process from making the same report side by side.
    """

    ledger: Ledger
    bus: Bus
    sink: ReportSink
    draw: DrawReport
    clock: Clock
    share: Share = alone

    def finish(self, run_id: str, *, must_end: bool = False) -> Mapping[str, Any] | None:
        """Take a run whose every answer is stored to its announced report.

        Returns the run's first report, without its collectors, if this call announced it.

        A repeat starts at the first step that is not done. A run that *must_end* (its deadline has
        passed, or it is cancelled) is closed as failed if its report cannot be made or stored.
        Of several calls side by side one works at a time, and serves all that came before it began.

        Raises:
            Unbalanced: An answer is missing or too many: the run is not ready to be finished.
            Transient: The same call may succeed later.
        """
        mine: list[Mapping[str, Any]] = []

        def step() -> None:
            first = self._finish(run_id, must_end=must_end)
            if first is not None:
                mine.append(first)

        self.share((run_id, must_end), step)
        return mine[0] if mine else None

    def _finish(self, run_id: str, *, must_end: bool) -> Mapping[str, Any] | None:
        run = self.ledger.run(run_id)
        if run is None or run.is_notice:
            return None
        first: Mapping[str, Any] | None = None
        if isinstance(run, UnreadableRun):
            # Until its deadline somebody may mend its record.
            if must_end or self.clock.now() >= run.deadline:
                first = self.close_as_failed(run_id, Unreadable(run.why))
            return first
        if run.announced_at is None and is_fallback(run):
            first = self.close_as_failed(run_id, Unbalanced(run.about))
        elif run.announced_at is None:
            try:
                first = self._announce(run)
            except Exception as exc:
                if not must_end or self._may_try_again(run, exc):
                    raise
                first = self.close_as_failed(run_id, exc)
        self.revise(run_id)
        return first

    def revise(self, run_id: str) -> None:
        """Write a revision of a final report for each late answer that the last one lacks."""
        while True:
            run = self.ledger.run(run_id)
            if run is None or run.announced_at is None or isinstance(run, UnreadableRun):
                return
            lates = self.ledger.lates(run_id)
            if run.late_listed >= len(lates):
                return
            stored = self._store(self._folded(run, folding_of(run, lates), lates))
            self._publish(stored, run)
            self._mark(stored)

    def close_as_failed(self, run_id: str, why: Exception) -> Mapping[str, Any] | None:
        """Close and announce a run as failed because of *why*, whatever is stored of it.

        Returns its report if this call announced it.

        Raises:
            Transient: The same call may succeed later.
        """
        run = self.ledger.run(run_id)
        if run is None or run.is_notice or run.announced_at is not None:
            return None
        folded, folding = self._folded_as_far_as_possible(run)
        verdict = folding.failed(why, self.clock.now())
        if run.phase is not Phase.FINAL and not self.ledger.finalize_run(run_id, verdict):
            return None  # somebody else closed it at this moment, and the next sweep goes on
        closed = folding.run = replace(
            run,
            phase=Phase.FINAL,
            verdict=verdict.verdict,
            about=verdict.about,
            end_time=verdict.end_time,
        )
        left = folded.remembered.figures(verdict.end_time)
        _if_possible(lambda: self.ledger.remember(run_id, left))
        stored = _if_possible(partial(self._store, folded), or_if=SinkUnavailable)
        if stored is None:
            stored = StoredReport(folded.report(run.revision + 1, ()), "", ())
        _if_possible(partial(self._publish, stored, closed))
        self._mark(stored, verdict)
        return stored.report

    def _may_try_again(self, before: Run, why: Exception) -> bool:
        """Return whether a later sweep may try once more to store the report of a run.

        What passes by itself is waited for. But a run has to end: where its report cannot be
        stored for too long, it ends without.
        """
        run = self.ledger.run(before.run_id)
        passed_s = (self.clock.now() - before.deadline).total_seconds()
        if isinstance(why, Transient):
            return not isinstance(why, SinkUnavailable) or passed_s < SINK_PATIENCE_S
        if run is None or run.phase is not Phase.FINAL:
            return False
        return 0 <= passed_s < TRY_AGAIN_S

    def _announce(self, run: Run) -> Mapping[str, Any]:
        """Close *run* if it is open, announce its first report, and return that."""
        folded = self._folded(run, folding_of(run))
        first = folded.report(1, ())
        if run.phase is not Phase.FINAL:
            self.ledger.finalize_run(run.run_id, closing_of(first))
        figures = folded.remembered.figures(folded.folding.end_time)
        self.ledger.remember(run.run_id, figures)
        stored = self._store(folded)
        self._publish(stored, run)
        self._mark(stored)
        return stored.report

    def _folded(self, run: Run, folding: Folding, lates: Sequence[LateAnswer] = ()) -> Folded:
        return self._fold(run, folding, self.ledger.pairs(run.run_id), lates)

    def _folded_as_far_as_possible(self, run: Run) -> tuple[Folded, Fallback]:
        """Return what can be told of a run that is closed as failed, folded and its folding."""

        def fold(pairs: Callable[[], Iterable[Pair]]) -> tuple[Folded, Fallback]:
            folding = Fallback(run)
            return self._fold(run, folding, pairs()), folding

        run_id = run.run_id
        return (
            _if_possible(partial(fold, lambda: self.ledger.pairs(run_id)))
            or _if_possible(partial(fold, lambda: paired(self.ledger.manifest(run_id), ())))
            or fold(lambda: ())
        )

    def _fold(
        self, run: Run, folding: Folding, pairs: Iterable[Pair], lates: Sequence[LateAnswer] = ()
    ) -> Folded:
        """Go through the collectors of a run once. None is held when the next one comes."""
        drawing, remembered = self.draw(run), Remembered(run)
        for entry, answer in pairs:
            one = folding.take(entry, answer)
            if one is not None and entry is not None:
                drawing.add(entry.name, one)
            remembered.take(entry, answer)
        return Folded(run, folding, drawing, remembered, lates)

    def _store(self, folded: Folded) -> StoredReport:
        """Write the next revision.

        Where its name is taken by other content, that stays, and the revision after it says so.
        """
        run = folded.run
        if not run.report_to:
            raise Unreadable("the run's record does not say where its report goes")
        remarks = list(run.remarks)
        for revision in count(run.revision + 1):
            report = folded.report(revision, remarks)
            try:
                documents = folded.drawing.documents(report)
                location = self.sink.write(run.report_to, run.run_id, documents)
            except ReportDiffers as exc:
                if revision > run.revision + MAX_TAKEN:
                    raise
                remarks.append(self._remark(run, exc))
            else:
                return StoredReport(report, location, tuple(remarks))
        raise AssertionError

    def _publish(self, stored: StoredReport, run: Run) -> None:
        """Publish the finished event, before it is marked: a crash may repeat it, not lose it."""
        message = events.encode_finished(
            stored.report, stored.location, at=self.clock.now(), trace_id=run.trace_id
        )
        self.bus.publish(topology.RUN_REPORTS, [message])

    def _mark(self, stored: StoredReport, verdict: Verdict | None = None) -> None:
        report = stored.report
        self.ledger.mark_announced(
            report["run_id"],
            revision=report["revision"],
            report=stored.location,
            at=self.clock.now(),
            late_listed=report["summary"]["late"],
            remarks=stored.remarks,
            verdict=verdict,
        )

    def _remark(self, run: Run, taken: ReportDiffers) -> str:
        """Return what is said of the documents that have a revision's names already."""
        status = ""
        for name in taken.names:
            if name.endswith(".json"):
                status = _status_in(self.sink.read(run.report_to, run.run_id, name))
        names = " and ".join(taken.names)
        found = f"{names} held another report" + (f", which says {status}" if status else "")
        return f"{found}: it is left as it was, and this revision says what is recorded"


def _status_in(content: bytes | None) -> str:
    """Return the run status that a stored report.json says, or an empty string."""
    try:
        document = read_json(content or b"")
    except NotJson:
        return ""
    status = document.get("status") if isinstance(document, dict) else None
    return status if status in set(RunStatus) else ""


def _if_possible(step: Callable[[], T], *, or_if: type[Transient] | tuple[()] = ()) -> T | None:
    """Return what *step* returns, or None if it fails in a way that no repeat mends.

    Raises:
        Transient: It may succeed later. One of the kind *or_if* is not waited for.
    """
    try:
        return step()
    except or_if:
        return None
    except Transient:
        raise
    except Exception:  # noqa: BLE001 - a run that must end does without what cannot be done
        return None
