"""What every command works with: the settings, the configuration, and the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from fanfold.cli.exit_codes import CommandError
from fanfold.cli.output.terminal import Notes, Terminal
from fanfold.cli.output.words import CHECK, help_of, next_line
from fanfold.cli.slots_snapshot import RecordedEnvironment, keep_slots, kept_slots
from fanfold.domain.model.errors import FanfoldError
from fanfold.settings import BACKENDS, Settings, read_settings
from fanfold.views.slots_read import SlotsRead, changed_at

if TYPE_CHECKING:
    from fanfold.config import Loaded
    from fanfold.domain.model.collector import Catalogue

#: Severities that a command shows without ``-v``; of a run's progress it tells by itself.
_SHOWN = ("ERROR", "CRITICAL")

#: What ``--color`` takes.
COLOURS = ("auto", "always", "never")


@dataclass(slots=True)
class Session:
    """One invocation. ``env`` is the process's environment, under the global options."""

    env: Mapping[str, str]
    settings: Settings
    verbose: bool = False
    terminal: Terminal = field(default_factory=lambda: Terminal({}))

    @staticmethod
    def of(context: typer.Context) -> Session:
        """Return the session of the global options that were typed.

        Raises:
            CommandError: A global option has a value that it cannot have.
            NotConfigured: A variable has.
        """
        options = context.find_root().params
        return open_session(
            config=options["config"],
            database=options["db"],
            backend=options["backend"],
            verbose=options["verbose"],
            colour=options["color"],
        )

    @property
    def note(self) -> Notes:
        """Tells people something, on stderr."""
        return self.terminal.note

    def load(self) -> Loaded:
        """Return the configuration; its warnings go to stderr.

        Raises:
            ConfigError: With everything that is wrong.
        """
        from fanfold import config  # noqa: PLC0415 - pydantic and YAML take longer than the rest

        loaded = config.load(self.settings.config, self.env)
        for warning in loaded.warnings:
            self.note(warning.render_with_details(self.settings.config.name))
        return loaded

    def slots(self) -> SlotsRead:
        """Return the slots of the configuration, and what could not be read; nothing is raised.

        A file that was read without a complaint today is not read again.
        """
        path = self.settings.config
        kept = kept_slots(path, self.env)
        if kept is not None:
            return SlotsRead(kept, changed_at=changed_at(path))
        # pydantic and YAML take longer than the rest
        from fanfold.views.slots import read_slots  # noqa: PLC0415

        env, warnings = RecordedEnvironment(self.env), list[str]()
        read = read_slots(path, env, warnings.append)
        for warning in warnings:
            self.note(warning)
        if read.catalogue and not (warnings or read.unknown or read.unread):
            keep_slots(path, env, read.catalogue)
        return read

    def catalogue_or_none(self, consequence: str) -> Catalogue | None:
        """Return the configuration's collectors, or None where it cannot be read.

        A warning then says so, with the *consequence* and the next command to type.
        """
        try:
            return self.load().catalogue
        except FanfoldError:
            self.note(f"warning: {self.settings.config} cannot be read, so {consequence}")
            self.note(next_line(CHECK))
            return None

    def log(self, severity: str, message: str, **fields: Any) -> None:
        """Tell what a function logs, if it matters to whoever typed the command."""
        if self.verbose or (severity in _SHOWN and "status" not in fields):
            ids = [f"{key}={fields[key]}" for key in ("run_id", "collector") if fields.get(key)]
            self.note(f"{severity.lower()}: {message}" + (f" ({' '.join(ids)})" if ids else ""))


def open_session(
    *, config: str | None, database: str | None, backend: str | None, verbose: bool, colour: str
) -> Session:
    """Return the session of these global options and the process's environment.

    Raises:
        CommandError: An option has a value that it cannot have.
        NotConfigured: A variable has.
    """
    if backend is not None and backend not in BACKENDS:
        raise CommandError(f"--backend {backend!r:.80}: use {' or '.join(BACKENDS)}", help_of())
    if colour not in COLOURS:
        raise CommandError(f"--color {colour!r:.80}: use auto, always or never", help_of())
    given = {"FANFOLD_CONFIG": config, "FANFOLD_DB": database, "FANFOLD_BACKEND": backend}
    env = {**os.environ, **{key: text for key, text in given.items() if text is not None}}
    return Session(env, read_settings(env), verbose, Terminal(env, colour))
