"""The live picture of a run on a terminal: a line each for a few collectors, a bar for many."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from fanfold.cli.output.progress import LIVE_EVERY_S, OPEN, Report, heading, standing
from fanfold.cli.output.terminal import Notes
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, one_line, plural
from fanfold.rendering import collector_row
from fanfold.rendering.table import cut, name_column

#: More collectors than this share one bar.
MOST_LINES = 20

#: Lines of the compact picture: those running, and the newest failures.
MOST_RUNNING, MOST_FAILED = 8, 5

#: Width of the bar, in columns.
BAR = 30

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_STYLES = {"succeeded": "green", "failed": "red", "timed_out": "red", "running": "cyan"}


class LiveProgress:
    """See :class:`fanfold.cli.output.progress.ProgressView`.

    Notes are printed above the picture.
    """

    every_s = LIVE_EVERY_S

    def __init__(self, note: Notes, *, concurrency: int, coloured: bool) -> None:
        self.note = note
        self.concurrency = concurrency
        self._console = Console(file=sys.stderr, no_color=not coloured, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        note.write = self._above

    def update(self, report: Report) -> None:
        """See :class:`fanfold.cli.output.progress.ProgressView`."""
        width, height = shutil.get_terminal_size()
        self._live.update(
            picture(report, self.concurrency, width=width, height=height, frame=_frame()),
            refresh=True,
        )

    def close(self) -> None:
        """See :class:`fanfold.cli.output.progress.ProgressView`."""
        self.note.direct()
        self._live.stop()

    def _above(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)


def picture(report: Report, concurrency: int, *, width: int, height: int, frame: str) -> Text:
    """Return the picture of *report* for a terminal of this size; no line is wider than it."""
    collectors = {n: one for n, one in report["collectors"].items() if one["status"] != "skipped"}
    few = len(collectors) <= min(MOST_LINES, height - 4)
    lines = [(cut(heading(report, concurrency), width), "bold")]
    if few:
        named = name_column(report)
        lines += [_line(n, one, report, named, width, frame) for n, one in collectors.items()]
    else:
        lines += _compact(collectors, report, width, frame)
    lines.append(
        (cut(f"  {duration(report['duration_seconds'])}  {report['about']}", width), "dim")
    )
    text = Text(no_wrap=True, overflow="crop")
    for number, (line, style) in enumerate(lines):
        text.append(("\n" if number else "") + line, style)
    return text


def _line(  # noqa: PLR0917 - one collector, and how to write it
    name: str, one: Mapping[str, Any], report: Report, named: int, width: int, frame: str
) -> tuple[str, str]:
    if one["status"] not in OPEN:
        row = collector_row(
            name, one, timezone=report["timezone"], name_width=named, width=width, colour=False
        )
        return row, _STYLES.get(one["status"], "dim")
    mark, style = (frame, "cyan") if one["status"] == "running" else ("·", "dim")
    passed = duration(one["duration"]) if one["start_time"] else ""
    line = f"  {mark} {one_line(name, 63).ljust(named)}  {'…':>17}  {'':>8}  {passed:>7}   "
    return cut((line + standing(one)).rstrip(), width), style


def _compact(
    collectors: Mapping[str, Mapping[str, Any]], report: Report, width: int, frame: str
) -> list[tuple[str, str]]:
    """Return a bar, who is running, and what failed last."""
    done = [one for one in collectors.values() if one["status"] not in OPEN]
    failed = [(n, o) for n, o in collectors.items() if o["status"] in ("failed", "timed_out")]
    running = [(n, o) for n, o in collectors.items() if o["status"] == "running"]
    share = len(done) / len(collectors)
    full = round(share * BAR)
    lines = [
        (
            cut(
                f"  {'█' * full}{'░' * (BAR - full)}  {count(len(done))} of "
                f"{count(len(collectors))} done · {plural(len(failed), 'failure')}",
                width,
            ),
            "cyan",
        )
    ]
    named = min(max((len(name) for name, _ in running + failed), default=0), 30)
    longest = sorted(running, key=lambda each: -each[1]["duration"])[:MOST_RUNNING]
    lines += [_line(name, one, report, named, width, frame) for name, one in longest]
    if len(running) > len(longest):
        lines.append((f"    and {count(len(running) - len(longest))} more running", "dim"))
    newest = sorted(failed, key=lambda each: each[1]["end_time"] or "")[-MOST_FAILED:]
    return lines + [_line(name, one, report, named, width, frame) for name, one in newest]


def _frame() -> str:
    return _FRAMES[int(time.monotonic() * 8) % len(_FRAMES)]
