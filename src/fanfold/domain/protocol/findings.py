"""What a collector reports of its work: the keys of an answer that say what was gathered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fanfold.domain.protocol import fields
from fanfold.domain.protocol.columns import Schema, read_schema
from fanfold.domain.syntax.limits import (
    MAX_ARTIFACT_CHARS,
    MAX_ARTIFACTS,
    MAX_METRICS,
    MAX_REVISION_CHARS,
    MAX_WARNING_CHARS,
    MAX_WARNINGS,
    MAX_WORD_CHARS,
)


@dataclass(frozen=True, slots=True)
class ReportedFigures:
    """What a collector reported of its work. None means that it did not say."""

    records: int | None = None
    bytes: int | None = None
    artifacts: tuple[str, ...] = ()
    revision: str | None = None
    unchanged: bool = False
    warnings: tuple[str, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    data_until: str | None = None
    schema: Schema | None = None


def findings_of(document: Mapping[str, Any]) -> ReportedFigures:
    """Return what the JSON object *document* reports.

    Raises:
        BrokenContract: A key has an illegal value.
    """
    metrics, left_out = fields.scalars(
        document,
        "metrics",
        most=MAX_METRICS,
        name_chars=MAX_WORD_CHARS,
        chars=MAX_WARNING_CHARS,
    )
    most = MAX_WARNINGS - len(left_out)
    warnings = fields.texts(document, "warnings", most=most, chars=MAX_WARNING_CHARS)
    return ReportedFigures(
        records=fields.count(document, "records"),
        bytes=fields.count(document, "bytes"),
        artifacts=fields.texts(document, "artifacts", most=MAX_ARTIFACTS, chars=MAX_ARTIFACT_CHARS),
        revision=fields.token(document, "revision", chars=MAX_REVISION_CHARS),
        unchanged=bool(fields.flag(document, "unchanged")),
        warnings=(*warnings, *left_out),
        metrics=metrics,
        data_until=fields.instant(document, "data_until"),
        schema=read_schema(document),
    )
