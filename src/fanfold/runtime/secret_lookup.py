"""Where the secrets of a configuration are looked up: the environment, then Secret Manager."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from fanfold.adapters.secrets import EnvironmentSecrets, SecretLookup

#: By this variable the official client finds the Firestore emulator.
FIRESTORE_EMULATOR = "FIRESTORE_EMULATOR_HOST"


def secrets_of(env: Mapping[str, str]) -> EnvironmentSecrets:
    """Return what fills references in; Secret Manager is loaded by the first that needs it."""
    project = env.get("GOOGLE_CLOUD_PROJECT")
    if not project or env.get(FIRESTORE_EMULATOR):
        return EnvironmentSecrets(env)

    def lookup(name: str, version: str) -> str:
        return _secret_manager(project)(name, version)

    return EnvironmentSecrets(env, lookup)


@cache
def _secret_manager(project: str) -> SecretLookup:
    from fanfold.adapters.google.secret_manager import SecretManager  # for few

    return SecretManager(project)
