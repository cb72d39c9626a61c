"""One finding: what was looked at, how it stands, and the line to paste."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is, as the mark that is printed. ERROR: a run would fail, or not begin."""

    OK = "✓"
    WARNING = "!"
    ERROR = "✗"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is so of ``subject``. ``command`` is what to paste, empty where all is well."""

    level: Level
    subject: str
    text: str
    command: str = ""
