"""The log lines about collectors that failed and runs that ended badly: severity, words, fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fanfold.app.told import Told
from fanfold.domain.model.run import Answer
from fanfold.domain.model.states import Outcome, RunStatus
from fanfold.domain.syntax.traceparent import traceparent_of

#: The fields of a delivery's log line. A use case adds what it learns: the run, the collector.
Fields = dict[str, Any]

#: Severity and sentence of a log line.
LogLine = tuple[str, str]

_SEVERITY = {RunStatus.FAILED.value: "ERROR", RunStatus.CANCELLED.value: "WARNING"}


def answer_line(answer: Answer, fields: Fields) -> LogLine:
    """Return the line of a collector's *answer*; a failure puts its kind and text in *fields*."""
    outcome = answer.outcome.value
    if answer.outcome is Outcome.SUCCEEDED:
        return "INFO", outcome
    fields |= {"run_id": answer.run_id, "collector": answer.collector, "outcome": outcome}
    if answer.error is None:
        return "WARNING", outcome
    fields |= {"kind": answer.error.kind, "error": answer.error.message}
    return "WARNING", f"{outcome} ({answer.error.kind}): {answer.error.message}"


def job_line(told: Told, fields: Fields) -> LogLine:
    """Return the line of a job that is done with."""
    put_trace(told.trace_id, fields)
    return ("INFO", told.words) if told.answer is None else answer_line(told.answer, fields)


def end_line(report: Mapping[str, Any], fields: Fields) -> LogLine:
    """Return the line of a run's end: its sentence, an ERROR if the run failed."""
    fields |= {"run_id": report["run_id"], "status": report["status"]}
    return _SEVERITY.get(report["status"], "INFO"), str(report["about"])


def put_trace(trace_id: str, fields: Fields) -> None:
    """Put the trace *trace_id* in *fields*, where the message named none."""
    if trace_id and not fields.get("traceparent"):
        parts = [fields[key] for key in ("run_id", "collector", "function") if fields.get(key)]
        fields["traceparent"] = traceparent_of(trace_id, *parts)
