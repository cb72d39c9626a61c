"""The delivery bridge: takes messages from an emulator and posts them as Pub/Sub's push would.

The emulator's own push has two requests in flight for each subscription, whatever is set, and
leaves ``deliveryAttempt`` out: 200 collectors of one second would take 100 s. The bridge holds a
stream to each subscription that feeds a function, posts in production's shape with as many
requests at a time as the function allows, and acknowledges on the answers that Pub/Sub counts as
an acknowledgement. Anything else comes back after the subscription's backoff, or after what
``Retry-After`` asks, by an ack deadline of that length: the emulator keeps count of the deliveries
and makes the dead letters. On Google Cloud there is no bridge.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from google.api_core import exceptions

from fanfold.adapters.google.bus import channels
from fanfold.devstack import push_requests
from fanfold.devstack.push_gate import PushGate
from fanfold.devstack.stream import Received, SubscriptionStream
from fanfold.domain.rules.backoff import backoff_s
from fanfold.domain.rules.push import Assumptions
from fanfold.messages.topology import Subscription, Topology, topology

#: The statuses by which a push endpoint acknowledges.
ACKNOWLEDGE = frozenset({102, 200, 201, 202, 204})

#: Lease of a message in hand, in seconds: short, for what a dead bridge held comes back after it.
LEASE_S = 60

#: How often the leases are renewed, in seconds.
RENEW_EVERY_S = 15.0

#: Longest wait that an ack deadline can hold, in seconds.
MAX_WAIT_S = 600

#: Bound of the first wait where nobody answered at all, in seconds: a function that is restarting.
NOBODY_BASE_S = 1.0

#: What Cloud Run answers where it has no place.
NO_PLACE = 429

#: Most messages of a subscription that wait at its gate or are worked on.
MOST_AT_THE_GATE = 500

#: Longest wait for a call that settles messages, in seconds.
SETTLE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class BridgeRoute:
    """Where a function listens, and how many deliveries it takes at a time."""

    url: str
    concurrency: int


class Bridge:
    """Delivers from :meth:`start` to :meth:`stop`.

    Args:
        project: The emulator's project.
        prefix: Before every subscription.
        routes: By the function's name; a subscription without a route is left alone.
        shape: Makes the request of a delivery; see :mod:`fanfold.devstack.push_requests`.
        chosen: The topology; the one that ships with fanfold if absent.
        push: Deliver as Google Cloud may, and not as fast as the functions take it; see
            :mod:`fanfold.devstack.push_gate`.
        on_trouble: Told in a sentence what the bridge could not do.
    """

    def __init__(
        self,
        project: str,
        prefix: str,
        routes: Mapping[str, BridgeRoute],
        *,
        shape: push_requests.Shape = push_requests.wrapped,
        chosen: Topology | None = None,
        push: Assumptions | None = None,
        on_trouble: Callable[[str], None],
    ) -> None:
        self.on_trouble = on_trouble
        self.push = push
        self._client = channels.subscriber_client()
        self._stopping = threading.Event()
        self._gates: list[PushGate] = []
        self._streams = [
            self._stream(
                push_requests.PushSource(
                    f"projects/{project}/topics/{prefix}{each.topic}",
                    f"projects/{project}/subscriptions/{prefix}{each.name}",
                ),
                each,
                route,
                shape,
            )
            for each in (chosen or topology()).fed()
            if (route := routes.get(each.function or "")) is not None
        ]
        self._renewing = threading.Thread(
            target=self._renew_until_stopped, name="bridge-renew", daemon=True
        )

    def start(self) -> None:
        """Begin to deliver."""
        for stream in self._streams:
            stream.start()
        self._renewing.start()

    def stop(self, grace_s: float = 2.0) -> None:
        """Take no new message, wait up to *grace_s* seconds for those in hand, release the rest."""
        self._stopping.set()
        for gate in self._gates:
            gate.close()
        for stream in self._streams:
            stream.close()
        for stream in self._streams:
            self._settle(stream.path, stream.drain(grace_s), wait_s=0)
        self._renewing.join(timeout=SETTLE_TIMEOUT_S)

    def _stream(
        self,
        source: push_requests.PushSource,
        subscription: Subscription,
        route: BridgeRoute,
        shape: push_requests.Shape,
    ) -> SubscriptionStream:
        path = source.subscription
        places = route.concurrency
        post = push_requests.Poster(route.url, places, subscription.ack_deadline_s)

        def deliver(received: Received) -> int | None:
            answer = post(shape(source, received))
            if answer.status in ACKNOWLEDGE:
                return None
            return _wait_s(subscription, received.delivery_attempt, answer)

        def deliver_as_google_may(assumed: Assumptions) -> Callable[[Received], int | None]:
            gate = PushGate(assumed, places)
            self._gates.append(gate)
            return partial(through, gate)

        def through(gate: PushGate, received: Received) -> int | None:
            with gate.request() as has_place:
                if has_place:
                    wait_s = deliver(received)
                else:
                    refusal = push_requests.PushAnswer(NO_PLACE)
                    wait_s = _wait_s(subscription, received.delivery_attempt, refusal)
            if wait_s is None:
                gate.acknowledged()
            else:
                gate.refused()
            return wait_s

        def settle(ack_ids: Sequence[str], wait_s: int | None) -> None:
            self._settle(path, ack_ids, wait_s=wait_s)

        return SubscriptionStream(
            self._client,
            path,
            deliver if self.push is None else deliver_as_google_may(self.push),
            settle,
            concurrency=places if self.push is None else MOST_AT_THE_GATE,
            lease_s=LEASE_S,
            on_trouble=self.on_trouble,
        )

    def _settle(self, path: str, ack_ids: Sequence[str], *, wait_s: int | None) -> None:
        """Acknowledge *ack_ids* (*wait_s* None), or have them come back after *wait_s* seconds."""
        if not ack_ids:
            return
        request: dict[str, Any] = {"subscription": path, "ack_ids": list(ack_ids)}
        call = self._client.acknowledge
        if wait_s is not None:
            request["ack_deadline_seconds"] = wait_s
            call = self._client.modify_ack_deadline
        try:
            call(request=request, retry=None, timeout=SETTLE_TIMEOUT_S)
        except exceptions.GoogleAPICallError as exc:
            # The lease runs out by itself, and the message is delivered again.
            if not self._stopping.is_set():
                self.on_trouble(f"{path}: {type(exc).__name__} while settling; it comes back")

    def _renew_until_stopped(self) -> None:
        while not self._stopping.wait(RENEW_EVERY_S):
            for stream in self._streams:
                self._settle(stream.path, stream.in_hand(), wait_s=LEASE_S)


def _wait_s(subscription: Subscription, attempt: int, answer: push_requests.PushAnswer) -> int:
    """Return the wait before the next delivery, in whole seconds."""
    if answer.retry_after_s is not None:
        return min(math.ceil(answer.retry_after_s), MAX_WAIT_S)
    least_s = subscription.min_backoff_s
    if answer.status is None:
        least_s = min(least_s, NOBODY_BASE_S)
    bound_s = backoff_s(
        max(attempt, 1),
        base_s=least_s,
        cap_s=max(subscription.max_backoff_s, least_s),
        jitter=random.uniform(0.5, 0.999),  # noqa: S311 - spreads deliveries, keeps no secret
    )
    return min(math.ceil(bound_s), MAX_WAIT_S)
