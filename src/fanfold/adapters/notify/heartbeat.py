"""A monitor that speaks the pinging protocol of Healthchecks, theirs or of one's own server.

``URL/start``, ``URL`` and ``URL/fail`` are posted to, and ``URL/log`` for a test, which changes
nothing; the body is the sentence, which the monitor shows. ``rid`` tells which start an end belongs
to; it must be a UUID, so it is made of the run's id.
"""

from __future__ import annotations

import hashlib
import uuid

from fanfold.adapters.notify.posting import post
from fanfold.domain.model.errors import NotConfigured, TargetRefuses
from fanfold.domain.syntax.urls import BadUrl, read_url
from fanfold.ports.outside import Beat, Secrets

#: What is put behind the URL for each signal.
_PATHS = {"start": "/start", "success": "", "fail": "/fail", "log": "/log"}

#: What a ``rid`` is made from, with the run's id.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://fanfold.dev/runs")

#: What is read of an answer, in bytes: Healthchecks says ``OK``, or ``OK (not found)``.
_ANSWER_BYTES = 100


class HealthchecksHeartbeat:
    """See :class:`fanfold.ports.outside.Heartbeat`.

    Args:
        url: The template of the ping URL.
        secrets: Fills the template.
    """

    name = "notify.heartbeat"

    def __init__(self, url: str, secrets: Secrets) -> None:
        self._url = url
        self._secrets = secrets

    @property
    def key(self) -> str:
        """See :attr:`fanfold.ports.outside.Heartbeat.key`."""
        return f"heartbeat/{hashlib.sha256(self._url.encode()).hexdigest()[:12]}"

    def send(self, beat: Beat) -> None:
        """See :meth:`fanfold.ports.outside.Heartbeat.send`."""
        rid = uuid.uuid5(_NAMESPACE, beat.run_id)
        where = self._address(_PATHS[beat.signal], f"rid={rid}")
        body = f"{beat.sentence}\n{beat.run_id}".strip().encode()
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        said = post(self.name, where, body, headers, read_bytes=_ANSWER_BYTES)
        if said.startswith(b"OK (") and b"not found" in said:
            # Healthchecks answers 200 for a check that is not there.
            raise TargetRefuses("notify.heartbeat: the monitor knows no check of this URL")

    def _address(self, path: str, query: str) -> str:
        try:
            url = read_url(self._secrets.fill(self._url))
        except BadUrl as exc:
            raise NotConfigured(f"{self.name}: the URL {exc}: {exc.fix}") from None
        if not url.may_carry_credentials:
            raise NotConfigured(f"{self.name}: it is pinged over https only, or on this machine")
        query = f"{url.query}&{query}" if url.query else query
        return f"{url.without_query.rstrip('/')}{path}?{query}"
