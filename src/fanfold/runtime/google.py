"""The parts of the google backend: Firestore, Pub/Sub, and a bucket or a folder.

Importing this module loads none of Google's libraries. Building the parts does.
"""

from __future__ import annotations

import random
import secrets as chance
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from fanfold.adapters.clock import SystemClock
from fanfold.adapters.single_flight import SingleFlight
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import NotConfigured
from fanfold.logs import Log
from fanfold.ports.deployment import Deployment
from fanfold.ports.ledger import DeadLetters
from fanfold.ports.outside import Clock, CollectorClient
from fanfold.runtime.parts import Backend, ConfigurationFile, Parts, assemble
from fanfold.settings import Settings

#: By this variable the official clients find the Pub/Sub emulator.
PUBSUB_EMULATOR = "PUBSUB_EMULATOR_HOST"

#: Where one of these is set, no project of Google Cloud is worked on.
EMULATORS = ("FIRESTORE_EMULATOR_HOST", PUBSUB_EMULATOR)


def google_parts(
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

    The arguments are those of :func:`fanfold.runtime.embedded.embedded_parts`. Nothing is
    asked of the network before the first call; the emulators are found by the variables that the
    official clients read.

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
    configuration = catalogue or ConfigurationFile(settings, env)
    is_emulated = bool(env.get(PUBSUB_EMULATOR))
    with _libraries():
        from fanfold.adapters.google.backend import open_adapters
    opened = open_adapters(settings, configuration, is_emulated=is_emulated)
    backend = Backend(
        ledger=opened.ledger,
        bus=opened.bus,
        sink=opened.sink,
        callback_key=settings.callback_key,
        writer=f"{env.get('K_REVISION') or 'fanfold'}/{chance.token_hex(6)}",
        catalogue=partial(_with_a_place_for_reports, opened.catalogue, env),
        is_paced=True,
        # An instance takes many results at once: each could be the last.
        share=SingleFlight[None]().ask,
    )
    return assemble(
        backend,
        settings,
        env,
        log=log,
        client=client,
        clock=clock or SystemClock(),
        jitter=jitter,
        catalogue=configuration,
    )


def bring_in_undelivered(settings: Settings, ledger: DeadLetters, *, limit: int) -> int:
    """Park in *ledger* up to *limit* messages that the bus itself gave up on; return how many.

    The embedded bus parks them by itself, so there are none to bring.

    Raises:
        BusUnavailable: They could not be read; what was parked stays parked.
    """
    if settings.backend != "google":
        return 0
    with _libraries():
        from fanfold.adapters.google.bus.undelivered import bring_in
    return bring_in(settings.project, settings.topic_prefix, ledger, limit=limit)


def inventory(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Give kind, name and problem of each topic and subscription; without a problem it is there."""
    with _libraries():
        from fanfold.adapters.google.bus import inventory as looks
    return looks.inventory(settings.project, settings.topic_prefix)


def deployment(settings: Settings, timeout_s: float) -> Deployment:
    """Return the looks at what is deployed, all of them within *timeout_s*.

    Raises:
        NotSeen: There are no credentials.
        NotConfigured: A library is not installed.
    """
    with _libraries():
        from fanfold.adapters.google import deployment as looks
    return looks.deployment(settings.project, timeout_s)


@contextmanager
def _libraries() -> Iterator[None]:
    """Say what to install where an import finds no library.

    Each adapter is imported by who uses it: a function has no use for what only the command looks
    at.

    Raises:
        NotConfigured: A library is not installed.
    """
    try:
        yield
    except ImportError as exc:
        raise NotConfigured(
            f'FANFOLD_BACKEND=google: {exc}; pip install "fanfold[google]"'
        ) from exc


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
