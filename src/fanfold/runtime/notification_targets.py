"""The targets that a configuration names under ``notify``, put together at the moment of use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from fanfold.adapters.clock import SystemClock
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import NotConfigured
from fanfold.ports.outside import Heartbeat, PeopleTarget, Target, Targets
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

    def __call__(self, catalogue: Catalogue) -> Targets:
        """Return the targets of *catalogue*.

        Raises:
            NotConfigured: A library is missing that one of them needs.
        """
        return Targets(
            self._machines(catalogue), self._people(catalogue), self._heartbeats(catalogue)
        )

    def _heartbeats(self, catalogue: Catalogue) -> Sequence[Heartbeat]:
        url = catalogue.notify.get("heartbeat")
        if url is None:
            return ()
        with _telling_what_is_missing("notify.heartbeat"):
            from fanfold.adapters.notify.heartbeat import HealthchecksHeartbeat
        return (HealthchecksHeartbeat(url, self.secrets),)

    def _machines(self, catalogue: Catalogue) -> Sequence[Target]:
        webhook = catalogue.notify.get("webhook")
        if webhook is None:
            return ()
        with _telling_what_is_missing("notify.webhook"):
            from fanfold.adapters.notify.webhook import WebhookTarget
        return (WebhookTarget(webhook["url"], webhook["secret"], self.secrets, self.clock),)

    def _people(self, catalogue: Catalogue) -> Sequence[PeopleTarget]:
        urls = {f"to[{number}]": url for number, url in enumerate(catalogue.notify.get("to", ()))}
        if "slack" in catalogue.notify:
            urls["slack"] = catalogue.notify["slack"]
        if not urls:
            return ()
        with _telling_what_is_missing("notify"):
            from fanfold.adapters.notify.apprise import AppriseTarget
        return tuple(AppriseTarget(name, url, self.secrets) for name, url in urls.items())


@contextmanager
def _telling_what_is_missing(key: str) -> Iterator[None]:
    try:
        yield
    except ImportError as exc:
        raise NotConfigured(f'{key}: {exc}; pip install "fanfold[notify]"') from exc
