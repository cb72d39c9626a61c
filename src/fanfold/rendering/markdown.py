"""The report as GitHub Markdown, for a job summary or a pull request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fanfold.domain.report.causes import Named
from fanfold.domain.syntax.text import count, one_line
from fanfold.rendering.rows import group_lines, problems, problems_first, row, run_mark, when, why

#: Most collectors in the table and most failures told in full: a summary has a limit of 1 MiB.
MAX_ROWS, MAX_FAILURES = 200, 20

#: What could begin markup anywhere, and an underscore that is not inside a word.
_INLINE = re.compile(r"[\\`*\[\]<>&|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")

#: What could begin a heading, a list, a rule or a quotation at the start of a block.
_BLOCK = re.compile(r"^([#+=:-]|\d{1,9}(?=[.)]))")

#: What GitHub would make a link of, or a mention that notifies somebody.
_LINK = re.compile(r"(?<=[a-z]):(?=//)|(?<=www)\.", re.IGNORECASE)
_MENTION = re.compile(r"[@#](?=\w)")


def to_markdown(report: Mapping[str, Any]) -> str:
    """Return the report as Markdown. No text of a collector can act as markup in it."""
    collectors = problems_first(report["collectors"].items())
    parts = [
        f"## {run_mark(report)} {escape(one_line(report['about'], 1000))}",
        f"Run {escape(report['run_id'])} · {escape(when(report))} · {escape(why(report))}",
        _table(collectors[:MAX_ROWS], report["timezone"]),
        _more(len(collectors), MAX_ROWS, "collectors"),
        _failures(problems(report)),
        "\n".join(map(_item, group_lines(report))),
        "\n".join(map(_item, report["changes"])),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    """Return *text* so that Markdown shows it as it is: no markup, HTML, link or mention."""
    text = _MENTION.sub(lambda match: match[0] + "\u2060", text)
    return _LINK.sub(_entity, _INLINE.sub(_entity, text))


def _item(text: str, indent: str = "") -> str:
    """Return a list item that is not itself the start of a heading, a list or a quotation."""
    safe = escape(one_line(text))
    return f"{indent}- " + _BLOCK.sub(lambda match: "".join(map(_as_entity, match[0])), safe)


def _entity(match: re.Match[str]) -> str:
    return _as_entity(match[0]) if match[0] in "<>&|`:." else "\\" + match[0]


def _as_entity(character: str) -> str:
    return f"&#{ord(character)};"


def _table(collectors: list[Named], timezone: str) -> str:
    if not collectors:
        return ""
    lines = [
        "| | collector | status | records | vs last | size | duration | note |",
        "|---|---|---|--:|--:|--:|--:|---|",
    ]
    for name, one in collectors:
        shown = row(name, one, timezone)
        cells = (
            shown.mark,
            shown.name,
            shown.words,
            shown.records,
            shown.change,
            shown.size,
            shown.duration,
            shown.note,
        )
        lines.append(f"| {' | '.join(escape(cell) for cell in cells)} |")
    return "\n".join(lines)


def _failures(bad: list[Named]) -> str:
    if not bad:
        return ""
    lines = ["### What went wrong", ""]
    for name, one in bad[:MAX_FAILURES]:
        error = one["error"] or one["status"].replace("_", " ")
        lines.append(f"- **{escape(one_line(name, 63))}**: {escape(one_line(error))}")
        lines += [_item(warning, "  ") for warning in one["warnings"][:3]]
    more = _more(len(bad), MAX_FAILURES, "failures")
    return "\n".join([*lines, f"- {more}"] if more else lines)


def _more(total: int, shown: int, noun: str) -> str:
    return f"and {count(total - shown)} more {noun}" if total > shown else ""
