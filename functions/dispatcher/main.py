"""Cloud Run function ``dispatcher``: one run request in, one run and its jobs out.

This file translates and nothing else: an HTTP request to a delivery, and what happened to an
acknowledgement. The push subscription of run-requests feeds it.
"""

from __future__ import annotations

import functions_framework
from flask import Request

from fanfold.runtime.functions import Functions
from fanfold.runtime.http_entry import HttpAnswer, HttpEntry

#: Its parts are built by the first delivery and kept while this instance is warm.
entry = HttpEntry("dispatcher", Functions.take_request)


@functions_framework.http
def dispatcher(request: Request) -> HttpAnswer:
    """Entry point; the infrastructure names it."""
    return entry.answer(request.method, request.path, dict(request.headers), request.get_data())
