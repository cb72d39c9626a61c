"""The hello world of :mod:`bench.cold_start`: a function that does the least with the same clients.

Its first event imports the modules that ``HELLO_IMPORTS`` names, reads a document and writes one,
and publishes a message and calls a collector where it has the clients for that.
"""

from __future__ import annotations

import json
import os
import time
from importlib import import_module
from typing import Any

import functions_framework
from flask import Request


@functions_framework.http
def hello(request: Request) -> Any:
    """Entry point: answer a probe, and handle an event."""
    if request.method == "POST":
        _handle(request)
    return "hello\n", 200, {}


def _handle(request: Request) -> None:
    json.loads(request.get_data())
    loaded = {name: import_module(name) for name in os.environ["HELLO_IMPORTS"].split(",")}
    project = os.environ["GOOGLE_CLOUD_PROJECT"]
    document = loaded["google.cloud.firestore"].Client(project).document("hello/world")
    document.get(retry=None, timeout=10)
    document.set({"at": time.time()}, retry=None, timeout=10)
    if "pycurl" in loaded:
        _call(loaded["pycurl"], os.environ["HELLO_COLLECTOR"])
    if "google.pubsub_v1" in loaded:
        _publish(loaded["google.pubsub_v1"], f"projects/{project}/topics/collector-results")


def _call(pycurl: Any, url: str) -> None:
    call = pycurl.Curl()
    call.setopt(pycurl.URL, url)
    call.setopt(pycurl.POSTFIELDS, "{}")
    call.setopt(pycurl.WRITEFUNCTION, lambda _: None)
    call.perform()
    call.close()


def _publish(pubsub: Any, topic: str) -> None:
    import grpc  # the client has it loaded

    transport = pubsub.PublisherClient.get_transport_class("grpc")
    channel = grpc.insecure_channel(os.environ["PUBSUB_EMULATOR_HOST"])
    client = pubsub.PublisherClient(transport=transport(channel=channel))
    message = {"data": b"{}"}
    client.publish(request={"topic": topic, "messages": [message]}, retry=None, timeout=10)
