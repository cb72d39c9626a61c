"""A webhook for machines: every event of a run as a structured CloudEvent, signed.

The body is what the cloudevents SDK makes of the event (``application/cloudevents+json``). The
signature is that of Standard Webhooks: the headers ``webhook-id``, ``webhook-timestamp`` and
``webhook-signature``, which a receiver checks with the package ``standardwebhooks``.
"""

from __future__ import annotations

import hashlib

from cloudevents.conversion import to_structured
from cloudevents.http import CloudEvent
from standardwebhooks import Webhook

from fanfold.adapters.notify.posting import post
from fanfold.domain.model.errors import NotConfigured
from fanfold.domain.protocol.strict_json import read_json
from fanfold.domain.syntax.urls import BadUrl, read_url
from fanfold.ports.bus import Message
from fanfold.ports.outside import Clock, Secrets

#: What a CloudEvent of ours is made of, by attribute of the message.
_ATTRIBUTES = ("ce-id", "ce-type", "ce-source", "ce-subject", "ce-time", "ce-specversion")


class WebhookTarget:
    """See :class:`fanfold.ports.outside.Target`.

    Args:
        url: The template of the URL.
        secret: The template of the secret, None for events without a signature.
        secrets: Fills the templates.
        clock: Tells the time of the signature.
    """

    def __init__(self, url: str, secret: str | None, secrets: Secrets, clock: Clock) -> None:
        self._url = url
        self._secret = secret
        self._secrets = secrets
        self._clock = clock

    @property
    def name(self) -> str:
        """See :attr:`fanfold.ports.outside.Target.name`."""
        return "notify.webhook"

    @property
    def key(self) -> str:
        """See :attr:`fanfold.ports.outside.Target.key`."""
        return f"webhook/{hashlib.sha256(self._url.encode()).hexdigest()[:12]}"

    def tell(self, message: Message) -> None:
        """See :meth:`fanfold.ports.outside.Target.tell`."""
        url = self._address()
        headers, body = _structured(message)
        headers |= self._signature(message.attributes["ce-id"], body)
        post(self.name, url, body, headers)

    def _address(self) -> str:
        try:
            url = read_url(self._secrets.fill(self._url))
        except BadUrl as exc:
            raise NotConfigured(f"notify.webhook: the URL {exc}: {exc.fix}") from None
        if not url.may_carry_credentials:
            raise NotConfigured("notify.webhook: events go over https only, or to this machine")
        return url.text

    def _signature(self, event_id: str, body: bytes) -> dict[str, str]:
        """Return the headers by which a receiver knows who sent *body*, none without a secret."""
        if self._secret is None:
            return {}
        now = self._clock.now()
        try:
            signed = Webhook(self._secrets.fill(self._secret)).sign(event_id, now, body.decode())
        except ValueError:
            what = "notify.webhook.secret is no secret of Standard Webhooks"
            raise NotConfigured(f"{what}: write whsec_ and the base64 of 32 bytes") from None
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signed,
        }


def _structured(message: Message) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the structured CloudEvent that *message* carries."""
    attributes = {
        name.removeprefix("ce-"): message.attributes[name]
        for name in _ATTRIBUTES
        if name in message.attributes
    }
    event = CloudEvent(
        {**attributes, "datacontenttype": "application/json"}, read_json(message.data)
    )
    headers, body = to_structured(event)
    return dict(headers), body
