"""The report as a JSON file: UTF-8, the fold's own order of keys, a final newline.

Each key has a line, and each collector has one line. So a person finds a collector, and ``grep``
and ``diff`` work on it. Python's fast encoder writes each line; the encoder that indents is ten
times slower, which shows at thousands of collectors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fanfold.rendering.spool import Spool


def to_bytes(report: Mapping[str, Any]) -> bytes:
    """Return the bytes of report.json: the same report is always the same bytes."""
    lines = Lines()
    for name, one in report["collectors"].items():
        lines.add(name, one)
    return b"".join(lines.document(report))


def document_name(revision: int, form: str) -> str:
    """Return ``report.json`` for the first revision, ``report.r2.json`` for the second."""
    return f"report.{form}" if revision <= 1 else f"report.r{revision}.{form}"


class Lines:
    """The collectors of a report.json, a line each, which come one by one."""

    def __init__(self) -> None:
        self._spool = Spool()

    def add(self, name: str, one: Mapping[str, Any]) -> None:
        """Write the line of the collector *name*, whose part of the report is *one*."""
        comma = ",\n" if self._spool.pieces else ""
        self._spool.add(_bytes(f"{comma}    {_line(name)}: {_line(one)}"))

    def document(self, report: Mapping[str, Any]) -> Iterator[bytes]:
        """Give the whole of report.json; the lines are the ``collectors`` of *report*."""
        begin = "{\n"
        for key, value in report.items():
            yield _bytes(f"{begin}  {_line(key)}: ")
            begin = ",\n"
            if key != "collectors":
                yield _bytes(_line(value))
            elif self._spool.pieces:
                yield b"{\n"
                yield from self._spool
                yield b"\n  }"
            else:
                yield b"{}"
        yield b"\n}\n"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


#: One encoder for every line: json.dumps with options builds one for each call.
_line = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
