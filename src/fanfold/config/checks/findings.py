"""Gathers every problem of a file, so that the user sees all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from fanfold.config.file.key_paths import KeyPath, dotted
from fanfold.config.file.problems import ConfigError, Level, Problem, in_order
from fanfold.config.file.source import Source, Spot

#: What follows from a problem that only a target of ``notify`` has.
_UNTOLD = "runs go on, and this target is told nothing; what it misses are dead letters"


@dataclass(frozen=True, slots=True)
class Missing:
    """A reference whose variable or secret is not set. The key may turn out not to matter."""

    path: KeyPath
    problem: Problem


@dataclass(slots=True)
class Findings:
    """The problems of one file that are known so far.

    ``masked`` are the places that no problem shows, for they hold secrets.
    """

    source: Source
    problems: list[Problem] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    masked: list[Spot] = field(default_factory=list)

    def error(self, spot: Spot, where: str, what: str, fix: str = "") -> None:
        """Add an error: the file cannot be used."""
        self.problems.append(self.source.problem(spot, where, what, fix))

    def untold(self, spot: Spot, where: str, what: str, fix: str) -> None:
        """Add what the environment has wrong for a target of ``notify``: see :class:`Problem`."""
        self.problems.append(replace(self.source.problem(spot, where, what, fix), untold=True))

    def mask(self, spot: Spot) -> None:
        """Show bullets in place of the text at *spot*, in every problem that shows its line."""
        self.masked.append(spot)

    def warning(
        self, spot: Spot, where: str, what: str, fix: str = "", details: Sequence[str] = ()
    ) -> None:
        """Add a warning: the file can be used, but may not say what the user means.

        *details* are sentences that are shown where nothing is wrong with the file.
        """
        problem = self.source.problem(spot, where, what, fix, level=Level.WARNING)
        self.problems.append(replace(problem, details=tuple(details)))

    def not_set(self, path: KeyPath, spot: Spot, what: str, fix: str) -> None:
        """Add a reference that is not set; :meth:`settle` decides whether that is an error."""
        problem = self.source.problem(spot, dotted(path), what, fix)
        self.missing.append(Missing(path, problem))

    def settle(self, needless: Callable[[KeyPath], str]) -> None:
        """Make an error of each reference that is not set, or a warning if it does not matter.

        *needless* returns the reason why the value at a path does not matter, or "" if it does.
        """
        for each in self.missing:
            why = needless(each.path)
            if why:
                what = f"{each.problem.what}; not needed here: {why}"
                self.problems.append(replace(each.problem, what=what, fix="", level=Level.WARNING))
            else:
                untold = each.path[0] == "notify"
                self.problems.append(replace(each.problem, untold=untold))
        self.missing.clear()

    def warnings_or_raise(self) -> tuple[Problem, ...]:
        """Return the warnings; a target that cannot be told is one, for runs matter more.

        Raises:
            ConfigError: There are errors.
        """
        masked = self._masked_lines()
        shown = [replace(each, text=masked.get(each.line, each.text)) for each in self.problems]
        if any(each.level is Level.ERROR and not each.untold for each in shown):
            raise ConfigError(shown, self.source.name)
        return in_order([_as_warning(each) if each.untold else each for each in shown])

    def _masked_lines(self) -> dict[int, str]:
        """Return the lines that hold a secret, without it."""
        lines: dict[int, list[str]] = {}
        for spot in self.masked:
            if spot.line not in lines:
                lines[spot.line] = list(self.source.line(spot.line))
            start = spot.column - 1
            lines[spot.line][start : start + spot.width] = "•" * spot.width
        return {number: "".join(characters) for number, characters in lines.items()}


def _as_warning(untold: Problem) -> Problem:
    return replace(untold, what=f"{untold.what}: {_UNTOLD}", level=Level.WARNING)
