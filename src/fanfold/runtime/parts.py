"""What one process works with, put together: the same on every backend.

Nothing is built on import, and each part imports its libraries only when it is built: a function
that does not read the configuration never loads the libraries that do.
"""

from __future__ import annotations

import secrets as chance
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fanfold.adapters.callback_tokens import HmacCallbackTokens
from fanfold.adapters.masks import CollectorMasks
from fanfold.adapters.notify.patience import Patience
from fanfold.app.aggregate import Aggregator
from fanfold.app.finish import Finisher, Share, alone
from fanfold.app.notify import Notifier
from fanfold.app.relay import Relay
from fanfold.app.sweep import Sweeper
from fanfold.domain.model.run import Run
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.logs import Log
from fanfold.ports.bus import Bus
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import (
    CallbackTokens,
    Clock,
    CollectorClient,
    Drawing,
    Masks,
    ReportSink,
)
from fanfold.runtime.functions import Functions
from fanfold.runtime.notification_targets import NotificationTargets
from fanfold.runtime.secret_lookup import secrets_of
from fanfold.settings import Settings

if TYPE_CHECKING:
    from fanfold.config import Loaded
    from fanfold.domain.model.collector import Catalogue


@dataclass(slots=True)
class CallbackAddress:
    """How asynchronous collectors answer. ``base`` is empty until an endpoint is up.

    Args:
        tokens: Makes their tokens.
        base: The endpoint's address.
        gives_tokens: Whether whoever takes the answers knows the key of the tokens.
    """

    tokens: CallbackTokens
    base: str = ""
    gives_tokens: bool = True

    def __call__(self, run_id: str, collector: str) -> Mapping[str, str] | None:
        """Return ``token`` and, where there is an endpoint, ``url``; None without a key."""
        if not self.gives_tokens:
            return None
        token = {"token": self.tokens.token(run_id, collector)}
        if not self.base:
            return token
        return {"url": f"{self.base}/callback/{run_id}/{collector}", **token}


@dataclass(slots=True)
class Parts:
    """Everything that one process works with."""

    settings: Settings
    env: Mapping[str, str]
    ledger: Ledger
    bus: Bus
    clock: Clock
    sink: ReportSink
    tokens: CallbackTokens
    masks: Masks
    callback: CallbackAddress
    catalogue: Callable[[], Catalogue]
    finisher: Finisher
    sweeper: Sweeper
    functions: Functions
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
        from fanfold import config  # only who reads it pays for it

        try:
            status = self.settings.config.stat()
            seen = (status.st_mtime_ns, status.st_size)
        except OSError:
            seen = (0, 0)
        if self._loaded is None or seen != self._seen:
            self._loaded = config.load(self.settings.config, self.env)
            self._seen = seen
        return self._loaded


@dataclass(frozen=True, slots=True)
class Backend:
    """What differs between the backends.

    ``callback_key`` is the key of the callback tokens, empty where the functions share none: then
    no collector is given a token. ``writer`` names this process in what it writes. ``catalogue``
    returns the configuration, and raises NotConfigured where the backend lacks what it switches
    on: before a run is made that nobody could work. ``is_paced``: see :class:`Functions`.
    ``share``: see :class:`Finisher`.
    """

    ledger: Ledger
    bus: Bus
    sink: ReportSink
    callback_key: str
    writer: str
    catalogue: Callable[[], Catalogue] | None = None
    is_paced: bool = False
    share: Share = alone


def assemble(
    backend: Backend,
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
    # Without a key that all functions share, nobody is believed: this one is nobody else's.
    tokens = HmacCallbackTokens((backend.callback_key or chance.token_hex()).encode())
    masks = CollectorMasks(secrets_of(env), tokens)
    callback = CallbackAddress(tokens, settings.callback_url, bool(backend.callback_key))
    catalogue = catalogue or ConfigurationFile(settings, env)
    finisher = Finisher(ledger, bus, backend.sink, draw_report, clock, backend.share)
    sweeper = Sweeper(ledger, bus, clock, finisher, writer="sweep")
    relay = Relay(
        ledger=ledger,
        bus=bus,
        client=client or _LazyClient(env),
        clock=clock,
        jitter=jitter,
        holder=writer,
        callback_for=callback,
        is_paced=backend.is_paced,
    )
    functions = Functions(
        ledger=ledger,
        bus=bus,
        clock=clock,
        finisher=finisher,
        relay=relay,
        aggregator=Aggregator(ledger, finisher, tokens, masks, clock),
        sweeper=sweeper,
        notifier=Notifier(ledger, clock, NotificationTargets(env), Patience()),
        catalogue=backend.catalogue or catalogue,
        readable=partial(_readable_slots, settings, env),
        writer=writer,
        log=log,
        is_paced=backend.is_paced,
    )
    return Parts(
        settings=settings,
        env=env,
        ledger=ledger,
        bus=bus,
        clock=clock,
        sink=backend.sink,
        tokens=tokens,
        masks=masks,
        callback=callback,
        catalogue=catalogue,
        finisher=finisher,
        sweeper=sweeper,
        functions=functions,
        log=log,
        writer=writer,
    )


def _readable_slots(settings: Settings, env: Mapping[str, str]) -> Catalogue | None:
    """Return what can be read of a broken configuration, None where its slots cannot be trusted."""
    from fanfold import config  # only who reads it pays for it

    slots = config.load_slots(settings.config, env)
    return None if slots.unknown else slots.catalogue


def draw_report(run: Run) -> Drawing:
    """Begin the documents of the report of *run*; the first page loads the template library."""
    from fanfold.rendering import draw  # only who finishes a run pays for it

    return draw(run)


class _LazyClient:
    """The HTTP client, built at the first call: a function that makes none never loads it."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self._client: CollectorClient | None = None

    def invoke(self, call: Call) -> Reply:
        """See :meth:`fanfold.ports.outside.CollectorClient.invoke`."""
        if self._client is None:
            from fanfold.runtime.collector_client import collector_client  # libcurl

            self._client = collector_client(self.env)
        return self._client.invoke(call)
