"""Gathers what is wrong, so that all of it is said at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fanfold.config.file.key_paths import KeyPath, dotted
from fanfold.config.file.problems import ConfigError, Level, Problem, in_order
from fanfold.config.file.source import Source, Spot


@dataclass(frozen=True, slots=True)
class Missing:
    """A variable or secret that is not set, at a key which may turn out not to matter."""

    path: KeyPath
    problem: Problem


@dataclass(slots=True)
class Findings:
    """What was found in one file so far."""

    source: Source
    problems: list[Problem] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    masked: list[Spot] = field(default_factory=list)

    def error(self, spot: Spot, where: str, what: str, fix: str = "") -> None:
        """Note that the file cannot be used."""
        self.problems.append(self.source.problem(spot, where, what, fix))

    def mask(self, spot: Spot) -> None:
        """Never show what stands at *spot*, whichever problem shows its line."""
        self.masked.append(spot)

    def warning(self, spot: Spot, where: str, what: str, fix: str = "") -> None:
        """Note what the user may not have meant."""
        self.problems.append(self.source.problem(spot, where, what, fix, level=Level.WARNING))

    def not_set(self, path: KeyPath, spot: Spot, what: str, fix: str) -> None:
        """Note a reference that stands for nothing; whether that matters is settled later."""
        problem = self.source.problem(spot, dotted(path), what, fix)
        self.missing.append(Missing(path, problem))

    def settle(self, needless: Callable[[KeyPath], str]) -> None:
        """Make errors of what is not set, warnings where *needless* says why nobody needs it."""
        for each in self.missing:
            why = needless(each.path)
            if why:
                what = f"{each.problem.what}; not needed here: {why}"
                self.problems.append(replace(each.problem, what=what, fix="", level=Level.WARNING))
            else:
                self.problems.append(each.problem)
        self.missing.clear()

    def warnings_or_raise(self) -> tuple[Problem, ...]:
        """Return the warnings.

        Raises:
            ConfigError: There are errors.
        """
        masked = self._masked_lines()
        shown = [replace(each, text=masked.get(each.line, each.text)) for each in self.problems]
        if any(each.level is Level.ERROR for each in shown):
            raise ConfigError(shown, self.source.name)
        return in_order(shown)

    def _masked_lines(self) -> dict[int, str]:
        """Return the lines that hold a secret, without it."""
        lines: dict[int, list[str]] = {}
        for spot in self.masked:
            if spot.line not in lines:
                lines[spot.line] = list(self.source.line(spot.line))
            start = spot.column - 1
            lines[spot.line][start : start + spot.width] = "•" * spot.width
        return {number: "".join(characters) for number, characters in lines.items()}
