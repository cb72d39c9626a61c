"""The live picture of a run on a terminal: how far it is, who failed so far, and who is running."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from fanfold.cli.output.progress import LIVE_EVERY_S, done_words, heading
from fanfold.cli.output.running import running_lines
from fanfold.cli.output.terminal import Terminal, wants_colour
from fanfold.domain.report.causes import Named
from fanfold.domain.report.sentences import UNSUCCESSFUL
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, one_line, plural
from fanfold.rendering.cause_lines import mark_of, name_lines
from fanfold.rendering.causes import causes
from fanfold.rendering.columns import cut, pad, wrap
from fanfold.rendering.rows import problems
from fanfold.rendering.table_rows import Layout, collector_row, name_column
from fanfold.views.progress import OPEN, Report, asked_in, progress_words, time_of

#: More collectors than this share one bar.
MOST_LINES = 20

#: Most collectors under way that the picture of many lists.
MOST_RUNNING = 8

#: Width of the bar, in columns.
BAR = 30

#: A line of the picture, and the style that rich draws it in.
StyledLine = tuple[str, str]

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_STYLES = {"succeeded": "green", "failed": "red", "timed_out": "red", "running": "cyan"}


class LiveProgress:
    """See :class:`fanfold.cli.output.progress.ProgressView`.

    Notes are printed above the picture.
    """

    every_s = LIVE_EVERY_S

    def __init__(self, terminal: Terminal, *, concurrency: int) -> None:
        self.note = terminal.note
        self.concurrency = concurrency
        coloured = wants_colour(terminal.colour, terminal.env, sys.stderr)
        self._console = Console(file=sys.stderr, no_color=not coloured, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        self.note.write = self._above

    def update(self, report: Report) -> None:
        """See :class:`fanfold.cli.output.progress.ProgressView`."""
        width, height = shutil.get_terminal_size()
        frame = _FRAMES[int(time.monotonic() * 8) % len(_FRAMES)]
        shown = picture(report, self.concurrency, width=width, height=height, frame=frame)
        with suppress(OSError):  # the terminal is gone; the run is not
            self._live.update(shown, refresh=True)

    def close(self) -> None:
        """See :class:`fanfold.cli.output.progress.ProgressView`."""
        self.note.direct()
        with suppress(OSError):
            self._live.stop()

    def _above(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)


@dataclass(frozen=True, slots=True)
class _Room:
    """The room for the picture: the terminal's columns and lines, and the sign of who runs."""

    width: int
    height: int
    frame: str

    def line(self, text: str, style: str = "") -> StyledLine:
        """Return *text* as a line that is not wider than the terminal."""
        return cut(text, self.width), style


def picture(report: Report, concurrency: int, *, width: int, height: int, frame: str) -> Text:
    """Return the picture of *report* for a terminal of this size; no line is wider than it."""
    room = _Room(width, height, frame)
    lines = [*_heading(report, concurrency, room)]
    asked = asked_in(report)
    bad = problems({"collectors": asked})
    if len(asked) <= max(1, min(MOST_LINES, height - 6)):
        rows = _rows(report, asked, room)
        failed = _failed(report, bad, room, height - len(lines) - len(rows) - 2)
        lines += [*rows, *failed]
    else:
        open_ones = [named for named in asked.items() if _is_under_way(named[1])]
        left = height - len(lines) - 3
        most = max(2, min(MOST_RUNNING + 2, left // 2))
        running = running_lines(open_ones, time_of(report), width, most) if open_ones else []
        lines += _failed(report, bad, room, left - len(running))
        lines += [("", ""), *(room.line(line) for line in running)]
    text = Text(no_wrap=True, overflow="crop")
    for number, (line, style) in enumerate(lines[: max(1, height - 1)]):
        text.append(("\n" if number else "") + line, style)
    return text


def _heading(report: Report, concurrency: int, room: _Room) -> list[StyledLine]:
    """Return which run it is, how far it is, and a bar."""
    lines = [room.line(heading(report, concurrency, is_under_way=True), "bold")]
    asked = asked_in(report)
    done = sum(one["status"] not in OPEN for one in asked.values())
    share = done / len(asked) if asked else 0.0
    counted = f"  {done_words(report)}"
    full = round(share * BAR)
    bar = f"{'━' * full}{'─' * (BAR - full)}  {share * 100:.0f} %"
    if len(counted) + 4 + len(bar) <= room.width:
        return [*lines, room.line(f"{counted}    {bar}", "cyan")]
    return [*lines, room.line(counted), room.line(f"  {bar}", "cyan")]


def _rows(report: Report, asked: Mapping[str, Mapping[str, Any]], room: _Room) -> list[StyledLine]:
    """Return a line for each collector that did not fail: its row, or how far it is."""
    layout = Layout.of({"collectors": asked}, room.width)
    names = name_column({"collectors": asked})
    lines = []
    for name, one in asked.items():
        if one["status"] in UNSUCCESSFUL:
            continue
        if one["status"] not in OPEN:
            row = collector_row(name, one, timezone=report["timezone"], layout=layout)
            lines.append(room.line(row, _STYLES.get(one["status"], "dim")))
            continue
        mark, style = (room.frame, "cyan") if one["status"] == "running" else ("·", "dim")
        passed = duration(one["duration"]) if one["start_time"] else ""
        size = f"{'':>8}  " if layout.has_size else ""
        figures = f"{'…':>17}  {size}{passed:>7}   {progress_words(one, time_of(report))}"
        lines.append(
            room.line(f"  {mark} {pad(one_line(name, 63), names)}  {figures}".rstrip(), style)
        )
    return lines


def _failed(report: Report, bad: Sequence[Named], room: _Room, most: int) -> list[StyledLine]:
    """Return who failed so far, equal causes together, in at most *most* lines."""
    if not bad or most < 3:
        return []
    lines: list[StyledLine] = [("", ""), (f"failed so far: {count(len(bad))}", "bold")]
    told = causes(bad, report)
    for number, cause in enumerate(told):
        is_one = len(cause.names) == 1
        title = f"{cause.names[0]}: {cause.title}" if is_one else cause.title
        title += f" · {cause.news}" if cause.news else ""
        block = [(line, "red") for line in wrap(title, room.width, f"  {mark_of(cause)} ", "    ")]
        if not is_one:
            block += [room.line(line) for line in name_lines(cause, room.width, "      ")]
        left = most - len(lines) - (number < len(told) - 1)
        if len(block) > left:
            return [*lines, *_as_fits(block, left, len(told) - number)]
        lines += block
    return lines


def _as_fits(block: Sequence[StyledLine], left: int, causes_left: int) -> list[StyledLine]:
    """Return as much of a cause as fits into *left* lines and one, and what there is beside it."""
    if left < 2:
        return [(f"  and {plural(causes_left, 'cause')} more", "dim")]
    more = f" and {plural(causes_left - 1, 'cause')}" if causes_left > 1 else ""
    return [*block[: left - 1], (f"      and more collectors{more}", "dim")]


def _is_under_way(one: Mapping[str, Any]) -> bool:
    return bool(one["status"] == "running" or one["reason"] == "backoff")
