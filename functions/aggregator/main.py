"""Cloud Run function ``aggregator``: one result in, one report when it was the last; or a sweep.

This file translates and nothing else: an HTTP request to a delivery, and what happened to an
acknowledgement. The push subscriptions of collector-results and sweep-ticks feed it.
"""

from __future__ import annotations

import functions_framework
from flask import Request

from fanfold.runtime import http_entry

#: Built by the first event and kept while this instance is warm; importing this opens nothing.
door = http_entry.HttpDoor("aggregator")


@functions_framework.http
def aggregator(request: Request) -> http_entry.HttpAnswer:
    """Entry point; the infrastructure names it."""
    return door.answer(request.method, request.path, dict(request.headers), request.get_data())
