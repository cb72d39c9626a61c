"""A function behind HTTP: decode the delivery, give it to the function, answer 204 or above 299.

Pub/Sub acknowledges on 204 and delivers again on anything above 299, at most as often as the
subscription's dead letter policy says (https://docs.cloud.google.com/pubsub/docs/push). 503 says
that the message may succeed later, 500 that a bug met it. ``Retry-After`` says how long the
function would wait: Pub/Sub goes by its own backoff, the bridge of the emulators heeds it.

403 refuses a delivery of another function's subscription. It is not kept here: a dead letter would
be replayed to a topic that it may never have come from. It is not lost: Pub/Sub delivers it again,
for somebody may correct the address, and in the end forwards it to the dead letters of its own
subscription. Were it acknowledged, a subscription with a wrong address would lose its messages.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from fanfold.adapters.google.bus import deliveries
from fanfold.domain.model.errors import BadMessage, ComeBack, LeaseHeld, Transient, words_of
from fanfold.logs import JsonLog
from fanfold.messages import events
from fanfold.messages.topology import topology
from fanfold.ports.bus import Delivery
from fanfold.ports.ledger import DeadLetter
from fanfold.runtime.functions import Functions
from fanfold.settings import read_settings

if TYPE_CHECKING:
    from fanfold.runtime.parts import Parts
    from fanfold.runtime.refusals import CountedCallbacks

#: What a request is answered: text, status, headers.
HttpAnswer = tuple[str, int, Mapping[str, str]]

#: What a probe of a healthy function is answered.
READY: HttpAnswer = ("ready", 200, {})

#: Acknowledges a message.
DONE: HttpAnswer = ("", 204, {})

#: The methods of a probe; a delivery is a POST.
PROBES = ("GET", "HEAD")


def function_parts() -> Parts:
    """Return the parts of a Cloud Run function, from the process's environment; logs on stdout.

    A function calls it at its first event and keeps what it returns while the instance is warm.
    """
    settings = read_settings(os.environ)
    log = JsonLog(sys.stdout, project=settings.project, at_least=settings.log_level)
    if settings.backend == "google":
        from fanfold.runtime.google import google_parts  # its libraries

        return google_parts(settings, os.environ, log=log)
    from fanfold.runtime.embedded import embedded_parts  # the other backend

    built, _ = embedded_parts(settings, os.environ, log=log)
    return built


class HttpService:
    """Answers HTTP requests, with parts that are built by the first POST and then kept.

    Importing and making it opens nothing.
    """

    def __init__(self) -> None:
        self._parts: Parts | None = None
        self._building = Lock()

    def parts(self) -> Parts:
        """Return the parts, built at the first call."""
        if self._parts is None:
            with self._building:
                if self._parts is None:
                    self._parts = function_parts()
        return self._parts

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Return what answers one request: a probe, or a POST."""
        if method in PROBES:
            return READY
        if method != "POST":
            return f"{method}: only POST is taken here", 405, {"Allow": "GET, HEAD, POST"}
        lower = {name.lower(): value for name, value in headers.items()}
        return self.take(path, lower, body)

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Return what answers a POST of *body*; names of headers are in lower case."""
        raise NotImplementedError


class HttpEntry(HttpService):
    """Takes the deliveries of one function.

    Args:
        name: The function's name in the topology.
        function: What a delivery is given to.
    """

    def __init__(self, name: str, function: Callable[[Functions, Delivery], None]) -> None:
        super().__init__()
        self.name = name
        self.function = function
        self.subscriptions = [each.name for each in topology().fed() if each.function == name]

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Return what answers a delivery; a status below 300 acknowledges it."""
        if path != "/":
            return "nothing here; deliveries are posted to /", 404, {}
        parts = self.parts()
        now = parts.clock.now()
        try:
            delivery = deliveries.decode(headers, body, now=now)
        except BadMessage as exc:
            unread = deliveries.undecodable(headers, body, now=now)
            return self._park(parts, replace(unread, subscription=self.name), str(exc))
        subscription = self._own_subscription(delivery, parts.settings.topic_prefix)
        if subscription is None:
            return self._refuse(parts, delivery)
        delivery = replace(delivery, subscription=subscription)
        try:
            self.function(parts.functions, delivery)
        except Transient as exc:
            if _is_last(delivery):
                return self._give_up(parts, delivery, exc)
            return _later(exc, by_task="x-cloudtasks-taskname" in headers)
        except Exception as exc:
            if _is_last(delivery):
                return self._give_up(parts, delivery, exc)
            raise
        return DONE

    def _own_subscription(self, delivery: Delivery, prefix: str) -> str | None:
        """Return the name in the topology of the subscription that *delivery* came by.

        None if it feeds another function, or belongs to another environment. A delivery that names
        none, such as a CloudEvent that was posted by hand, goes by its type.
        """
        named = delivery.subscription
        if named:
            plain = named.removeprefix(prefix)
            return plain if named.startswith(prefix) and plain in self.subscriptions else None
        topic = events.TOPICS.get(events.event_type(delivery.message) or "")
        by_type = [each.name for each in topology().of_topic(topic)] if topic else []
        for subscription in by_type or self.subscriptions[:1]:
            if subscription in self.subscriptions:
                return subscription
        return None

    def _refuse(self, parts: Parts, delivery: Delivery) -> HttpAnswer:
        came_by = delivery.subscription or str(events.event_type(delivery.message))
        why = f"refused: {came_by[:200]} does not feed {self.name}"
        parts.log(
            "WARNING",
            why,
            function=self.name,
            message_id=delivery.message_id,
            delivery_attempt=delivery.attempt,
            subscription=delivery.subscription,
        )
        return why, 403, {}

    def _give_up(self, parts: Parts, delivery: Delivery, why: Exception) -> HttpAnswer:
        """Settle a message that will not be delivered again.

        Here its reason is known; the dead letter that Pub/Sub would make has none. A job that only
        waits is no dead letter: the sweep publishes it again.
        """
        if isinstance(why, LeaseHeld | ComeBack):
            self._log(parts, delivery, "NOTICE", f"left to the sweep: {why}")
            return DONE
        reason = f"delivered {delivery.attempt} times, the last time: {str(why) or words_of(why)}"
        return self._park(parts, delivery, reason)

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
            self._log(parts, delivery, "NOTICE", f"comes back: {exc}")
            return _later(exc)
        self._log(parts, delivery, "ERROR", f"dead letter: {why}")
        return DONE

    def _log(self, parts: Parts, delivery: Delivery, severity: str, sentence: str) -> None:
        parts.log(
            severity,
            sentence,
            function=self.name,
            message_id=delivery.message_id,
            delivery_attempt=delivery.attempt,
            subscription=delivery.subscription or None,
            traceparent=events.traceparent_in(delivery.message),
        )


class CallbackEntry(HttpService):
    """Takes the answers of asynchronous collectors, at ``/callback/RUN/COLLECTOR``.

    A service of its own: whoever may call back can post no job. Refusals are counted, and told in
    the log without filling it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._counted: CountedCallbacks | None = None

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Return what answers a callback; see :func:`fanfold.runtime.callbacks.take_callback`."""
        # Only this service needs them.
        from fanfold.runtime import callbacks
        from fanfold.runtime.refusals import CountedCallbacks

        parts = self.parts()
        if self._counted is None:
            self._counted = CountedCallbacks(
                lambda path, authorization, body, _: callbacks.take_callback(
                    parts, path, authorization, body
                ),
                parts.log,
            )
        status, result = self._counted(path, headers.get("authorization", ""), body)
        subject = callbacks.CALLBACK_PATH.fullmatch(path)
        if not 400 <= status < 500:
            parts.log(
                {200: "INFO"}.get(status, "NOTICE"),
                str(result.get("result") or f"refused: {result['error']}"),
                function="callbacks",
                http_status=status,
                run_id=subject[1] if subject else None,
                collector=subject[2] if subject else None,
            )
        return json.dumps(result), status, {"Content-Type": "application/json"}


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
    """Return whether this is the last delivery: its attempt is the last that is allowed."""
    limit = topology().subscriptions[delivery.subscription].max_delivery_attempts
    return delivery.attempt is not None and limit is not None and delivery.attempt >= limit
