"""What every command works with: settings, the configuration, the store, and where to speak."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from fanfold.cli.exit_codes import USAGE, CommandError
from fanfold.cli.output.terminal import Notes, clean, wants_colour, width_of
from fanfold.domain.model.errors import FanfoldError, StoreUnavailable
from fanfold.settings import BACKENDS, Settings, read_settings

if TYPE_CHECKING:
    from fanfold.adapters.embedded.owners import Owner
    from fanfold.config import Loaded
    from fanfold.domain.model.collector import Catalogue
    from fanfold.logs import Log
    from fanfold.ports.ledger import Ledger
    from fanfold.ports.outside import ReportSink
    from fanfold.runtime.parts import Parts

#: Severities that a command shows without ``-v``; of a run's progress it speaks itself.
_SHOWN = ("ERROR", "CRITICAL")


@dataclass(slots=True)
class Session:
    """One invocation. ``env`` has the global options laid over the process's environment."""

    env: Mapping[str, str]
    settings: Settings
    verbose: bool = False
    colour: str = "auto"
    note: Notes = field(default_factory=Notes)

    @staticmethod
    def of(context: typer.Context) -> Session:
        """Return the session that the global options made."""
        session = context.find_object(Session)
        assert session is not None  # noqa: S101 - the application's callback makes it
        return session

    def load(self) -> Loaded:
        """Return the configuration; its warnings go to stderr.

        Raises:
            ConfigError: With everything that is wrong.
        """
        from fanfold import config  # noqa: PLC0415

        loaded = config.load(self.settings.config, self.env)
        for warning in loaded.warnings:
            self.note(said(warning, self.settings.config.name))
        return loaded

    @contextmanager
    def parts(
        self, *, log: Log | None = None, catalogue: Callable[[], Catalogue] | None = None
    ) -> Iterator[tuple[Parts, Owner | None]]:
        """Give the backend's parts and close them at the end.

        The owner is this process among those on the embedded backend's file; google has none.

        Args:
            log: Where events go; shown to whoever typed the command if absent.
            catalogue: Returns the configuration; that of the settings if absent.

        Raises:
            StoreUnavailable: The file cannot be opened.
        """
        from fanfold.runtime import embedded, google  # noqa: PLC0415

        log = log or self.log
        owner: Owner | None = None
        try:
            if self.settings.backend == "google":
                parts = google.google_parts(self.settings, self.env, log=log, catalogue=catalogue)
            else:
                parts, owner = embedded.embedded_parts(
                    self.settings, self.env, log=log, catalogue=catalogue
                )
        except OSError as exc:
            raise StoreUnavailable(f"{self.settings.database}: {exc.strerror or exc}") from exc
        try:
            yield parts, owner
        finally:
            if owner is not None:
                with suppress(FanfoldError):  # what it held is freed by whoever finds it gone
                    owner.close()
            parts.ledger.close()

    def has_store(self) -> bool:
        """Return whether there is anything to look at; looking creates nothing."""
        return self.settings.backend != "embedded" or self.settings.database.exists()

    def require_store(self) -> None:
        """Return if there is anything to look at.

        Raises:
            CommandError: There is nothing yet.
        """
        if not self.has_store():
            raise CommandError(
                f"no runs yet: {self.settings.database} does not exist",
                "fanfold run   # or fanfold demo",
            )

    @contextmanager
    def store(self) -> Iterator[tuple[Ledger, ReportSink]]:
        """Give what is stored, for looking only; nothing is created by looking.

        Raises:
            CommandError: There is nothing yet.
        """
        self.require_store()
        with self.parts() as (parts, _):
            yield parts.ledger, parts.sink

    def log(self, severity: str, message: str, **fields: Any) -> None:
        """Say what a door logs, if it matters to whoever typed the command."""
        if self.verbose or severity in _SHOWN:
            named = " ".join(
                f"{key}={fields[key]}" for key in ("run_id", "collector") if fields.get(key)
            )
            self.note(clean(f"{severity.lower()}: {message}" + (f" ({named})" if named else "")))

    def is_coloured(self) -> bool:
        """Return whether what goes to stdout is coloured."""
        return wants_colour(self.colour, self.env, sys.stdout)

    def width(self) -> int:
        """Return the width of stdout in columns, 0 where it has none."""
        return width_of(sys.stdout)


def said(warning: Any, name: str) -> str:
    """Return a warning of the configuration as lines."""
    render = getattr(warning, "render", None)
    return str(render(name)) if render is not None else f"warning: {warning}"


def open_session(
    *, config: str | None, database: str | None, backend: str | None, verbose: bool, colour: str
) -> Session:
    """Return the session of these global options and the process's environment.

    Raises:
        CommandError: An option has a value that it cannot have.
        NotConfigured: A variable has.
    """
    given = {"FANFOLD_CONFIG": config, "FANFOLD_DB": database, "FANFOLD_BACKEND": backend}
    if backend is not None and backend not in BACKENDS:
        raise CommandError(
            f"--backend {backend!r}: use {' or '.join(BACKENDS)}", "fanfold --help", USAGE
        )
    if colour not in ("auto", "always", "never"):
        raise CommandError(
            f"--color {colour!r}: use auto, always or never", "fanfold --help", USAGE
        )
    env = {**os.environ, **{key: text for key, text in given.items() if text is not None}}
    return Session(env, read_settings(env), verbose, colour)
