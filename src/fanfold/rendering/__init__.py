"""The report as JSON, Markdown, a terminal table and one self-contained HTML page.

Each form is a pure function of the report that :func:`fanfold.domain.report.fold.fold` returns.
Importing this package loads no template library; the first page does.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from fanfold.rendering.markdown import to_markdown
from fanfold.rendering.page import to_html
from fanfold.rendering.report_json import document_name, to_bytes
from fanfold.rendering.table import table_lines
from fanfold.rendering.v1 import to_v1

__all__ = [
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
    try:
        page = to_html(report)
    except Exception as exc:  # noqa: BLE001 - a bug of the page must not keep a run from its end
        page = _bare_page(report, exc)
    return {
        document_name(revision, "html"): page.encode("utf-8", "replace"),
        document_name(revision, "json"): to_bytes(report),
    }


def _bare_page(report: Mapping[str, Any], trouble: Exception) -> str:
    """Return a page with the verdict alone, for a report whose whole page cannot be made."""
    name = document_name(report["revision"], "json")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="robots" '
        f'content="noindex,nofollow"><title>{escape(report["about"])}</title>'
        f"<h1>{escape(report['about'])}</h1><p>Run <code>{escape(report['run_id'])}</code>: "
        f'{escape(report["status"])}. <a href="{name}">{name}</a> says the rest: this page could '
        f"not be drawn, which is a bug of fanfold ({escape(type(trouble).__name__)}).</p></html>\n"
    )
