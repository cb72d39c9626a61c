"""Cloud Run function ``dispatcher``: one run request in, one run and its jobs out.

This file translates and nothing else: an HTTP request to a delivery, and what happened to an
acknowledgement. The push subscription of run-requests feeds it.
"""

from __future__ import annotations

import functions_framework
from flask import Request

from fanfold.runtime import http_entry

#: Built by the first event and kept while this instance is warm; importing this opens nothing.
door = http_entry.HttpDoor("dispatcher")


@functions_framework.http
def dispatcher(request: Request) -> http_entry.HttpAnswer:
    """Entry point; the infrastructure names it."""
    return door.answer(request.method, request.path, dict(request.headers), request.get_data())
