"""Cloud Run function ``console``: the pages, behind IAM or IAP, for whom these let in.

This file translates and nothing else. Nothing feeds it: people and programs call it.
"""

from __future__ import annotations

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from fanfold.console.google_entry import ConsoleEntry

#: Its parts are built by the first request and kept while this instance is warm.
entry = ConsoleEntry()


@functions_framework.http
def console(request: Request) -> Response:
    """Entry point; the infrastructure names it."""
    return entry.answer(request)
