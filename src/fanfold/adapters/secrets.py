"""Secrets from the environment, and from Secret Manager where one is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fanfold.domain.model.errors import NotConfigured
from fanfold.domain.syntax import references
from fanfold.domain.syntax.references import KEPT_ELSEWHERE, BadTemplate, Reference

#: Looks up a secret by name and version ("latest" where none was written).
SecretLookup = Callable[[str, str], str]


class EnvironmentSecrets:
    """See :class:`fanfold.ports.outside.Secrets`.

    :mod:`fanfold.domain.syntax.references` says what can be written, and which variables a
    reference stands for. *secret_lookup* is asked for a secret that no variable holds.
    """

    def __init__(self, env: Mapping[str, str], secret_lookup: SecretLookup | None = None) -> None:
        self._env = env
        self._secret_lookup = secret_lookup

    def fill(self, template: str) -> str:
        """See :meth:`fanfold.ports.outside.Secrets.fill`."""
        try:
            return references.fill(template, self._value)
        except BadTemplate as exc:
            raise NotConfigured(f"{exc}: {exc.fix}") from exc

    def _value(self, reference: Reference) -> str:
        value = reference.value_in(self._env)
        if value is not None and KEPT_ELSEWHERE in value:
            what = f"{reference.name} is kept by the function that needs it, which this one is not"
            raise NotConfigured(what)
        if value is not None:
            return value
        if not reference.secret:
            advice = reference.advice or f"export {reference.name}=…"
            raise NotConfigured(f"{reference.name} is not set: {advice}")
        if self._secret_lookup is not None:
            found = self._secret_lookup(reference.name, reference.version or "latest")
            return found.rstrip("\r\n")
        variable = references.secret_variable(reference.name)
        raise NotConfigured(
            f"the secret {reference.name!r} is not set: export {variable}=…, or keep it in Secret "
            "Manager, set use_secret_manager: true, and export GOOGLE_CLOUD_PROJECT=…"
        )
