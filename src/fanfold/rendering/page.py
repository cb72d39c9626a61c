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
from fanfold.domain.syntax.text import (
    change,
    count,
    local,
    one_line,
    plural,
    short,
    size,
    weekday,
    zone,
)
from fanfold.rendering.causes import causes, commands, quoted
from fanfold.rendering.grid import grid
from fanfold.rendering.report_json import document_name
from fanfold.rendering.rows import problems, problems_first, run_mark, why
from fanfold.rendering.sections import sections, warning_told
from fanfold.rendering.since import since
from fanfold.rendering.sparkline import LINE_HEIGHT, LINE_WIDTH
from fanfold.rendering.timeline import timeline

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

#: Most causes that are told, collectors that the grid shows (it is left out where there are more),
#: and warnings or artifacts that are listed. The table itself is always complete.
MAX_CAUSES, MAX_GRID, MAX_LISTED = 20, 40, 100

_VERDICT_ICONS = {"succeeded": "ok", "failed": "bad", "rejected": "bad", "missed": "bad"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure of the run: its label, itself, and what it is compared with."""

    label: str
    figure: str
    beside: str = ""


def to_html(report: Mapping[str, Any]) -> str:
    """Return the page of *report*."""
    page, style, policy = _page()
    return page.render(style=style, policy=policy, **page_values(report))


def page_values(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template shows of *report*; the console's page of a run shows it, too."""
    bad = problems(report)
    told = causes(bad, report)
    named = problems_first(report["collectors"].items())
    timezone = report["timezone"]
    return {
        "mark": run_mark(report),
        "icon": _VERDICT_ICONS.get(
            report["status"], "run" if report["end_time"] is None else "off"
        ),
        "headline": _headline(report),
        "run_id": one_line(report["run_id"], 100),
        "revision": report["revision"],
        "why": why(report),
        "facts": _facts(report),
        "changes": [one_line(change) for change in report["changes"]],
        "total": len(named),
        "bad": len(bad),
        "causes": told[:MAX_CAUSES],
        "reasons": plural(len(told), "reason"),
        "more_causes": _more(len(told), MAX_CAUSES, "cause"),
        "commands": commands(bad, report["run_id"]),
        "since": since(report),
        "timeline": timeline(report),
        "zone": str(zone(timezone)),
        "sections": sections(report),
        "counted": _counted(report["summary"]),
        "grid": grid(named, report) if len(named) <= MAX_GRID else None,
        "late": _late(report),
        "warnings": _listed(report, "warnings", quoted(bad, report) | _in_table(report)),
        "artifacts": _listed(report, "artifacts", set()),
        "json_name": document_name(report["revision"], "json"),
        "deadline": short(local(report["deadline"], timezone)),
        "config": one_line(report["config"]["version"], 100),
        "version": one_line(report["config"]["fanfold"], 40),
        "spark": {"width": LINE_WIDTH, "height": LINE_HEIGHT},
    }


def _headline(report: Mapping[str, Any]) -> str:
    """Return the run's sentence, and in a revision what came late: the sentence never changes."""
    sentence = one_line(report["about"], 1000)
    changes = report["changes"]
    if not changes:
        return sentence
    late = one_line(changes[0], 300) if len(changes) == 1 else f"{count(len(changes))} late answers"
    return f"{sentence}; {late}"


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
    environment.filters["breakable"] = breakable
    template = environment.from_string(here.joinpath("page.html.j2").read_text("utf-8"))
    return template, style, policy


def breakable(name: str) -> Markup:
    """Return a name, escaped, that a phone may break after each ``_``."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - comes with the template library

    return escape(name).replace("_", Markup("_<wbr>"))


def _facts(report: Mapping[str, Any]) -> list[Fact]:
    """Return when the run was, and what it brought."""
    timezone, summary, trigger = report["timezone"], report["summary"], report["trigger"]
    start = local(report["start_time"], timezone)
    facts = [Fact("Started", f"{weekday(start, timezone)}:{start:%S}", str(zone(timezone)))]
    if report["end_time"]:
        end = local(report["end_time"], timezone)
        same_day = end.date() == start.date()
        text = f"{end:%H:%M:%S}" if same_day else f"{weekday(end, timezone)}:{end:%S}"
        deadline = local(report["deadline"], timezone)
        facts.append(Fact("Ended", text, f"deadline {deadline:%H:%M}"))
    if report["duration_seconds"]:
        facts.append(Fact("Took", duration(report["duration_seconds"])))
    if summary["records"] is not None:
        facts.append(Fact("Records", count(summary["records"]), _against_last(report)))
    if summary["bytes"] is not None:
        facts.append(Fact("Gathered", size(summary["bytes"])))
    facts += [
        Fact(key.capitalize(), count(summary[key]), _reasons(report) if key == "skipped" else "")
        for key in ("running", "pending", "skipped", "warnings")
        if summary[key]
    ]
    kind = {"ad_hoc": "by hand"}.get(trigger["kind"], one_line(trigger["kind"], 40))
    facts.append(Fact("Trigger", kind, one_line(trigger["by"] or "", 100)))
    return facts


def _against_last(report: Mapping[str, Any]) -> str:
    """Return how many records those asked brought against their last successes."""
    asked = [
        one
        for one in report["collectors"].values()
        if one["records_previous"] is not None
        and one["status"] in {"succeeded", "failed", "timed_out"}
        and not (one["status"] == "succeeded" and one["records"] is None)
    ]
    now = sum(one["records"] for one in asked if one["status"] == "succeeded")
    return change(now, sum(one["records_previous"] for one in asked))


def _reasons(report: Mapping[str, Any]) -> str:
    """Return why collectors were skipped: ``2 disabled, 1 not due``, or ``not due`` alone."""
    reasons = [
        (one["reason"] or "skipped").replace("_", " ")
        for one in report["collectors"].values()
        if one["status"] == "skipped"
    ]
    kinds = list(dict.fromkeys(reasons))
    if len(kinds) == 1:
        return one_line(kinds[0], 40)
    return ", ".join(f"{count(reasons.count(each))} {one_line(each, 40)}" for each in kinds)


def _counted(summary: Mapping[str, Any]) -> str:
    asked = f"{count(summary['total'] - summary['skipped'])} asked"
    return f"{asked}, {count(summary['skipped'])} skipped" if summary["skipped"] else asked


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


def _in_table(report: Mapping[str, Any]) -> set[str]:
    return {name for name, one in report["collectors"].items() if warning_told(one)}


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
