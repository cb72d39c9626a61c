"""The client that invokes collectors, put together. Importing this module loads libcurl."""

from __future__ import annotations

from collections.abc import Mapping

from fanfold.adapters.google.identity import google_id_token
from fanfold.adapters.http.client import CurlCollectorClient
from fanfold.adapters.http.credentials import CollectorCredentials
from fanfold.adapters.http.probe import CollectorProbe
from fanfold.ports.outside import CollectorClient
from fanfold.runtime.secret_lookup import secrets_of


def collector_probe(env: Mapping[str, str]) -> CollectorProbe:
    """Return what asks whether a collector could be called, as the client would call it."""
    secrets = secrets_of(env)
    return CollectorProbe(CollectorCredentials(secrets, google_id_token), secrets, env)


def collector_client(env: Mapping[str, str]) -> CollectorClient:
    """Return the client that invokes collectors over HTTP."""
    secrets = secrets_of(env)
    return CurlCollectorClient(CollectorCredentials(secrets, google_id_token), secrets, env)
