"""The backend's parts, opened for one command and closed at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from fanfold.adapters.embedded.owners import Owner
from fanfold.cli.exit_codes import CommandError
from fanfold.cli.output.words import FIRST_RUN
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import FanfoldError, StoreUnavailable
from fanfold.logs import Log
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import ReportSink
from fanfold.runtime import embedded, google
from fanfold.runtime.parts import Parts


@contextmanager
def open_parts(
    session: Session, *, log: Log | None = None, catalogue: Callable[[], Catalogue] | None = None
) -> Iterator[tuple[Parts, Owner | None]]:
    """Give the backend's parts and close them at the end.

    The owner is this process among those on the embedded backend's file; google has none.

    Args:
        session: Says which backend.
        log: Where events go; shown to whoever typed the command if absent.
        catalogue: Returns the configuration; that of the settings if absent.

    Raises:
        StoreUnavailable: The file cannot be opened.
    """
    log = log or session.log
    owner: Owner | None = None
    settings, env = session.settings, session.env
    if settings.backend == "embedded" and not settings.database.parent.exists():
        # It may be mistyped: a run in a file that nobody looks at would be seen by nobody.
        raise StoreUnavailable(
            f"{place_of(session)}: its folder is not there; make it, if it is meant"
        )
    try:
        if settings.backend == "google":
            parts = google.google_parts(settings, env, log=log, catalogue=catalogue)
        else:
            parts, owner = embedded.embedded_parts(settings, env, log=log, catalogue=catalogue)
    except OSError as exc:
        raise StoreUnavailable(f"{settings.database}: {exc.strerror or exc}") from exc
    try:
        yield parts, owner
    finally:
        if owner is not None:
            with suppress(FanfoldError):  # the next process that finds this one gone frees its jobs
                owner.close()
        parts.ledger.close()


@contextmanager
def open_store(
    session: Session, *, names_unreadable: bool = True
) -> Iterator[tuple[Ledger, ReportSink]]:
    """Give what is stored, for reading only; reading creates nothing.

    Args:
        session: Says which backend.
        names_unreadable: Whether each record that was read and could not be made out is named at
            the end.

    Raises:
        CommandError: There is nothing yet.
        StoreUnavailable: The file cannot be opened.
    """
    require_store(session)
    if session.settings.backend == "google":
        with open_parts(session) as (parts, _):
            yield parts.ledger, parts.sink
            if names_unreadable:
                _tell_unreadable(session, parts.ledger)
        return
    ledger, sink = embedded.embedded_store(session.settings)
    try:
        yield ledger, sink
        if names_unreadable:
            _tell_unreadable(session, ledger)
    finally:
        ledger.close()


def _tell_unreadable(session: Session, ledger: Ledger) -> None:
    """Name each record that was read for the command and could not be made out."""
    for sentence in ledger.unreadable():
        session.note(f"warning: {sentence}")


def has_store(session: Session) -> bool:
    """Return whether there is anything to read; asking creates nothing."""
    return session.settings.backend != "embedded" or session.settings.database.exists()


def place_of(session: Session) -> str:
    """Return what is looked at, in full: the database file, or the project on Google Cloud."""
    settings = session.settings
    if settings.backend == "embedded":
        return str(settings.database.absolute())
    return f"project {settings.project or 'of the credentials'} on Google Cloud"


def require_store(session: Session) -> None:
    """Return if there is anything to read.

    Raises:
        CommandError: There is nothing yet.
    """
    if not has_store(session):
        raise CommandError(f"no runs yet: {place_of(session)} does not exist", FIRST_RUN)
