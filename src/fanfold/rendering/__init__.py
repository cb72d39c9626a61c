"""The report as JSON, Markdown, a terminal table and one self-contained HTML page.

Each form is a pure function of the report that :func:`fanfold.domain.report.fold.fold` returns.
Importing this package loads no template library; the first page does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

from fanfold.domain.model.run import Run
from fanfold.domain.syntax.text import instant
from fanfold.rendering.markdown import to_markdown
from fanfold.rendering.page import Page, to_html
from fanfold.rendering.picks import Picks
from fanfold.rendering.report_json import Lines, document_name, to_bytes
from fanfold.rendering.table import table_lines
from fanfold.rendering.v1 import to_v1

__all__ = [
    "Documents",
    "document_name",
    "draw",
    "table_lines",
    "to_bytes",
    "to_html",
    "to_markdown",
    "to_v1",
]


def draw(run: Run) -> Documents:
    """Begin the documents of the report of *run*."""
    slot = None if run.scheduled_for is None else instant(run.scheduled_for)
    start_time = instant(run.start_time)
    return Documents({"timezone": run.timezone, "scheduled_for": slot, "start_time": start_time})


class Documents:
    """The page and the JSON of a report; see :class:`fanfold.ports.outside.Drawing`.

    Args:
        begun: What is known of the report from the start: its ``timezone``, ``scheduled_for`` and
            ``start_time``.
    """

    def __init__(self, begun: Mapping[str, Any]) -> None:
        self._lines = Lines()
        self._picks = Picks(begun)
        self._trouble: Exception | None = None

    def add(self, name: str, one: Mapping[str, Any]) -> None:
        """See :meth:`fanfold.ports.outside.Drawing.add`."""
        self._lines.add(name, one)
        try:
            self._picks.add(name, one)
        except Exception as exc:  # noqa: BLE001 - a bug of the page must not keep a run from its end
            self._trouble = exc

    def documents(self, report: Mapping[str, Any]) -> dict[str, Iterable[bytes]]:
        """See :meth:`fanfold.ports.outside.Drawing.documents`."""
        revision = report["revision"]
        return {
            document_name(revision, "html"): self._page(report),
            document_name(revision, "json"): _Again(partial(self._lines.document, report)),
        }

    def _page(self, report: Mapping[str, Any]) -> Iterable[bytes]:
        trouble = self._trouble
        if trouble is None:
            try:
                return Page(report, self._picks)
            except Exception as exc:  # noqa: BLE001 - likewise
                trouble = exc
        return [_bare_page(report, trouble).encode("utf-8", "replace")]


@dataclass(frozen=True, slots=True)
class _Again:
    """What *make* gives, as often as one likes."""

    make: Callable[[], Iterator[bytes]]

    def __iter__(self) -> Iterator[bytes]:
        return self.make()


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
