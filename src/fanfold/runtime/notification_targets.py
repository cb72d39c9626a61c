"""The targets that a configuration names under ``notify``, put together at the moment of use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fanfold.adapters.clock import SystemClock
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import NotConfigured
from fanfold.ports.outside import Target
from fanfold.runtime.secret_lookup import secrets_of


class NotificationTargets:
    """Makes the targets of a configuration; their libraries are loaded by the first event.

    Args:
        env: Where references and secrets are looked up.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self.secrets = secrets_of(env)
        # A receiver holds the time of a signature against its own clock: this one is the machine's.
        self.clock = SystemClock()

    def __call__(self, catalogue: Catalogue) -> Sequence[Target]:
        """Return the targets of *catalogue*.

        Raises:
            NotConfigured: A library is missing that one of them needs.
        """
        webhook = catalogue.notify.get("webhook")
        if webhook is None:
            return ()
        try:
            from fanfold.adapters.notify.webhook import (
                WebhookTarget,
            )
        except ImportError as exc:
            raise NotConfigured(f'notify.webhook: {exc}; pip install "fanfold[notify]"') from exc
        return (WebhookTarget(webhook["url"], webhook["secret"], self.secrets, self.clock),)
