"""What the shell offers behind a Tab: the names of collectors, and the ids of runs.

A Tab is no place for an error: where something cannot be read, nothing is offered.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.model.names import MISSED
from fanfold.settings import Settings, read_settings

#: Most runs that are offered, the newest first.
MOST_RUNS = 20

#: What the id of a slot's run begins with: ``2026-11-23T0215Z``.
SLOT_LENGTH = 16


def collector_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the configured collectors that begin with what was typed."""
    from fanfold import config  # noqa: PLC0415 - pydantic and YAML, for who presses Tab

    try:
        settings, env = _settings(context)
        catalogue = config.load(settings.config, env).catalogue
    except (FanfoldError, OSError):
        return []
    return [each.name for each in catalogue.collectors if each.name.startswith(incomplete)]


def run_ids(context: typer.Context, incomplete: str) -> list[str]:
    """Return ``latest`` and the ids of the newest runs that begin with what was typed.

    Only a file is asked: Firestore may take longer than one waits for a Tab.
    """
    from fanfold.runtime.embedded_store import embedded_store  # noqa: PLC0415 - SQLite and the rest

    found: list[str] = []
    try:
        settings, _ = _settings(context)
        if settings.backend == "embedded" and settings.database.exists():
            ledger, _ = embedded_store(settings)
            try:
                found = [run.run_id for run in ledger.recent_runs(MOST_RUNS)]
            finally:
                ledger.close()
    except (FanfoldError, OSError):
        found = []
    return [each for each in ("latest", *found) if each.startswith(incomplete)]


def missed_slots(context: typer.Context, incomplete: str) -> list[str]:
    """Return the newest missed slots that begin with what was typed, as one can type them.

    Only a file is asked, as by :func:`run_ids`.
    """
    slots = [run_id[:SLOT_LENGTH] for run_id in run_ids(context, "") if run_id.endswith(MISSED)]
    return [each for each in slots if each.startswith(incomplete)]


def _settings(context: typer.Context) -> tuple[Settings, Mapping[str, str]]:
    """Return the settings and variables under the global options that were typed so far."""
    typed = context.find_root().params
    options = {"FANFOLD_CONFIG": "config", "FANFOLD_DB": "db", "FANFOLD_BACKEND": "backend"}
    given = {name: typed.get(option) for name, option in options.items()}
    env = {**os.environ, **{name: text for name, text in given.items() if text}}
    return read_settings(env), env


def words(*known: str) -> Callable[[str], list[str]]:
    """Return what offers the *known* words, for an argument that takes one of them."""

    def offered(incomplete: str) -> list[str]:
        return [each for each in known if each.startswith(incomplete)]

    return offered


#: What the help says of RUN.
RUN_HELP = "An id, the start of one, latest or latest~1."

RunName = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help=RUN_HELP, autocompletion=run_ids)
]

#: What ``--format`` takes where a command prints a table for people, or JSON for programs.
TABLE_OR_JSON = ("table", "json")

#: Its ``--format``.
TableOrJson = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="table or json.",
        autocompletion=words(*TABLE_OR_JSON),
    ),
]
