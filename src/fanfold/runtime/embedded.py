"""The parts of the embedded backend: everything on one SQLite file."""

from __future__ import annotations

import random
import secrets as chance
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress

from fanfold.adapters.clock import SystemClock
from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.embedded.owners import Owner
from fanfold.adapters.report_folder import FolderSink
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import Rejected
from fanfold.logs import Log
from fanfold.messages.run_request import decode_run_request
from fanfold.messages.topology import RUN_REQUESTS, topology
from fanfold.ports.outside import Clock, CollectorClient
from fanfold.runtime.parts import Backend, Parts, assemble
from fanfold.runtime.refusals import RUNS_PATH
from fanfold.runtime.run_requests import ADDRESS, TOKEN
from fanfold.settings import Settings

#: Most waiting requests that a run is looked for among.
MOST_WAITING = 1000


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
    with ExitStack() as on_failure:
        database = Database(settings.database)
        on_failure.callback(database.close)
        owner = Owner(database)
        on_failure.callback(owner.close)
        key = settings.callback_key or database.remembered("callback_key", chance.token_hex)
        backend = Backend(
            ledger=SqliteLedger(database),
            bus=SqliteBus(database, topology(), clock, jitter),
            sink=FolderSink(settings.report_mode),
            callback_key=key,
            writer=owner.name,
        )
        parts = assemble(
            backend,
            settings,
            env,
            log=log,
            client=client,
            clock=clock,
            jitter=jitter,
            catalogue=catalogue,
        )
        on_failure.pop_all()
    return parts, owner


def is_requested(settings: Settings, run_id: str) -> bool:
    """Return whether a request for *run_id* waits on the bus, and no run was made of it yet.

    Raises:
        StoreUnavailable: The file cannot be read.
    """
    database = Database(settings.database, looking=True)
    try:
        bus = SqliteBus(database, topology(), SystemClock(), random.random)
        for subscription in bus.topology.of_topic(RUN_REQUESTS):
            for delivery in bus.messages(subscription.name, MOST_WAITING):
                with suppress(Rejected):
                    if decode_run_request(delivery.message).run_id == run_id:
                        return True
    finally:
        database.close()
    return False


def where_to_post(settings: Settings) -> tuple[str, str]:
    """Return where the last service on the file takes run requests, and with which token.

    Both are empty where none ever served.

    Raises:
        StoreUnavailable: The file cannot be read.
    """
    database = Database(settings.database, looking=True)
    try:
        address = database.noted(ADDRESS)
        return (address + RUNS_PATH if address else ""), database.noted(TOKEN)
    finally:
        database.close()
