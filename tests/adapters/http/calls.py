"""Calls to make in the tests of the HTTP client."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from fanfold.adapters.http.client import CurlCollectorClient
from fanfold.adapters.http.credentials import CollectorCredentials
from fanfold.adapters.id_tokens import IdToken
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.model.collector import Auth, AuthKind, CollectorSpec
from fanfold.domain.protocol.contract import Call, Reply

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


def new_client(env: Mapping[str, str] | None = None, **options: Any) -> CurlCollectorClient:
    """Return a client whose only secret is :data:`CANARY`, which is its id token as well."""
    secrets = EnvironmentSecrets(ENV)
    credentials = CollectorCredentials(secrets, lambda _: IdToken(CANARY, time.time() + 3600))
    return CurlCollectorClient(credentials, secrets, env or {}, **options)


def timed(act: Callable[[], T]) -> tuple[T, float]:
    """Return what *act* returns and how long it took, in seconds."""
    start = time.monotonic()
    result = act()
    return result, time.monotonic() - start


def timed_out(reply: Reply) -> bool:
    failure = reply.failure
    return failure is not None and (failure.kind, failure.retryable) == ("timeout", False)
