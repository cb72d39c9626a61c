"""The backend's parts, opened for one command and closed at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from fanfold.adapters.embedded.owners import Owner
from fanfold.cli.runs.store import place_of
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import FanfoldError, StoreUnavailable
from fanfold.logs import Log
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
