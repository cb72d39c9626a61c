"""Calls to make in the tests of the HTTP client."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias, TypeVar

import pytest

from fanfold.adapters.http.client import CurlCollectorClient
from fanfold.adapters.http.credentials import CollectorCredentials
from fanfold.adapters.http.loop import CurlLoop
from fanfold.adapters.id_tokens import IdToken
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.model.collector import Auth, AuthKind, CollectorSpec
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.ports.outside import Credentials, Secrets

RUN_ID = "2026-11-23T0215Z-nightly"
DEADLINE = datetime(2026, 11, 23, 4, 15, tzinfo=UTC)
CANARY = "canary-3f9a51c07b"
ENV = {"TOKEN": CANARY}
BEARER = Auth(AuthKind.BEARER, {"Authorization": "Bearer ${TOKEN}"})
API_KEY = Auth(AuthKind.HEADER, {"X-Api-Key": "${TOKEN}"})
OIDC = Auth(AuthKind.OIDC)

T = TypeVar("T")


def call(url: str, timeout_s: float = 5.0, *, auth: Auth | None = None, **more: Any) -> Call:
    of_spec = {key: more.pop(key) for key in ("params", "proxy", "ca_file") if key in more}
    spec = CollectorSpec("dvf", url, auth=auth or Auth(), **of_spec)
    return Call(spec, RUN_ID, 1, DEADLINE, timeout_s, **more)


_Replies: TypeAlias = "queue.SimpleQueue[Reply | Exception]"


class LoopClient:
    """The loop form behind the method of the blocking one, so that one test serves both."""

    def __init__(
        self,
        credentials: Credentials,
        secrets: Secrets,
        env: Mapping[str, str],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._make: Callable[[], CurlLoop] = partial(
            CurlLoop, credentials, secrets, env, places=512, now=now
        )
        self._lock = threading.Lock()
        self._waiting: dict[object, _Replies] = {}
        self._loop: CurlLoop | None = None
        self._turner: threading.Thread | None = None

    def invoke(self, call: Call) -> Reply:
        key: object = object()
        came: _Replies = queue.SimpleQueue()
        with self._lock:
            if self._loop is None:
                self._loop = self._make()
                self._turner = threading.Thread(target=self._turn, args=(self._loop,), daemon=True)
                self._turner.start()
            self._waiting[key] = came
            self._loop.start([(key, call)])
        reply = came.get()
        if isinstance(reply, Exception):
            raise reply
        return reply

    def close(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and self._turner is not None:
            loop.wake()
            self._turner.join()
            loop.close()

    def _turn(self, loop: CurlLoop) -> None:
        while self._loop is loop:
            loop.turn(60.0)
            for came in loop.take():
                self._waiting.pop(came.key).put(came.reply)


Client = CurlCollectorClient | LoopClient

#: The form of the client that a test is given; the fixture ``form`` sets it for each.
FORM: list[type[Client]] = [CurlCollectorClient]


#: For what only one form does.
blocking_only = pytest.mark.parametrize("form", [CurlCollectorClient], indirect=True)
loop_only = pytest.mark.parametrize("form", [LoopClient], indirect=True)


def client_with(
    credentials: Credentials, secrets: Secrets, env: Mapping[str, str] | None = None, **options: Any
) -> Client:
    """Return a client of the form that is tested."""
    return FORM[-1](credentials, secrets, env or {}, **options)


def new_client(env: Mapping[str, str] | None = None, **options: Any) -> Client:
    """Return a client whose only secret is :data:`CANARY`, which is its id token as well."""
    secrets = EnvironmentSecrets(ENV)
    credentials = CollectorCredentials(secrets, lambda _: IdToken(CANARY, time.time() + 3600))
    return client_with(credentials, secrets, env, **options)


def timed(act: Callable[[], T]) -> tuple[T, float]:
    """Return what *act* returns and how long it took, in seconds."""
    start = time.monotonic()
    result = act()
    return result, time.monotonic() - start


def timed_out(reply: Reply) -> bool:
    failure = reply.failure
    return failure is not None and (failure.kind, failure.retryable) == ("timeout", False)
