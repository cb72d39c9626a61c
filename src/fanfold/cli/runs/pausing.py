"""What ``pause`` and ``resume`` share: who types, and what is named."""

from __future__ import annotations

import getpass
import socket
from dataclasses import dataclass
from typing import Annotated

import typer

from fanfold.cli.completions import collector_names
from fanfold.cli.exit_codes import CommandError
from fanfold.cli.output.words import CHECK_LISTS, help_of
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.pause import Target
from fanfold.domain.rules import pauses
from fanfold.ports.ledger import Pauses

#: The collectors that are paused or resumed.
CollectorNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Collectors.", autocompletion=collector_names),
]

#: ``--schedule``: cron expressions.
Schedules = Annotated[
    list[str] | None,
    typer.Option(
        "--schedule", metavar="CRON", help="The slots of this cron expression. May be repeated."
    ),
]


@dataclass(frozen=True, slots=True)
class Names:
    """What was typed: collectors, cron expressions, ``--all``."""

    collectors: tuple[str, ...]
    crons: tuple[str, ...]
    every: bool

    @classmethod
    def typed(cls, collectors: list[str] | None, crons: list[str] | None, *, every: bool) -> Names:
        """Return what was typed; None where nothing was."""
        return cls(tuple(collectors or ()), tuple(crons or ()), every)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was named."""
        return not (self.collectors or self.crons or self.every)


def require_one(names: Names) -> None:
    """Return if *names* are either collectors, or schedules, or ``--all``.

    Raises:
        CommandError: They are several of these.
    """
    if sum(map(bool, (names.collectors, names.crons, names.every))) > 1:
        raise CommandError("name collectors, or give --schedule, or --all", help_of("pause"))


def targets_of(catalogue: Catalogue | None, ledger: Pauses, names: Names) -> tuple[Target, ...]:
    """Return what *names* mean by *catalogue*; where it is None they are believed.

    Raises:
        CommandError: Something is unknown.
    """
    try:
        return pauses.targets_of(
            catalogue,
            ledger.pauses(),
            names=names.collectors,
            crons=names.crons,
            everything=names.every,
        )
    except ValueError as exc:
        raise CommandError(str(exc), CHECK_LISTS) from exc


def who() -> str:
    """Return who types, as pauses name them: ``ann@host``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        user = "somebody"
    return f"{user}@{socket.gethostname()}"
