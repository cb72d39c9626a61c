"""What a collector said, made fit to be stored: a document may have 1 MiB, and not any value.

Long texts are cut and big metrics are left out, each with its size named; what Firestore could not
give back as it was becomes JSON text.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from fanfold.domain.model.run import Answer, Attempt, Failure

T = TypeVar("T")

#: Most bytes kept of what one answer says, by part; together well below a document's 1 MiB.
MAX_METRICS_BYTES = 300_000
MAX_ARTIFACTS_BYTES = 200_000
MAX_WARNINGS_BYTES = 100_000
MAX_ATTEMPTS_BYTES = 100_000
MAX_EXPECTATIONS_BYTES = 50_000
MAX_ERROR_BYTES = 20_000
MAX_WORD_BYTES = 1_000

#: Most bytes of each attempt's error: the first that lets all attempts fit.
MAX_ATTEMPT_ERROR_BYTES = (2_000, 200, 20)

#: What the note on a cut may take beyond a limit, in bytes.
CUT_NOTE_BYTES = 60

#: Most levels of a map that are stored as a map; Firestore takes 20 in a whole document.
MAX_DEPTH = 15

_INT64 = 2**63


def fit(answer: Answer) -> Answer:
    """Return *answer* as it can be stored: itself, or with a warning for each part left out."""
    lost: list[str] = []
    metrics = answer.metrics
    size_bytes = len(json.dumps(metrics))
    if size_bytes > MAX_METRICS_BYTES:
        metrics = {}
        lost.append(f"metrics of {size_bytes} bytes left out: over {MAX_METRICS_BYTES} bytes")
    revision = answer.revision
    if revision is not None and len(revision.encode("utf-8", "backslashreplace")) > MAX_WORD_BYTES:
        # A cut revision would be another one.
        lost.append(f"revision of {len(revision)} characters left out: over {MAX_WORD_BYTES} bytes")
        revision = None
    records = _fit_count(answer.records, "records", lost)
    size = _fit_count(answer.bytes, "bytes", lost)
    artifacts = _fit(answer.artifacts, MAX_ARTIFACTS_BYTES, "artifacts", lost)
    expectations = _fit(answer.expectations, MAX_EXPECTATIONS_BYTES, "expectations", lost)
    warnings = _fit(answer.warnings, MAX_WARNINGS_BYTES, "warnings", lost)
    fitting = replace(
        answer,
        records=records,
        bytes=size,
        metrics=metrics,
        artifacts=artifacts,
        expectations=expectations,
        attempts=fit_attempts(answer.attempts),
        warnings=(*warnings, *lost),
        log=tuple(map(text, answer.log)),
        schema=None if answer.schema is None else text(answer.schema),
        error=_fit_error(answer.error, MAX_ERROR_BYTES),
        revision=revision,
    )
    return answer if fitting == answer else fitting


def fit_attempts(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """Return all of *attempts*, for their number counts, with what their errors said cut to fit."""
    for limit_bytes in MAX_ATTEMPT_ERROR_BYTES:
        fitting = [replace(each, error=_fit_error(each.error, limit_bytes)) for each in attempts]
        if _bytes_of(fitting) <= MAX_ATTEMPTS_BYTES:
            return tuple(fitting)
    return tuple(replace(each, error=None) for each in attempts)


def storable(value: Any) -> Any:
    """Return *value* if Firestore gives it back as it is, and as JSON text if not."""
    return value if _storable(value, MAX_DEPTH) else json.dumps(value)


def _fit_count(count: int | None, name: str, lost: list[str]) -> int | None:
    """Return *count*, or None with a sentence in *lost* if it cannot be stored."""
    if count is None or storable_number(count):
        return count
    lost.append(f"{name} left out: a number of {len(str(abs(count)))} digits")
    return None


def storable_number(number: int | None) -> bool:
    """Return whether Firestore stores *number*: it has 64 bits for an integer."""
    return number is None or -_INT64 <= number < _INT64


def text(said: str) -> str:
    """Return *said* with what no UTF-8 text can hold (lone surrogates) escaped."""
    return said.encode("utf-8", "backslashreplace").decode("utf-8")


def cut(said: str, limit_bytes: int) -> str:
    """Return *said* as UTF-8 text, cut to *limit_bytes* with its whole size named."""
    said = text(said)
    whole = said.encode()
    # What was cut already is a little longer than the limit, and is not cut twice.
    if len(whole) <= limit_bytes + CUT_NOTE_BYTES:
        return said
    kept = whole[:limit_bytes].decode("utf-8", "ignore")
    return f"{kept}… (cut: {limit_bytes} of {len(whole)} bytes)"


def _fit(parts: tuple[T, ...], limit_bytes: int, what: str, lost: list[str]) -> tuple[T, ...]:
    size_bytes = 0
    for number, part in enumerate(parts):
        size_bytes += _bytes_of(part)
        if size_bytes > limit_bytes:
            whole = sum(_bytes_of(each) for each in parts)
            lost.append(f"{what}: {number} of {len(parts)} kept; all had {whole} bytes")
            return parts[:number]
    return parts


def _fit_error(error: Failure | None, limit_bytes: int) -> Failure | None:
    if error is None:
        return None
    return replace(error, message=cut(error.message, limit_bytes), kind=cut(error.kind, 200))


def _bytes_of(value: Any) -> int:
    return len(json.dumps(value, default=_plain))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)


def _storable(value: Any, depth: int) -> bool:
    if value is None or isinstance(value, bool | float):
        return True
    if isinstance(value, int):
        return storable_number(value)
    if isinstance(value, str):
        return text(value) == value
    if depth == 0:
        return False
    if isinstance(value, Mapping):
        return all(_storable_key(key) and _storable(item, depth - 1) for key, item in value.items())
    if isinstance(value, list | tuple):
        # A list in a list is not stored, however deep the map in between may be.
        return all(
            not isinstance(item, list | tuple) and _storable(item, depth - 1) for item in value
        )
    return False


def _storable_key(key: Any) -> bool:
    if not isinstance(key, str) or not key or text(key) != key or len(key.encode()) > 1500:
        return False
    return not (key.startswith("__") and key.endswith("__"))
