"""Cloud Run function ``collector_relay``: one job in, one collector invoked, one result out.

This file translates and nothing else: an HTTP request to a delivery, and what happened to an
acknowledgement. The push subscription of collector-jobs feeds it.

The same bundle is deployed a second time with the entry point ``callbacks``, which takes the
answers of asynchronous collectors: a service of its own, so that who may call back can post no job.
"""

from __future__ import annotations

import functions_framework
from flask import Request

from fanfold.runtime.functions import Functions
from fanfold.runtime.http_entry import CallbackEntry, HttpAnswer, HttpEntry

#: Their parts are built by the first POST and kept while this instance is warm.
entry = HttpEntry("collector_relay", Functions.take_job)
callback_entry = CallbackEntry()


@functions_framework.http
def collector_relay(request: Request) -> HttpAnswer:
    """Entry point; the infrastructure names it."""
    return entry.answer(request.method, request.path, dict(request.headers), request.get_data())


@functions_framework.http
def callbacks(request: Request) -> HttpAnswer:
    """Entry point of the service for callbacks; the infrastructure names it."""
    return callback_entry.answer(
        request.method, request.path, dict(request.headers), request.get_data()
    )
