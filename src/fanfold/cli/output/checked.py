"""What is printed of the contract that was played at a collector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fanfold import __version__
from fanfold.domain.protocol.conformance import Judgement, Result
from fanfold.domain.syntax.durations import duration
from fanfold.rendering.rows import NOTHING

_MARKS = {Result.PASSED: "✓", Result.WARNED: "!", Result.FAILED: "✗", Result.SKIPPED: NOTHING}


@dataclass(frozen=True, slots=True)
class Check:
    """One check, and what became of it."""

    name: str
    asked: str
    judged: Judgement
    status: int | None = None
    seconds: float = 0.0


def check_lines(check: Check) -> Iterator[str]:
    """Give the lines of one check of the contract."""
    judged = check.judged
    took = f"  {duration(check.seconds)}" if check.seconds else ""
    yield f"  {_MARKS[judged.result]} {check.name:<10} {judged.said}{took}"
    if judged.fix:
        yield f"               write   {judged.fix}"


def conformance_verdict(name: str, checks: Sequence[Check]) -> str:
    """Return the last line of a report of the contract."""
    number = {each: sum(one.judged.result is each for one in checks) for each in Result}
    mark = "✗" if number[Result.FAILED] else "✓"
    says = "does not keep the contract" if number[Result.FAILED] else "keeps the contract"
    parts = [f"{number[each]} {each.value}" for each in Result if number[each]]
    return f"{mark} {name} {says}: {', '.join(parts)}"


def conformance_document(name: str, url: str, checks: Sequence[Check]) -> dict[str, Any]:
    """Return the report of the contract for programs."""
    return {
        "collector": name,
        "url": url,
        "conforms": not any(each.judged.result is Result.FAILED for each in checks),
        "checks": [
            {
                "name": each.name,
                "asked": each.asked,
                "result": each.judged.result.value,
                "said": each.judged.said,
                "fix": each.judged.fix or None,
                "status": each.status,
                "seconds": round(each.seconds, 3),
            }
            for each in checks
        ],
        "fanfold": __version__,
    }
