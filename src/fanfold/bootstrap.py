"""Builds the parts for a backend: the one place that knows both.

Nothing is built on import, and a backend's libraries are imported only when it is built.
"""

from __future__ import annotations

import os
import random
import secrets as chance
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from fanfold.adapters.clock import SystemClock
from fanfold.domain.errors import NotConfigured
from fanfold.logs import JsonLog, Log
from fanfold.parts import Backend, ConfigurationFile, Parts, assemble
from fanfold.ports import Clock, CollectorClient, DeadLetters
from fanfold.settings import Settings, read_settings
from fanfold.topology import topology

if TYPE_CHECKING:
    from fanfold.adapters.embedded.owners import Owner
    from fanfold.domain.collector import Catalogue

#: By this variable the official clients find the Pub/Sub emulator.
PUBSUB_EMULATOR = "PUBSUB_EMULATOR_HOST"


def embedded(
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
    from fanfold.adapters.embedded.bus import SqliteBus  # noqa: PLC0415
    from fanfold.adapters.embedded.database import Database  # noqa: PLC0415
    from fanfold.adapters.embedded.folder import FolderSink  # noqa: PLC0415
    from fanfold.adapters.embedded.ledger import SqliteLedger  # noqa: PLC0415
    from fanfold.adapters.embedded.owners import Owner  # noqa: PLC0415

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


def google(
    settings: Settings,
    env: Mapping[str, str],
    *,
    log: Log,
    client: CollectorClient | None = None,
    clock: Clock | None = None,
    jitter: Callable[[], float] = random.random,
    catalogue: Callable[[], Catalogue] | None = None,
) -> Parts:
    """Return the google backend's parts: Firestore, Pub/Sub, and a bucket or a folder.

    The arguments are those of :func:`embedded`. Nothing is asked of the network before the
    first call; the emulators are found by the variables that the official clients read.

    Raises:
        NotConfigured: The project, the credentials, a library or the callback key is missing.
    """
    if not settings.project:
        raise NotConfigured("FANFOLD_BACKEND=google needs a project: set GOOGLE_CLOUD_PROJECT")
    if settings.callback_url and not settings.callback_key:
        raise NotConfigured(
            "FANFOLD_CALLBACK_URL is set without FANFOLD_CALLBACK_KEY: collectors could not prove "
            "themselves; set it to a secret that all relays share"
        )
    try:
        from fanfold.adapters.google import firestore  # noqa: PLC0415
        from fanfold.adapters.google.ledger import FirestoreLedger  # noqa: PLC0415
        from fanfold.adapters.google.pubsub import PubSubBus  # noqa: PLC0415
        from fanfold.adapters.google.routes import JobRoute  # noqa: PLC0415
        from fanfold.adapters.google.storage import GcsSink, ReportSinks  # noqa: PLC0415
        from fanfold.adapters.google.tasks import JobsByTasks  # noqa: PLC0415
    except ImportError as exc:
        raise NotConfigured(
            f'FANFOLD_BACKEND=google: {exc}; pip install "fanfold[google]"'
        ) from exc
    from fanfold.adapters.embedded.folder import FolderSink  # noqa: PLC0415

    catalogue = catalogue or ConfigurationFile(settings, env)
    route = JobRoute(settings, catalogue, is_emulated=bool(env.get(PUBSUB_EMULATOR)))
    backend = Backend(
        ledger=FirestoreLedger(firestore.connect(settings.project), settings.topic_prefix),
        bus=JobsByTasks(PubSubBus(settings.project, settings.topic_prefix), route),
        sink=ReportSinks(GcsSink(settings.project), FolderSink()),
        # Without a key of the user's no callback is offered, and none is believed.
        callback_key=settings.callback_key or chance.token_hex(),
        writer=f"{env.get('K_REVISION') or 'fanfold'}/{chance.token_hex(6)}",
        catalogue=partial(_with_a_place_for_reports, route.catalogue, env),
    )
    return assemble(
        backend,
        settings,
        env,
        log=log,
        client=client,
        clock=clock or SystemClock(),
        jitter=jitter,
        catalogue=catalogue,
    )


def bring_in_undelivered(settings: Settings, ledger: DeadLetters, *, limit: int) -> int:
    """Park in *ledger* up to *limit* messages that the bus itself gave up on; return how many.

    The embedded bus parks them by itself, so there are none to bring.

    Raises:
        BusUnavailable: They could not be read; what was parked stays parked.
    """
    if settings.backend != "google":
        return 0
    from fanfold.adapters.google import undelivered  # noqa: PLC0415

    return undelivered.bring_in(settings.project, settings.topic_prefix, ledger, limit=limit)


def _with_a_place_for_reports(
    configured: Callable[[], Catalogue], env: Mapping[str, str]
) -> Catalogue:
    """Return the configuration, unless its reports would be lost with the instance.

    Raises:
        NotConfigured: This is Cloud Run, whose disk is the instance's memory, and reports go to a
            folder.
    """
    catalogue = configured()
    if env.get("K_SERVICE") and not catalogue.report_to.startswith("gs://"):
        raise NotConfigured(
            "reports would be written to a folder on Cloud Run, and lost with its instance: "
            "set report.bucket in the configuration"
        )
    return catalogue


def function_parts() -> Parts:
    """Return the parts of a Cloud Run function, from the process's environment; logs on stdout.

    A function calls it at its first event and keeps what it returns while the instance is warm.
    """
    settings = read_settings(os.environ)
    log = JsonLog(sys.stdout, project=settings.project, at_least=settings.log_level)
    if settings.backend == "google":
        return google(settings, os.environ, log=log)
    built, _ = embedded(settings, os.environ, log=log)
    return built
