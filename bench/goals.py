"""The goals, the figures beside them, and the table of docs/performance.md that shows both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: What ``make bench-docs`` writes between.
BEGIN, END = "<!-- written by make bench-docs -->", "<!-- end of what make bench-docs writes -->"

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


@dataclass(frozen=True)
class Goal:
    """One measure and its goal. ``at_least`` tells whether more is better; ``form`` shows both."""

    measure: str
    goal: float
    form: str = "{:.2f}"
    at_least: bool = False

    def cells(self, figure: float | None) -> tuple[str, str, str, str]:
        """Return measure, goal, *figure* (None: not measured) and whether it is reached."""
        goal = ("≥ " if self.at_least else "≤ ") + self.form.format(self.goal)
        if figure is None:
            return self.measure, goal, "not run", ""
        is_reached = (figure >= self.goal) if self.at_least else (figure <= self.goal)
        return self.measure, goal, self.form.format(figure), "yes" if is_reached else "no"


#: Every goal that ``make bench`` can measure, by its key.
GOALS = {
    "session": Goal("N = 1,000: rate over the old design with a Session", 2, at_least=True),
    "session_cpu": Goal("the same in CPU: the old design's over fanfold's", 2, at_least=True),
    "old": Goal("N = 1,000: rate over the old design as written", 3.5, at_least=True),
    "cpu_us": Goal("CPU for each collector, N = 1,000, µs", 270, "{:.0f}"),
    "floor": Goal("the same over raw libcurl and bare SQLite commits together", 4),
    "growth_10000": Goal("CPU for each collector, N = 10,000 over N = 1,000", 1.2),
    "growth_100000": Goal("CPU for each collector, N = 100,000 over N = 1,000", 1.2),
    "peak_1000": Goal("peak memory, N = 1,000, MiB", 50, "{:.0f}"),
    "peak_10000": Goal("peak memory, N = 10,000, MiB", 80, "{:.0f}"),
    "peak_100000": Goal("peak memory, N = 100,000, MiB", 200, "{:.0f}"),
    "slow": Goal("1,000 collectors of 100 ms, 64 at a time: wall over the ideal", 1.08),
    "warm_ms": Goal("N = 4, warm, trigger to report, ms", 7, "{:.1f}"),
    "idle": Goal("idle: CPU in percent of a core", 0.5),
    "neighbours": Goal(
        "15 of 16 places hostile: a neighbour's rate over alone", 0.9, at_least=True
    ),
    "help_s": Goal("`fanfold --help`, CPU s", 0.15),
    "status_s": Goal("`fanfold status`, CPU s", 0.25),
}

#: Figures by the goal's key.
Figures = Mapping[str, float | None]


def print_goals(figures: Figures) -> None:
    """Print the table for a terminal."""
    rows = [("measure", "goal", "measured", "reached"), *_rows(figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


def write_page(figures: Figures, intro: str) -> None:
    """Put the table into docs/performance.md, in the place of the one before."""
    lines = ["| measure | goal | measured | reached |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in _rows(figures)]
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    table = "\n".join(lines)
    PAGE.write_text(f"{before}{BEGIN}\n{intro}\n\n{table}\n{END}{after}", "utf-8")


def _rows(figures: Figures) -> list[tuple[str, str, str, str]]:
    return [goal.cells(figures.get(key)) for key, goal in GOALS.items()]
