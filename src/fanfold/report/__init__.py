"""The report as JSON, Markdown, a terminal table and one self-contained HTML page.

Each form is a pure function of the report that :func:`fanfold.domain.fold.fold` returns. Importing
this package loads no template library; the first page does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fanfold.report.canonical import document_name, to_bytes
from fanfold.report.markdown import to_markdown
from fanfold.report.page import to_html
from fanfold.report.table import collector_row, table_lines
from fanfold.report.v1 import to_v1

__all__ = [
    "collector_row",
    "document_name",
    "render",
    "table_lines",
    "to_bytes",
    "to_html",
    "to_markdown",
    "to_v1",
]


def render(report: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the documents to store, by file name: the page, which is the one to link, and JSON."""
    revision = report["revision"]
    return {
        document_name(revision, "html"): to_html(report).encode("utf-8", "replace"),
        document_name(revision, "json"): to_bytes(report),
    }
