"""Cloud Run function ``collector_relay``: one job in, one collector invoked, one result out.

This file translates and nothing else: an HTTP request to a delivery, and what happened to an
acknowledgement. The push subscription of collector-jobs feeds it.
"""

from __future__ import annotations

import functions_framework
from flask import Request

from fanfold.runtime import http_entry

#: Built by the first event and kept while this instance is warm; importing this opens nothing.
door = http_entry.HttpDoor("collector_relay")


@functions_framework.http
def collector_relay(request: Request) -> http_entry.HttpAnswer:
    """Entry point; the infrastructure names it."""
    return door.answer(request.method, request.path, dict(request.headers), request.get_data())
