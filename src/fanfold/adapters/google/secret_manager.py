"""Secrets from Google Secret Manager, each kept for a short while and never written anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fanfold.adapters.single_flight import SingleFlight
from fanfold.domain.model.errors import FanfoldError, NotConfigured

#: How long a secret is kept, in seconds. Many collectors of a run share one lookup, and a new
#: version is soon in use.
KEPT_S = 60.0

#: How long a failed lookup is not repeated, in seconds. Whoever asks meanwhile gets its error.
FAILED_S = 2.0

#: How long one try of a lookup may take, in seconds.
CALL_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a lookup came to. It counts until ``until_s`` on the clock of :class:`SecretManager`."""

    until_s: float
    value: str = field(default="", repr=False)
    failure: FanfoldError | None = None


class SecretManager:
    """A :data:`fanfold.adapters.secrets.SecretLookup`. Safe to share between threads.

    Whoever asks for a secret that is being looked up waits for that one lookup. The library is
    loaded and the connection made by the first lookup.

    Args:
        project: The Google Cloud project that holds the secrets.
        client: The client of Secret Manager; absent, one is made at the first lookup.
        time_s: A clock that never goes back, in seconds.
    """

    def __init__(
        self, project: str, client: Any = None, *, time_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.project = project
        self._client = client
        self._time_s = time_s
        self._lookups = SingleFlight[_Kept]()
        self._kept: dict[tuple[str, str], _Kept] = {}

    def __call__(self, name: str, version: str) -> str:
        """Return the text of *version* (a number, or ``latest``) of the secret *name*.

        Raises:
            NotConfigured: The library, an identity, a permission or the secret is missing.
            SecretsUnavailable: It may be had later.
        """
        kept = self._lookups.ask((name, version), lambda: self._looked_up(name, version))
        if kept.failure is not None:
            # A new one for each caller: an error that is raised keeps its caller's frames.
            raise type(kept.failure)(str(kept.failure)) from None
        return kept.value

    def _looked_up(self, name: str, version: str) -> _Kept:
        kept = self._kept.get((name, version))
        if kept is not None and self._time_s() < kept.until_s:
            return kept
        try:
            value = self._access(name, version)
        except FanfoldError as exc:
            kept = _Kept(self._time_s() + FAILED_S, failure=exc)
        else:
            kept = _Kept(self._time_s() + KEPT_S, value)
        self._kept[name, version] = kept
        return kept

    def _access(self, name: str, version: str) -> str:
        try:
            # Optional libraries, loaded where a secret is looked up.
            from google.cloud import secretmanager_v1  # an optional library

            from fanfold.adapters.google import errors, reconnecting  # loads Google's libraries
        except ImportError as exc:
            raise NotConfigured(
                f"the secret {name!r} is not set: export {name.upper().replace('-', '_')}=…, "
                'or keep it in Secret Manager and pip install "fanfold[secrets]"'
            ) from exc

        def access() -> bytes:
            if self._client is None:
                kind = secretmanager_v1.SecretManagerServiceClient
                self._client = reconnecting.client_of(kind)
            response = self._client.access_secret_version(
                name=f"projects/{self.project}/secrets/{name}/versions/{version}",
                retry=None,
                timeout=CALL_TIMEOUT_S,
            )
            return bytes(response.payload.data)

        held = errors.call(
            errors.SECRETS,
            f"Secret Manager did not give {name!r}",
            access,
            {"project": self.project, "name": name, "version": version},
        )
        try:
            return held.decode()
        except UnicodeDecodeError:
            raise NotConfigured(
                f"the secret {name!r} holds bytes that are no text: store it again as text"
            ) from None  # the cause would show them
