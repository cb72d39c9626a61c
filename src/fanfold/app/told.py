"""What a use case tells of one delivery, for the log line that its function writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fanfold.domain.model.run import Answer


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a delivery.

    Attributes:
        words: A few words for people.
        trace_id: Of the run's trace; empty where the run is not known.
        answer: The collector's answer, where this delivery brought it.
        report: The first report of the run, where this delivery was its end.
    """

    words: str
    trace_id: str = ""
    answer: Answer | None = None
    report: Mapping[str, Any] | None = None
