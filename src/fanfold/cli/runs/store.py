"""What is stored, opened for reading by one command; to look takes none of the use cases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fanfold.cli.exit_codes import CommandError
from fanfold.cli.output.words import FIRST_RUN
from fanfold.cli.session import Session
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import ReportSink
from fanfold.runtime.embedded_store import embedded_store


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
        # Google's libraries take longer than all the rest.
        from fanfold.runtime.google import google_parts  # noqa: PLC0415

        parts = google_parts(session.settings, session.env, log=session.log, catalogue=None)
        try:
            yield parts.ledger, parts.sink
            if names_unreadable:
                _tell_unreadable(session, parts.ledger)
        finally:
            parts.ledger.close()
        return
    ledger, sink = embedded_store(session.settings)
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
