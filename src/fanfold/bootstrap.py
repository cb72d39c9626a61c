"""Puts the parts together: the one place that knows both backends.

Nothing is built on import, and each part imports its libraries only when it is built: a door that
does not read the configuration never loads the libraries that do.
"""

from __future__ import annotations

import os
import random
import secrets as chance
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanfold.adapters.clock import SystemClock
from fanfold.app.aggregate import Aggregator
from fanfold.app.finish import Finisher
from fanfold.app.relay import Relay
from fanfold.app.sweep import Sweeper
from fanfold.domain.contract import Call, Reply
from fanfold.domain.errors import NotConfigured
from fanfold.doors import Doors
from fanfold.logs import JsonLog, Log
from fanfold.ports import (
    Bus,
    CallbackTokens,
    Clock,
    CollectorClient,
    Ledger,
    RenderReport,
    ReportSink,
)
from fanfold.settings import Settings, read_settings
from fanfold.topology import topology

if TYPE_CHECKING:
    from fanfold.adapters.embedded.owners import Owner
    from fanfold.adapters.secrets import SecretLookup
    from fanfold.config import Loaded
    from fanfold.domain.collector import Catalogue

#: Names of the variables by which the official clients find the emulators.
PUBSUB_EMULATOR, FIRESTORE_EMULATOR = "PUBSUB_EMULATOR_HOST", "FIRESTORE_EMULATOR_HOST"


@dataclass(slots=True)
class CallbackAddress:
    """Where asynchronous collectors answer. ``base`` is empty until an endpoint is up."""

    tokens: CallbackTokens
    base: str = ""

    def __call__(self, run_id: str, collector: str) -> Mapping[str, str] | None:
        """Return the callback's ``url`` and ``token``, or None where there is no endpoint."""
        if not self.base:
            return None
        return {
            "url": f"{self.base}/callback/{run_id}/{collector}",
            "token": self.tokens.token(run_id, collector),
        }


@dataclass(slots=True)
class Parts:
    """Everything that one process works with."""

    settings: Settings
    ledger: Ledger
    bus: Bus
    clock: Clock
    sink: ReportSink
    render: RenderReport
    tokens: CallbackTokens
    callback: CallbackAddress
    catalogue: Callable[[], Catalogue]
    finisher: Finisher
    sweeper: Sweeper
    doors: Doors
    log: Log
    writer: str


class ConfigurationFile:
    """The configuration as it now is: read at the first call, and again when the file changed."""

    def __init__(self, settings: Settings, env: Mapping[str, str]) -> None:
        self.settings = settings
        self.env = env
        self._seen: tuple[int, int] | None = None
        self._loaded: Loaded | None = None

    def __call__(self) -> Catalogue:
        """Return the catalogue; raises ConfigError with everything that is wrong."""
        return self.load().catalogue

    def load(self) -> Loaded:
        """Return the configuration with its warnings and origins."""
        from fanfold import config  # noqa: PLC0415 - only who reads it pays for it

        try:
            status = self.settings.config.stat()
            seen = (status.st_mtime_ns, status.st_size)
        except OSError:
            seen = (0, 0)
        if self._loaded is None or seen != self._seen:
            self._loaded = config.load(self.settings.config, self.env)
            self._seen = seen
        return self._loaded


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
    backend = _Backend(
        ledger=SqliteLedger(database),
        bus=SqliteBus(database, topology(), clock, jitter),
        sink=FolderSink(),
        callback_key=key,
        writer=owner.name,
    )
    return (
        _assemble(
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
    backend = _Backend(
        ledger=FirestoreLedger(firestore.connect(settings.project), settings.topic_prefix),
        bus=JobsByTasks(PubSubBus(settings.project, settings.topic_prefix), route),
        sink=ReportSinks(GcsSink(settings.project), FolderSink()),
        # Without a key of the user's no callback is offered, and none is believed.
        callback_key=settings.callback_key or chance.token_hex(),
        writer=f"{env.get('K_REVISION') or 'fanfold'}/{chance.token_hex(6)}",
        catalogue=route.catalogue,
    )
    return _assemble(
        backend,
        settings,
        env,
        log=log,
        client=client,
        clock=clock or SystemClock(),
        jitter=jitter,
        catalogue=catalogue,
    )


@dataclass(frozen=True, slots=True)
class _Backend:
    """What differs between the backends.

    ``writer`` names this process in what it writes. ``catalogue`` returns the
    configuration, and raises NotConfigured where the backend lacks what it switches on: before
    a run is made that nobody could work.
    """

    ledger: Ledger
    bus: Bus
    sink: ReportSink
    callback_key: str
    writer: str
    catalogue: Callable[[], Catalogue] | None = None


def _assemble(
    backend: _Backend,
    settings: Settings,
    env: Mapping[str, str],
    *,
    log: Log,
    client: CollectorClient | None,
    clock: Clock,
    jitter: Callable[[], float],
    catalogue: Callable[[], Catalogue] | None,
) -> Parts:
    """Return the parts that are the same on every backend, put onto *backend*."""
    ledger, bus, writer = backend.ledger, backend.bus, backend.writer
    tokens = _tokens(backend.callback_key)
    callback = CallbackAddress(tokens, settings.callback_url)
    catalogue = catalogue or ConfigurationFile(settings, env)
    finisher = Finisher(ledger, bus, backend.sink, render_report, clock)
    sweeper = Sweeper(ledger, bus, clock, finisher, writer="sweep")
    relay = Relay(
        ledger=ledger,
        bus=bus,
        client=client or _LazyClient(env),
        clock=clock,
        jitter=jitter,
        holder=writer,
        callback_for=callback,
    )
    doors = Doors(
        ledger=ledger,
        bus=bus,
        clock=clock,
        finisher=finisher,
        relay=relay,
        aggregate=Aggregator(ledger, finisher, clock),
        sweeper=sweeper,
        catalogue=backend.catalogue or catalogue,
        writer=writer,
        log=log,
    )
    return Parts(
        settings=settings,
        ledger=ledger,
        bus=bus,
        clock=clock,
        sink=backend.sink,
        render=render_report,
        tokens=tokens,
        callback=callback,
        catalogue=catalogue,
        finisher=finisher,
        sweeper=sweeper,
        doors=doors,
        log=log,
        writer=writer,
    )


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


def render_report(report: Mapping[str, object]) -> Mapping[str, bytes]:
    """Return the report's documents; the page's template library is loaded at the first report."""
    from fanfold.report import render  # noqa: PLC0415 - only who finishes a run pays for it

    return render(report)


class _LazyClient:
    """The HTTP client, built at the first call: a function that makes none never loads it."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self._client: CollectorClient | None = None

    def invoke(self, call: Call) -> Reply:
        """See :meth:`fanfold.ports.CollectorClient.invoke`."""
        if self._client is None:
            self._client = http_client(self.env)
        return self._client.invoke(call)


def http_client(env: Mapping[str, str]) -> CollectorClient:
    """Return the client that invokes collectors over HTTP."""
    from fanfold.adapters.google.identity import google_id_token  # noqa: PLC0415
    from fanfold.adapters.http.client import RequestsCollectorClient  # noqa: PLC0415
    from fanfold.adapters.http.credentials import CollectorCredentials  # noqa: PLC0415
    from fanfold.adapters.secrets import EnvironmentSecrets  # noqa: PLC0415

    secrets = EnvironmentSecrets(env, _secret_manager(env))
    return RequestsCollectorClient(CollectorCredentials(secrets, google_id_token))


def _secret_manager(env: Mapping[str, str]) -> SecretLookup | None:
    """Return what looks up secrets that are no variable; None where there is no Secret Manager."""
    from fanfold.adapters.google.secret_manager import SecretManager  # noqa: PLC0415

    project = env.get("GOOGLE_CLOUD_PROJECT")
    return SecretManager(project) if project and not env.get(FIRESTORE_EMULATOR) else None


def _tokens(key: str) -> CallbackTokens:
    from fanfold.adapters.tokens import HmacCallbackTokens  # noqa: PLC0415

    return HmacCallbackTokens(key.encode())
