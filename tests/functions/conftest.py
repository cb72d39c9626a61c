"""The three functions as Cloud Run runs them: loaded from their folders, spoken to over HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import functions_framework
import pytest
from flask.testing import FlaskClient
from tests.conftest import MakeWorld
from tests.support import START, World

from fanfold.messages.topology import topology
from fanfold.ports.bus import Message
from fanfold.runtime import http_entry

FUNCTIONS = Path(__file__).parents[2] / "functions"
#: Entry points that stand in another's folder: its bundle is deployed a second time.
FOLDERS = {"callbacks": "collector_relay"}

EVENTARC_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"

#: Delivers a message to the function that its subscription feeds; returns the HTTP statuses.
Deliver = Callable[..., list[int]]

#: Returns the HTTP client of a function.
ClientOf = Callable[[str], FlaskClient]


@pytest.fixture
def world(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world whose parts every function is given."""
    world = make_world()
    monkeypatch.setattr(http_entry, "function_parts", lambda: world.parts)
    return world


@pytest.fixture
def client_of(world: World) -> ClientOf:
    clients: dict[str, FlaskClient] = {}

    def client_of(function: str) -> FlaskClient:
        if function not in clients:
            source = FUNCTIONS / FOLDERS.get(function, function) / "main.py"
            app = functions_framework.create_app(function, str(source))  # type: ignore[no-untyped-call]
            clients[function] = app.test_client()
        return clients[function]

    return client_of


def wrapped(message: Message, subscription: str, **more: Any) -> dict[str, Any]:
    """Return the body of a wrapped push."""
    return {
        "message": {
            "data": base64.b64encode(message.data).decode(),
            "attributes": dict(message.attributes),
            "messageId": f"id-{subscription}",
            "publishTime": START.isoformat(),
        },
        "subscription": f"projects/p/subscriptions/{subscription}",
        **more,
    }


def request_of(message: Message, subscription: str, shape: str) -> tuple[Mapping[str, str], bytes]:
    """Return headers and body of *message* in one of the three shapes."""
    if shape == "unwrapped":
        return {
            "X-Goog-Pubsub-Message-Id": f"id-{subscription}",
            "X-Goog-Pubsub-Publish-Time": START.isoformat(),
            "X-Goog-Pubsub-Subscription-Name": f"projects/p/subscriptions/{subscription}",
            **message.attributes,
        }, message.data
    headers = {"Content-Type": "application/json"}
    if shape == "eventarc":
        headers |= {
            "ce-specversion": "1.0",
            "ce-type": EVENTARC_TYPE,
            "ce-id": f"id-{subscription}",
            "ce-source": "//pubsub.googleapis.com/projects/p/topics/t",
        }
    attempt = {"deliveryAttempt": 1} if shape == "wrapped" else {}
    return headers, json.dumps(wrapped(message, subscription, **attempt)).encode()


@pytest.fixture
def deliver(client_of: ClientOf) -> Deliver:
    def post(
        message: Message, subscription: str, *, shape: str = "wrapped", times: int = 2
    ) -> list[int]:
        function = topology().subscriptions[subscription].function
        headers, body = request_of(message, subscription, shape)
        client = client_of(str(function))
        return [client.post("/", headers=headers, data=body).status_code for _ in range(times)]

    return post
