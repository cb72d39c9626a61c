"""Whether the topics and subscriptions of the topology are there: what ``fanfold doctor`` asks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from google.auth import exceptions as auth

from fanfold.adapters.google import errors
from fanfold.adapters.google.bus import channels
from fanfold.domain.model.errors import FanfoldError, NotConfigured
from fanfold.messages.topology import topology

#: Longest wait for one call, in seconds.
CALL_TIMEOUT_S = 10.0


def inventory(project: str, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Give of each topic and subscription its kind, its name, and what is wrong with it.

    ``topic`` or ``subscription`` is the kind. What is wrong says the command that mends it; it is
    empty where nothing is. Asking changes nothing.

    Raises:
        NotConfigured: There are no credentials.
        BusUnavailable: Pub/Sub is not reached, so no look would tell more.
    """
    try:
        publisher, subscriber = channels.publisher_client(), channels.subscriber_client()
    except (auth.GoogleAuthError, OSError) as exc:
        raise NotConfigured(f"no way into Pub/Sub: {exc}") from exc
    chosen = topology()
    wanted = [("topic", name) for name in chosen.topics]
    wanted += [("subscription", name) for name in chosen.subscriptions]
    for kind, name in wanted:
        is_topic = kind == "topic"
        path = f"projects/{project}/{kind}s/{prefix}{name}"
        look = partial(
            publisher.get_topic if is_topic else subscriber.get_subscription,
            request={kind: path},
            retry=None,
            timeout=CALL_TIMEOUT_S,
        )
        service = errors.TOPIC if is_topic else errors.SUBSCRIPTION
        problem = ""
        try:
            errors.call(
                service, f"looking at {path}", look, {"project": project, "name": f"{prefix}{name}"}
            )
        except FanfoldError as exc:
            if isinstance(exc.__cause__, Exception) and errors.is_passing(exc.__cause__):
                raise
            problem = str(exc)
        yield kind, f"{prefix}{name}", problem
