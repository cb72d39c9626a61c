"""People, by whatever service: Apprise knows more than a hundred, each by a URL of its own form."""

from __future__ import annotations

import hashlib
import logging

import apprise

from fanfold.domain.model.errors import NotConfigured, TargetAway
from fanfold.domain.report.announcement import Announcement
from fanfold.domain.syntax.services import check_service
from fanfold.domain.syntax.urls import BadUrl
from fanfold.ports.outside import Secrets

#: Apprise would write what it sends, and where, to stderr.
_APPRISE_LOG = logging.getLogger("apprise")


class AppriseTarget:
    """See :class:`fanfold.ports.outside.PeopleTarget`.

    Args:
        name: The key under ``notify``, for errors.
        url: The template of the URL.
        secrets: Fills the template.
    """

    def __init__(self, name: str, url: str, secrets: Secrets) -> None:
        self._name = name
        self._url = url
        self._secrets = secrets

    @property
    def name(self) -> str:
        """See :attr:`fanfold.ports.outside.PeopleTarget.name`."""
        return f"notify.{self._name}"

    @property
    def key(self) -> str:
        """See :attr:`fanfold.ports.outside.PeopleTarget.key`."""
        digest = hashlib.sha256(self._url.encode()).hexdigest()[:12]
        return f"{self._name.partition('[')[0]}/{digest}"

    def say(self, announcement: Announcement) -> None:
        """See :meth:`fanfold.ports.outside.PeopleTarget.say`."""
        _APPRISE_LOG.propagate = False
        _APPRISE_LOG.addHandler(logging.NullHandler())
        asset = apprise.AppriseAsset(
            app_id="fanfold",
            app_desc="fanfold",
            async_mode=False,
            http_redirects=False,
            # Its own limit works in a pool of threads for which the end of the process waits: one
            # message that hangs would keep fanfold from ending. See Patience for ours.
            service_timeout=0,
        )
        service = apprise.Apprise(asset=asset)
        url = self._secrets.fill(self._url)
        try:
            check_service(url)
        except BadUrl as exc:
            raise NotConfigured(f"{self.name}: {exc}: {exc.fix}") from None
        if not service.add(url):
            raise NotConfigured(f"{self.name}: Apprise knows no service of such a URL")
        if len(service) != 1:
            raise NotConfigured(f"{self.name} holds several URLs: write one entry for each")
        is_taken = service.notify(
            title=announcement.title,
            body=announcement.body or announcement.title,
            body_format=apprise.NotifyFormat.TEXT,
        )
        if not is_taken:
            raise TargetAway(f"{self.name} did not take the message")
