"""The report as a JSON file: UTF-8, the fold's own order of keys, a final newline.

Each key has a line, and each collector has one line. So a person finds a collector, and ``grep``
and ``diff`` work on it. Python's fast encoder writes each line; the encoder that indents is ten
times slower, which shows at thousands of collectors.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


def to_bytes(report: Mapping[str, Any]) -> bytes:
    """Return the bytes of report.json: the same report is always the same bytes."""
    text = _object(
        ((key, _collectors(value) if key == "collectors" else _line(value)))
        for key, value in report.items()
    )
    return (text + "\n").encode("utf-8", "replace")


def document_name(revision: int, form: str) -> str:
    """Return ``report.json`` for the first revision, ``report.r2.json`` for the second."""
    return f"report.{form}" if revision <= 1 else f"report.r{revision}.{form}"


def _collectors(collectors: Mapping[str, Any]) -> str:
    return _object(((name, _line(one)) for name, one in collectors.items()), "  ")


def _object(items: Iterable[tuple[str, str]], margin: str = "") -> str:
    lines = ",\n".join(f"{margin}  {_line(key)}: {value}" for key, value in items)
    return f"{{\n{lines}\n{margin}}}" if lines else "{}"


#: One encoder for every line: json.dumps with options builds one for each call.
_line = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
