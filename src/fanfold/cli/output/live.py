"""The live picture of a run on a terminal: a line each for a few collectors, a bar for many."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from fanfold.cli.output.progress import (
    LIVE_EVERY_S,
    OPEN,
    Report,
    asked_in,
    heading,
    progress_words,
    time_of,
)
from fanfold.cli.output.terminal import Terminal, wants_colour
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, one_line, plural
from fanfold.rendering import collector_row
from fanfold.rendering.columns import cut
from fanfold.rendering.table import name_column

#: More collectors than this share one bar.
MOST_LINES = 20

#: Lines of the compact picture: those running, and the newest failures.
MOST_RUNNING, MOST_FAILED = 8, 5

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
class _Layout:
    """How a collector's line is laid out: names in so many columns, lines in so many."""

    timezone: str
    name_columns: int
    columns: int
    frame: str
    now: datetime

    def line(self, name: str, one: Mapping[str, Any]) -> StyledLine:
        """Return the line of collector *name*, as its row in the report once it is done."""
        if one["status"] not in OPEN:
            row = collector_row(
                name,
                one,
                timezone=self.timezone,
                name_width=self.name_columns,
                width=self.columns,
                colour=False,
            )
            return row, _STYLES.get(one["status"], "dim")
        mark, style = (self.frame, "cyan") if one["status"] == "running" else ("·", "dim")
        passed = duration(one["duration"]) if one["start_time"] else ""
        shown = one_line(name, 63).ljust(self.name_columns)
        line = (
            f"  {mark} {shown}  {'…':>17}  {'':>8}  {passed:>7}   {progress_words(one, self.now)}"
        )
        return cut(line.rstrip(), self.columns), style


def picture(report: Report, concurrency: int, *, width: int, height: int, frame: str) -> Text:
    """Return the picture of *report* for a terminal of this size; no line is wider than it."""
    collectors = asked_in(report)
    lines = [(cut(heading(report, concurrency), width), "bold")]
    if len(collectors) <= max(1, min(MOST_LINES, height - 4)):
        layout = _Layout(report["timezone"], name_column(report), width, frame, time_of(report))
        lines += [layout.line(name, one) for name, one in collectors.items()]
    else:
        lines += _compact(report, collectors, width, frame)
    lines.append(
        (cut(f"  {duration(report['duration_seconds'])}  {report['about']}", width), "dim")
    )
    text = Text(no_wrap=True, overflow="crop")
    for number, (line, style) in enumerate(lines):
        text.append(("\n" if number else "") + line, style)
    return text


def _compact(
    report: Report, collectors: Mapping[str, Mapping[str, Any]], width: int, frame: str
) -> list[StyledLine]:
    """Return a bar, who is running, and what failed last."""
    done = sum(one["status"] not in OPEN for one in collectors.values())
    failed = [(n, one) for n, one in collectors.items() if one["status"] in ("failed", "timed_out")]
    running = [(n, one) for n, one in collectors.items() if one["status"] == "running"]
    full = round(done / len(collectors) * BAR)
    bar = (
        f"  {'█' * full}{'░' * (BAR - full)}  {count(done)} of {count(len(collectors))} done · "
        f"{plural(len(failed), 'failure')}"
    )
    named = min(max((len(name) for name, _ in running + failed), default=0), 30)
    layout = _Layout(report["timezone"], named, width, frame, time_of(report))
    longest = sorted(running, key=lambda each: -each[1]["duration"])[:MOST_RUNNING]
    newest = sorted(failed, key=lambda each: each[1]["end_time"] or "")[-MOST_FAILED:]
    hidden = len(running) - len(longest)
    return [
        (cut(bar, width), "cyan"),
        *(layout.line(name, one) for name, one in longest),
        *([(f"    and {count(hidden)} more running", "dim")] if hidden else []),
        *(layout.line(name, one) for name, one in newest),
    ]
