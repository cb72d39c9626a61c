"""Secrets from Google Secret Manager, each kept for a short while and never written anywhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fanfold.domain.model.errors import NotConfigured, Transient

#: How long a secret is kept, in seconds: one of many collectors asks, and a new version is soon
#: in use.
KEPT_S = 60.0

#: How long a failure is told again without asking, in seconds: to those who waited for it.
FAILED_S = 2.0

#: How long one lookup is tried in all, and one call of it, in seconds.
PATIENCE_S, CALL_TIMEOUT_S = 4.0, 2.0


class SecretsUnavailable(Transient):
    """Secret Manager did not answer, or refused for now."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a lookup came to; ``until`` on the clock of :class:`SecretManager`, in seconds."""

    until_s: float
    value: str = field(default="", repr=False)
    failure: NotConfigured | SecretsUnavailable | None = None


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
        self._lock = threading.Lock()
        self._gates: dict[tuple[str, str], threading.Lock] = {}
        self._kept: dict[tuple[str, str], _Kept] = {}

    def __call__(self, name: str, version: str) -> str:
        """Return the text of *version* (a number, or ``latest``) of the secret *name*.

        Raises:
            NotConfigured: The library, an identity, a permission or the secret is missing.
            SecretsUnavailable: It may be had later.
        """
        key = name, version
        with self._lock:
            gate = self._gates.setdefault(key, threading.Lock())
        with gate:
            kept = self._kept.get(key)
            if kept is None or self._time_s() >= kept.until_s:
                kept = self._kept[key] = self._looked_up(name, version)
        if kept.failure is not None:
            # A new one for each caller: an error that is raised keeps its caller's frames.
            raise type(kept.failure)(str(kept.failure)) from None
        return kept.value

    def _looked_up(self, name: str, version: str) -> _Kept:
        try:
            value = self._access(name, version)
        except (NotConfigured, SecretsUnavailable) as exc:
            return _Kept(self._time_s() + FAILED_S, failure=exc)
        return _Kept(self._time_s() + KEPT_S, value)

    def _access(self, name: str, version: str) -> str:
        try:
            # Optional libraries, loaded where a secret is looked up.
            from google.api_core import exceptions, retry  # noqa: PLC0415
            from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
            from google.cloud import secretmanager_v1  # noqa: PLC0415
        except ImportError as exc:
            raise NotConfigured(
                f"the secret {name!r} is not set: export {name.upper().replace('-', '_')}=…, "
                'or keep it in Secret Manager and pip install "fanfold[secrets]"'
            ) from exc
        passing = retry.if_exception_type(
            exceptions.ServiceUnavailable,
            exceptions.DeadlineExceeded,
            exceptions.ResourceExhausted,
            exceptions.InternalServerError,
            exceptions.Aborted,
        )
        try:
            if self._client is None:
                self._client = secretmanager_v1.SecretManagerServiceClient()
            response = self._client.access_secret_version(
                name=f"projects/{self.project}/secrets/{name}/versions/{version}",
                retry=retry.Retry(passing, initial=0.2, maximum=1.0, timeout=PATIENCE_S),
                timeout=CALL_TIMEOUT_S,
            )
        except (exceptions.GoogleAPIError, GoogleAuthError) as exc:
            raise self._ours(name, version, exc) from exc
        try:
            value: str = response.payload.data.decode()
        except UnicodeDecodeError:
            raise NotConfigured(
                f"the secret {name!r} holds bytes that are no text: store it again as text"
            ) from None  # the cause would show them
        return value

    def _ours(self, name: str, version: str, exc: Exception) -> NotConfigured | SecretsUnavailable:
        """Return what *exc* is to a relay, with the command that mends it."""
        from google.api_core import exceptions  # noqa: PLC0415
        from google.auth.exceptions import DefaultCredentialsError  # noqa: PLC0415

        option = f"--project={self.project}"
        match exc:
            case exceptions.NotFound() if version == "latest":
                return NotConfigured(
                    f"there is no secret {name!r} with a version in project {self.project}: "
                    f"`gcloud secrets create {name} --data-file=FILE {option}`, or "
                    f"`gcloud secrets versions add {name} --data-file=FILE {option}`"
                )
            case exceptions.NotFound():
                return NotConfigured(
                    f"there is no version {version} of the secret {name!r}: "
                    f"`gcloud secrets versions list {name} {option}`"
                )
            case exceptions.FailedPrecondition():
                return NotConfigured(
                    f"version {version} of the secret {name!r} is disabled or destroyed: "
                    f"`gcloud secrets versions enable {version} --secret={name} {option}`"
                )
            case exceptions.PermissionDenied():
                return NotConfigured(
                    f"no permission to read the secret {name!r}: apply infra/, or `gcloud secrets "
                    f"add-iam-policy-binding {name} {option} --member=serviceAccount:EMAIL "
                    "--role=roles/secretmanager.secretAccessor`"
                )
            case DefaultCredentialsError() | exceptions.Unauthenticated():
                return NotConfigured(
                    f"the secret {name!r} is in Secret Manager, and no credentials are found: "
                    "`gcloud auth application-default login`"
                )
            case exceptions.InvalidArgument():
                return NotConfigured(
                    f"Secret Manager knows no secret {name!r} of project {self.project!r}: "
                    "`gcloud secrets list`"
                )
            case _:
                return SecretsUnavailable(
                    f"Secret Manager did not give {name!r}: {type(exc).__name__}"
                )
