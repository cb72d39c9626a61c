"""The report as one HTML file: no network, no script, light and dark, fit to be printed.

Everything on the page comes from the report alone. The template escapes all of it; the content
security policy allows nothing but the page's own style sheet, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, local, one_line, plural, short, size
from fanfold.rendering.cards import cards, quoted
from fanfold.rendering.report_json import document_name
from fanfold.rendering.rows import problems, problems_first, row, run_mark, when, why
from fanfold.rendering.strips import (
    LINE_HEIGHT,
    LINE_WIDTH,
    SLOT_WIDTH,
    STRIP_HEIGHT,
    STRIP_SLOTS,
    line,
    strip,
)
from fanfold.rendering.timeline import RIGHT, WIDTH, timeline

if TYPE_CHECKING:
    from jinja2 import Template

#: Most causes that get a card, collectors that get a strip of their past and a line of their
#: counts, and warnings or artifacts that are listed. The table itself is always complete.
MAX_CARDS, MAX_STRIPS, MAX_LINES, MAX_LISTED = 20, 40, 1000, 100


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure of the summary."""

    figure: str
    label: str
    kind: str = ""


def to_html(report: Mapping[str, Any]) -> str:
    """Return the page of *report*."""
    named = problems_first(report["collectors"].items())
    bad = problems(report)
    strips = [strip(one, report) for one in named[:MAX_STRIPS]]
    if all(len(one.squares) <= 1 for one in strips):
        strips = []  # the first run: there is no past to show
    causes = cards(bad, report["run_id"])
    page, style, policy = _page()
    return page.render(
        style=style,
        policy=policy,
        mark=run_mark(report),
        about=one_line(report["about"], 1000),
        status=report["status"],
        run_id=one_line(report["run_id"], 100),
        revision=report["revision"],
        when=when(report),
        why=why(report),
        tiles=_tiles(report["summary"]),
        changes=[one_line(change) for change in report["changes"]],
        cards=causes[:MAX_CARDS],
        more_cards=_more(len(causes), MAX_CARDS, "cause"),
        timeline=timeline(report),
        rows=[
            (row(name, one, report["timezone"]), line(one) if place < MAX_LINES else None)
            for place, (name, one) in enumerate(named)
        ],
        strips=strips,
        more_strips=_more(len(named), MAX_STRIPS, "collector"),
        late=_late(report),
        warnings=_listed(report, "warnings", quoted(bad)),
        artifacts=_listed(report, "artifacts", set()),
        json_name=document_name(report["revision"], "json"),
        deadline=short(local(report["deadline"], report["timezone"])),
        config=one_line(report["config"]["version"], 100),
        version=one_line(report["config"]["fanfold"], 40),
        drawing={"width": WIDTH, "right": WIDTH - RIGHT, "slots": STRIP_SLOTS},
        spark={"width": LINE_WIDTH, "height": LINE_HEIGHT},
        strip_size={"width": STRIP_SLOTS * SLOT_WIDTH - 4, "height": STRIP_HEIGHT},
    )


@cache
def _page() -> tuple[Template, str, str]:
    """Return the template, the style sheet and the policy that allows it; read once."""
    from jinja2 import Environment  # noqa: PLC0415 - only who writes a page pays for it

    here = resources.files("fanfold.rendering")
    style = "\n" + here.joinpath("page.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(here.joinpath("page.html.j2").read_text("utf-8"))
    return template, style, policy


def _tiles(summary: Mapping[str, Any]) -> list[Tile]:
    kinds = {"succeeded": "good", "failed": "bad", "timed_out": "bad", "warnings": "warn"}
    always = ("total", "succeeded", "failed", "skipped")
    keys = ("total", "succeeded", "failed", "timed_out", "cancelled", "skipped", "running")
    tiles = [
        Tile(count(summary[key]), key.replace("_", " "), kinds.get(key, "") if summary[key] else "")
        for key in (*keys, "pending", "warnings")
        if key in always or summary[key]
    ]
    if summary["records"] is not None:
        tiles.append(Tile(count(summary["records"]), "records"))
    if summary["bytes"] is not None:
        tiles.append(Tile(size(summary["bytes"]), "gathered"))
    return tiles


def _late(report: Mapping[str, Any]) -> list[str]:
    lines = []
    for late in report["late"][:MAX_LISTED]:
        received = local(late["received_at"], report["timezone"])
        outcome = late["outcome"].replace("_", " ")
        told = late["error"] or (
            "" if late["records"] is None else plural(late["records"], "record")
        )
        kept = (late["instead_of"] or "not asked").replace("_", " ")
        lines.append(
            f"{one_line(late['collector'], 63)}, received {received:%H:%M:%S}"
            f" ({duration(late['late_seconds'])} late): {outcome}"
            + (f", {one_line(told, 200)}" if told else "")
            + f". The report keeps: {kept}."
        )
    return lines


def _listed(report: Mapping[str, Any], what: str, told: set[str]) -> list[tuple[str, str]]:
    """Return the texts that collectors have under *what*, with their names; *told* are left out."""
    texts = [
        (one_line(name, 63), one_line(text, 300))
        for name, one in report["collectors"].items()
        if name not in told
        for text in one[what]
    ]
    more = _more(len(texts), MAX_LISTED, what.removesuffix("s"))
    return [*texts[:MAX_LISTED], *([("", more)] if more else [])]


def _more(total: int, shown: int, noun: str) -> str:
    return f"and {plural(total - shown, f'more {noun}')}" if total > shown else ""
