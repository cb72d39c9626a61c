"""The client that invokes collectors, put together. Importing this module loads libcurl."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from fanfold.adapters.google.identity import google_id_token
from fanfold.adapters.http.client import CurlCollectorClient
from fanfold.adapters.http.credentials import CollectorCredentials
from fanfold.adapters.http.loop import CurlLoop
from fanfold.adapters.http.probe import CollectorProbe
from fanfold.adapters.http.traced import TracingClient
from fanfold.ports.outside import Calls, CollectorClient
from fanfold.runtime.secret_lookup import secrets_of


def collector_probe(env: Mapping[str, str]) -> CollectorProbe:
    """Return what asks whether a collector could be called, as the client would call it."""
    secrets = secrets_of(env)
    return CollectorProbe(CollectorCredentials(secrets, google_id_token), secrets, env)


def collector_client(env: Mapping[str, str]) -> CollectorClient:
    """Return the client that invokes collectors over HTTP."""
    secrets = secrets_of(env)
    return CurlCollectorClient(CollectorCredentials(secrets, google_id_token), secrets, env)


def collector_loop(
    env: Mapping[str, str],
    *,
    places: int,
    now: Callable[[], datetime],
) -> Calls:
    """Return what invokes collectors over HTTP, many side by side.

    Args:
        env: Where secrets, proxies and certificates are looked up.
        places: Most calls at once.
        now: Tells the time.
    """
    secrets = secrets_of(env)
    credentials = CollectorCredentials(secrets, google_id_token)
    return CurlLoop(credentials, secrets, env, places=places, now=now)


def tracing_client(env: Mapping[str, str]) -> TracingClient:
    """Return what makes one call as the client would, and keeps what a person wants to know."""
    secrets = secrets_of(env)
    return TracingClient(CollectorCredentials(secrets, google_id_token), secrets, env)
