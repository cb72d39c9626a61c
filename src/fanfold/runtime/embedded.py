"""The parts of the embedded backend: everything on one SQLite file."""

from __future__ import annotations

import random
import secrets as chance
from collections.abc import Callable, Mapping

from fanfold.adapters.clock import SystemClock
from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.embedded.owners import Owner
from fanfold.adapters.report_folder import FolderSink
from fanfold.domain.model.collector import Catalogue
from fanfold.logs import Log
from fanfold.messages.topology import topology
from fanfold.ports.outside import Clock, CollectorClient
from fanfold.runtime.parts import Backend, Parts, assemble
from fanfold.settings import Settings


def embedded_parts(
    settings: Settings,
    env: Mapping[str, str],
    *,
    log: Log,
    client: CollectorClient | None = None,
    clock: Clock | None = None,
    jitter: Callable[[], float] = random.random,
    catalogue: Callable[[], Catalogue] | None = None,
) -> tuple[Parts, Owner]:
    """Return the embedded backend's parts, and their process among those that share the file.

    Args:
        settings: Where things are.
        env: Where the configuration's references and secrets are looked up.
        log: Where events go.
        client: Invokes collectors; HTTP if absent.
        clock: Tells the time; the machine's if absent.
        jitter: Draws from ``[0, 1)``.
        catalogue: Returns the configuration; that of ``settings.config`` if absent.

    Raises:
        StoreUnavailable: The file cannot be opened.
    """
    clock = clock or SystemClock()
    database = Database(settings.database)
    owner = Owner(database)
    key = settings.callback_key or database.remembered("callback_key", chance.token_hex)
    backend = Backend(
        ledger=SqliteLedger(database),
        bus=SqliteBus(database, topology(), clock, jitter),
        sink=FolderSink(),
        callback_key=key,
        writer=owner.name,
    )
    return (
        assemble(
            backend,
            settings,
            env,
            log=log,
            client=client,
            clock=clock,
            jitter=jitter,
            catalogue=catalogue,
        ),
        owner,
    )
