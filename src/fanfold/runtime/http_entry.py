"""A function behind HTTP: decode the delivery, go through the door, answer 204 or 5xx.

Pub/Sub acknowledges on 204 and delivers again on anything above 299
(https://docs.cloud.google.com/pubsub/docs/push). 503 says that the message may succeed later, 500
that a bug met it; both are counted towards the subscription's dead letter. ``Retry-After`` says
how long the door would wait: Pub/Sub goes by its own backoff, the bridge of the emulators heeds it.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from fanfold.adapters.google.bus import deliveries
from fanfold.domain.model.errors import BadMessage, ComeBack, LeaseHeld, Transient
from fanfold.logs import JsonLog
from fanfold.messages.topology import topology
from fanfold.ports.bus import Delivery
from fanfold.ports.ledger import DeadLetter
from fanfold.settings import read_settings

if TYPE_CHECKING:
    from fanfold.runtime.parts import Parts

#: What a request is answered: text, status, headers.
HttpAnswer = tuple[str, int, Mapping[str, str]]

#: What a probe of a healthy function is answered.
READY: HttpAnswer = ("ready", 200, {})

#: Acknowledges a message.
DONE: HttpAnswer = ("", 204, {})


def function_parts() -> Parts:
    """Return the parts of a Cloud Run function, from the process's environment; logs on stdout.

    A function calls it at its first event and keeps what it returns while the instance is warm.
    """
    settings = read_settings(os.environ)
    log = JsonLog(sys.stdout, project=settings.project, at_least=settings.log_level)
    if settings.backend == "google":
        from fanfold.runtime.google import google_parts  # noqa: PLC0415 - its libraries

        return google_parts(settings, os.environ, log=log)
    from fanfold.runtime.embedded import embedded_parts  # noqa: PLC0415 - the other backend

    built, _ = embedded_parts(settings, os.environ, log=log)
    return built


class HttpDoor:
    """One function's door. *function* is its name in the topology.

    Importing and making it opens nothing: the parts are built by the first event.
    """

    def __init__(self, function: str) -> None:
        self.function = function
        self._parts: Parts | None = None
        self._building = Lock()

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Return what answers one request; a status below 300 acknowledges.

        The relay's door also takes the callbacks of asynchronous collectors.
        """
        if method in ("GET", "HEAD"):
            return READY
        parts = self.parts()
        if self.function == "collector_relay" and path.startswith("/callback/"):
            return self._take_callback(parts, path, headers, body)
        now = parts.clock.now()
        try:
            delivery = deliveries.decode(headers, body, now=now)
        except BadMessage as exc:
            unread = deliveries.undecodable(headers, body, now=now)
            return self._park(parts, replace(unread, subscription=self.function), str(exc))
        # What is stored and compared are the topology's names, in every environment.
        plain = delivery.subscription.removeprefix(parts.settings.topic_prefix)
        delivery = replace(delivery, subscription=plain)
        try:
            getattr(parts.doors, self.function)(delivery)
        except Transient as exc:
            if _is_last(delivery):
                return self._give_up(parts, delivery, exc)
            return _later(exc, by_task=_is_task(headers))
        except Exception as exc:
            if _is_last(delivery):
                return self._give_up(parts, delivery, exc)
            raise
        return DONE

    def _give_up(self, parts: Parts, delivery: Delivery, why: Exception) -> HttpAnswer:
        """Settle a message that will not be delivered again.

        Here its reason is known; the dead letter that Pub/Sub would make has none. A job that only
        waits is no dead letter: the sweep publishes it again.
        """
        if isinstance(why, LeaseHeld | ComeBack):
            parts.log("NOTICE", f"left to the sweep: {why}", function=self.function)
            return DONE
        reason = f"delivered {delivery.attempt} times, the last time: {why or repr(why)}"
        return self._park(parts, delivery, reason)

    def _take_callback(
        self, parts: Parts, path: str, headers: Mapping[str, str], body: bytes
    ) -> HttpAnswer:
        from fanfold.runtime.callbacks import take_callback  # noqa: PLC0415 - only the relay's door needs it

        lower = {name.lower(): value for name, value in headers.items()}
        status, said = take_callback(parts, path, lower.get("authorization", ""), body)
        return json.dumps(said), status, {"Content-Type": "application/json"}

    def parts(self) -> Parts:
        """Return the parts, built at the first call."""
        if self._parts is None:
            with self._building:
                if self._parts is None:
                    self._parts = function_parts()
        return self._parts

    def _park(self, parts: Parts, delivery: Delivery, why: str) -> HttpAnswer:
        """Keep what nobody can read or work, and acknowledge it."""
        letter = DeadLetter(
            delivery.message_id,
            delivery.subscription,
            why,
            delivery.message.data,
            delivery.message.attributes,
            delivery.published_at,
        )
        try:
            parts.ledger.park(letter)
        except Transient as exc:
            return _later(exc)
        parts.log("ERROR", f"dead letter: {why}", function=self.function)
        return DONE


def _later(why: Transient, *, by_task: bool = False) -> HttpAnswer:
    """Return the answer that brings the message back, with the wait that *why* suggests.

    On a 503 Cloud Tasks slows down its whole queue: right where the store is away, wrong where one
    collector waits for its next attempt. 425 (Too Early) brings back the one task.
    """
    if why.after_s is None:
        return f"try again: {why}", 503, {}
    headers = {"Retry-After": str(math.ceil(why.after_s))}
    return f"try again: {why}", 425 if by_task else 503, headers


def _is_last(delivery: Delivery) -> bool:
    """Return whether the carrier says that it will not deliver this message again."""
    subscription = topology().subscriptions.get(delivery.subscription)
    limit = subscription.max_delivery_attempts if subscription else None
    return delivery.attempt is not None and limit is not None and delivery.attempt >= limit


def _is_task(headers: Mapping[str, str]) -> bool:
    """Return whether a request is one of Cloud Tasks."""
    return any(name.lower() == "x-cloudtasks-taskname" for name in headers)
