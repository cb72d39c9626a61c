"""The report as one HTML file: no network, no script, light and dark, fit to be printed.

Everything on the page comes from the report alone. The template escapes all of it; the content
security policy allows nothing but the page's own style sheet, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from fanfold.domain.report.causes import titles
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
from fanfold.rendering.picks import MAX_LISTED, Picks, pick
from fanfold.rendering.report_json import document_name
from fanfold.rendering.rows import group_lines, problems, problems_first, run_mark, why
from fanfold.rendering.sections import sections, warning_told
from fanfold.rendering.sparkline import LINE_HEIGHT, LINE_WIDTH
from fanfold.rendering.timeline import timeline

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

#: Most causes that are told.
MAX_CAUSES = 20

#: Stands before and after the name of a list of short rows. No other text of a page holds it.
BREAK = "\0"

_VERDICT_ICONS = {"succeeded": "ok", "failed": "bad", "rejected": "bad", "missed": "bad"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure of the run: its label, itself, and what it is compared with."""

    label: str
    figure: str
    beside: str = ""


def to_html(report: Mapping[str, Any]) -> str:
    """Return the page of *report*, which has its collectors."""
    return b"".join(Page(report, pick(report))).decode("utf-8")


class Page:
    """The page of a report whose collectors were picked, in pieces.

    Args:
        report: The report but for its collectors.
        picks: What the page needs of them.
    """

    def __init__(self, report: Mapping[str, Any], picks: Picks) -> None:
        self._picks = picks
        self._pieces = _rendered(report, picks).split(BREAK)

    def __iter__(self) -> Iterator[bytes]:
        """Give the text, and in it the lists of short rows."""
        for number, piece in enumerate(self._pieces):
            if number % 2:
                yield from self._picks.rows(piece)
            else:
                yield piece.encode("utf-8", "replace")


def page_values(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template shows of *report*; the console's page of a run shows it, too."""
    from markupsafe import Markup  # noqa: PLC0415 - comes with the template library

    picks = pick(report)

    def list_at(kind: str) -> Markup:
        return Markup(b"".join(picks.rows(kind)).decode("utf-8"))  # noqa: S704 - made of escaped text

    return {**_values(report, picks), "list_at": list_at}


def _rendered(report: Mapping[str, Any], picks: Picks) -> str:
    """Return the text of the page, with the name of each list between two breaks."""
    page, style, policy = _page()
    return page.render(style=style, policy=policy, list_at=_list_at, **_values(report, picks))


def _values(report: Mapping[str, Any], picks: Picks) -> dict[str, Any]:
    report = {**report, "collectors": picks.told}
    bad = problems(report)
    told = causes(bad, report, picks.failures.named)
    reasons = _reasons_of(picks)
    named = problems_first(picks.told.items())
    timezone = report["timezone"]
    numbers = {} if picks.is_whole else {"asked": picks.asked, "bad": picks.bad}
    all_bad = len(picks.failures.named)
    return {
        "mark": run_mark(report),
        "icon": _VERDICT_ICONS.get(
            report["status"], "run" if report["end_time"] is None else "off"
        ),
        "headline": _headline(report),
        "run_id": one_line(report["run_id"], 100),
        "revision": report["revision"],
        "why": why(report),
        "facts": _facts(report, picks),
        "changes": [one_line(change) for change in report["changes"]],
        "total": picks.total,
        "bad": all_bad,
        "causes": told[:MAX_CAUSES],
        "reasons": plural(reasons, "reason"),
        "more_causes": _more(reasons, min(len(told), MAX_CAUSES), "cause"),
        "commands": commands(bad, report["run_id"], all_bad),
        "since": picks.since.told(timezone),
        "timeline": timeline({**report, "collectors": picks.to_draw()}, **numbers),
        "zone": str(zone(timezone)),
        "sections": sections(picks, timezone),
        "counted": _counted(report["summary"]),
        "grid": grid(named, report) if picks.is_whole else None,
        "groups": group_lines(report),
        "late": _late(report),
        "warnings": _listed(picks, "warnings", quoted(bad, report) | _in_table(report)),
        "artifacts": _listed(picks, "artifacts", set()),
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


def _reasons_of(picks: Picks) -> int:
    """Return how many causes there are."""
    title_of = titles(picks.failures.named)
    return len({(one["status"], title_of[name]) for name, one in picks.failures.named})


def _list_at(kind: str) -> str:
    """Return what stands in the text where the list of a kind of collectors belongs."""
    return f"{BREAK}{kind}{BREAK}"


def _facts(report: Mapping[str, Any], picks: Picks) -> list[Fact]:
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
        facts.append(Fact("Records", count(summary["records"]), _against_last(picks)))
    if summary["bytes"] is not None:
        facts.append(Fact("Gathered", size(summary["bytes"])))
    facts += [
        Fact(key.capitalize(), count(summary[key]), _reasons(picks) if key == "skipped" else "")
        for key in ("running", "pending", "skipped", "warnings")
        if summary[key]
    ]
    kind = {"ad_hoc": "by hand"}.get(trigger["kind"], one_line(trigger["kind"], 40))
    facts.append(Fact("Trigger", kind, one_line(trigger["by"] or "", 100)))
    return facts


def _against_last(picks: Picks) -> str:
    """Return how many records those asked brought against their last successes."""
    return change(picks.records, picks.records_before)


def _reasons(picks: Picks) -> str:
    """Return why collectors were skipped: ``2 disabled, 1 not due``, or ``not due`` alone."""
    if len(picks.reasons) == 1:
        return one_line(next(iter(picks.reasons)), 40)
    return ", ".join(
        f"{count(number)} {one_line(each, 40)}" for each, number in picks.reasons.items()
    )


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


def _listed(picks: Picks, what: str, told: set[str]) -> list[tuple[str, str]]:
    """Return the texts that collectors have under *what*, with their names; *told* are left out."""
    texts = [
        (one_line(name, 63), one_line(text, 300))
        for name, one in picks.told.items()
        if name not in told
        for text in one[what]
    ]
    texts += picks.texts[what]
    total = len(texts) + picks.more_texts[what]
    more = _more(total, MAX_LISTED, what.removesuffix("s"))
    return [*texts[:MAX_LISTED], *([("", more)] if more else [])]


def _more(total: int, shown: int, noun: str) -> str:
    return f"and {plural(total - shown, f'more {noun}')}" if total > shown else ""
