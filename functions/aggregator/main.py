"""Cloud Run function ``aggregator``: one result in, one report when it was the last; or a sweep.

This file translates and nothing else: an HTTP request to a delivery, and what happened to an
acknowledgement. The push subscriptions of collector-results and sweep-ticks feed it.
"""

from __future__ import annotations

import functions_framework
from flask import Request

from fanfold.runtime.functions import Functions
from fanfold.runtime.http_entry import HttpAnswer, HttpEntry

#: Its parts are built by the first delivery and kept while this instance is warm.
entry = HttpEntry("aggregator", Functions.take_result)


@functions_framework.http
def aggregator(request: Request) -> HttpAnswer:
    """Entry point; the infrastructure names it."""
    return entry.answer(request.method, request.path, dict(request.headers), request.get_data())
