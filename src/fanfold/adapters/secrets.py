"""Secrets from the environment, and from Secret Manager where one is given."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from fanfold.domain.model.errors import NotConfigured

#: Looks up a secret by name and version ("latest" where none was written).
SecretLookup = Callable[[str, str], str]

_REFERENCE = re.compile(r"\$(?:\$|\{([^{}]*)(\}?))")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::([-?])(.*))?", re.ASCII | re.DOTALL)
_SECRET = re.compile(r"secret:([A-Za-z0-9_-]{1,255})(?:@(latest|[1-9][0-9]*))?", re.ASCII)


class EnvironmentSecrets:
    """See :class:`fanfold.ports.outside.Secrets`.

    ``${X}``, ``${X:-default}`` and ``${X:?what to do}`` are environment variables; one that is
    empty counts as missing. ``${secret:name}`` and ``${secret:name@7}`` are the variable called
    exactly so, or the same in capitals with ``_`` for ``-``; where neither is set,
    *secret_lookup* is asked. ``$$`` is ``$``. Line breaks at the end of a value, which a
    careless ``echo`` leaves behind, are dropped.
    """

    def __init__(self, env: Mapping[str, str], secret_lookup: SecretLookup | None = None) -> None:
        self._env = env
        self._secret_lookup = secret_lookup

    def fill(self, template: str) -> str:
        """See :meth:`fanfold.ports.outside.Secrets.fill`."""
        return _REFERENCE.sub(self._value, template)

    def _value(self, reference: re.Match[str]) -> str:
        inner = reference[1]
        if inner is None:
            return "$"
        if reference[2]:
            if secret := _SECRET.fullmatch(inner):
                return self._secret(secret[1], secret[2] or "latest").rstrip("\r\n")
            if variable := _NAME.fullmatch(inner):
                return self._variable(variable[1], variable[2], variable[3])
        raise NotConfigured(
            f"${{{inner[:40]}… is no reference: write ${{NAME}}, ${{secret:name}}, or $$ for a $"
        )

    def _variable(self, name: str, otherwise: str | None, text: str) -> str:
        value = self._env.get(name, "").rstrip("\r\n")
        if value:
            return value
        match otherwise:
            case "-":
                return text
            case "?":
                raise NotConfigured(f"{name} is not set: {text}")
            case _:
                raise NotConfigured(f"{name} is not set: export {name}=…")

    def _secret(self, name: str, version: str) -> str:
        variable = name.upper().replace("-", "_")
        value = self._env.get(name) or self._env.get(variable)
        if value:
            return value
        if self._secret_lookup is not None:
            return self._secret_lookup(name, version)
        raise NotConfigured(
            f"the secret {name!r} is not set: export {variable}=…, or keep it in Secret Manager, "
            "set use_secret_manager: true, and export GOOGLE_CLOUD_PROJECT=…"
        )
