"""The report as a JSON file: UTF-8, two spaces, the fold's own order of keys, a final newline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def to_bytes(report: Mapping[str, Any]) -> bytes:
    """Return the bytes of report.json: the same report is always the same bytes."""
    text = json.dumps(report, ensure_ascii=False, indent=2, allow_nan=False)
    return (text + "\n").encode("utf-8", "replace")


def document_name(revision: int, form: str) -> str:
    """Return ``report.json`` for the first revision, ``report.r2.json`` for the second."""
    return f"report.{form}" if revision <= 1 else f"report.r{revision}.{form}"
