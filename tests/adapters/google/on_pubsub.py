"""Fixtures of the tests that need the Pub/Sub emulator: a project of its own for each test."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.emulators import emulator

from fanfold.adapters.google.bus import channels


@pytest.fixture(scope="session")
def pubsub_host(shared_folder: Path) -> Iterator[str]:
    with emulator("pubsub", shared_folder) as host:
        yield host


@pytest.fixture
def project(pubsub_host: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a project that nobody used, on the emulator that the clients now find."""
    monkeypatch.setenv(channels.EMULATOR, pubsub_host)
    return f"demo-{uuid.uuid4().hex[:12]}"


def take(project: str, subscription: str) -> Sequence[Any]:
    """Return what *subscription*, by its full name, has now, and acknowledge it.

    At once: a pull that waits goes on taking messages after its client gave up.
    """
    subscriber = channels.subscriber_client()
    path = f"projects/{project}/subscriptions/{subscription}"
    request = {"subscription": path, "max_messages": 1000, "return_immediately": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        received: Sequence[Any] = subscriber.pull(
            request=request, retry=None, timeout=10
        ).received_messages
    if received:
        ack_ids = [each.ack_id for each in received]
        subscriber.acknowledge(request={"subscription": path, "ack_ids": ack_ids})
    return received
