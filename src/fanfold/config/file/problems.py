"""What is wrong with a configuration, and how a person reads it.

* ConfigError x Permanent   the file cannot be used; it holds every problem that was found
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from fanfold.domain.model.errors import Permanent
from fanfold.domain.syntax.text import plural, printable_line

#: The longest stretch of a source line that is shown, in characters.
SHOWN_WIDTH = 120

#: How many problems the one-line form of a ConfigError spells out.
_SPELLED_OUT = 3


class Level(StrEnum):
    """Whether a problem keeps the file from being used."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    ``where`` is the dotted key; ``what`` the sentence; ``fix`` what to write instead: further lines
    of it show the right form as it would stand in the file. ``line`` and ``column`` count from 1, 0
    where there is no place in the file; ``width`` is what the caret underlines; ``text`` the source
    line, with secrets masked. ``details`` are sentences for who has time to read them. ``untold``
    says that only a target of ``notify`` suffers, by what the environment holds: alone, that keeps
    no run from starting.
    """

    where: str
    what: str
    fix: str = ""
    level: Level = Level.ERROR
    line: int = 0
    column: int = 0
    width: int = 1
    text: str = ""
    details: tuple[str, ...] = ()
    untold: bool = False

    @property
    def sentence(self) -> str:
        """The key and what is wrong with it, in one line."""
        return printable_line(f"{self.where}: {self.what}" if self.where else self.what)

    def render_with_details(self, name: str) -> str:
        """Return the same as :meth:`render`, and the details under it."""
        return "".join(
            [self.render(name), *(f"\n   = {printable_line(one)}" for one in self.details)]
        )

    def render(self, name: str) -> str:
        """Return the problem, with its line of *name* and a caret under the span."""
        head = f"{self.level}: {self.sentence}"
        fix, *example = map(printable_line, self.fix.split("\n"))
        if not self.line:
            return f"{head}\n  --> {name}" + (f"\n   = {fix}" if fix else "")
        text, column, width = self._shown()
        digits = str(self.line).rjust(3)
        gutter = " " * len(digits)
        carets = " " * (cells(text[: column - 1])) + "^" * max(
            1, cells(text[column - 1 : column - 1 + width])
        )
        return (
            f"{head}\n{gutter[:-1]}--> {name}:{self.line}:{self.column}\n{gutter}|\n"
            f"{digits}| {text}\n{gutter}| {carets}" + (f"  {fix}" if fix else "")
        ).rstrip() + "".join(f"\n{gutter}= {each}" for each in example)

    def _shown(self) -> tuple[str, int, int]:
        """Return a stretch of the line that holds the span, and the span's place in it."""
        text, start = self.text, self.column - 1
        width = max(1, min(self.width, len(text) - start, SHOWN_WIDTH))
        first = max(0, start + width - SHOWN_WIDTH) if len(text) > SHOWN_WIDTH else 0
        return printable_line(text[first : first + SHOWN_WIDTH]), start - first + 1, width


class ConfigError(Permanent):
    """The configuration cannot be used. ``problems`` are all of them, warnings too, by line."""

    def __init__(self, problems: Sequence[Problem], name: str) -> None:
        self.problems = in_order(problems)
        self.name = name
        errors = [each for each in self.problems if each.level is Level.ERROR]
        spelled = "; ".join(_placed(each) for each in errors[:_SPELLED_OUT])
        more = len(errors) - _SPELLED_OUT
        super().__init__(f"{name}: {spelled}" + (f"; and {more} more" if more > 0 else ""))

    def render(self) -> str:
        """Return every problem with its line, and a last line that counts them."""
        return render_problems(self.problems, self.name)


def render_problems(problems: Sequence[Problem], name: str) -> str:
    """Return *problems* as text, by line, and a last line that counts them."""
    ordered = in_order(problems)
    errors = sum(each.level is Level.ERROR for each in ordered)
    warnings = len(ordered) - errors
    count = f"{name}: {plural(errors, 'error')}, {plural(warnings, 'warning')}"
    return "\n\n".join([*(each.render(name) for each in ordered), count])


def in_order(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return *problems* by line and column, each once."""
    by_place = sorted(dict.fromkeys(problems), key=lambda each: (each.line, each.column))
    return tuple(by_place)


def cells(text: str) -> int:
    """Return how many columns of a terminal *text* takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in text)
    nothing = sum(unicodedata.combining(each) > 0 for each in text)
    return len(text) + wide - nothing


def shown(value: object) -> str:
    """Return *value* for a sentence: quoted, and cut where it is long."""
    text = re.sub(r"\s+", " ", str(value)) if isinstance(value, str) else str(value)
    cut = text if len(text) <= 60 else text[:57] + "..."
    return repr(cut) if isinstance(value, str) else cut


def kind(value: object) -> str:
    """Return what *value* is, for a sentence."""
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return "nothing" if value is None else shown(value)


def _placed(problem: Problem) -> str:
    return f"line {problem.line}: {problem.sentence}" if problem.line else problem.sentence
