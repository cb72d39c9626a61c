"""The console as a Cloud Run function: the application, built by the first request."""

from __future__ import annotations

import os
from threading import Lock

from flask import Flask, Request
from werkzeug.wrappers import Response

from fanfold.console.application import make_application
from fanfold.console.behind_google import BehindGoogle
from fanfold.runtime import http_entry


class ConsoleEntry:
    """Answers requests with the console. Importing and making it opens nothing."""

    def __init__(self) -> None:
        self._app: Flask | None = None
        self._building = Lock()

    def application(self) -> Flask:
        """Return the application, built at the first call."""
        if self._app is None:
            with self._building:
                if self._app is None:
                    parts = http_entry.function_parts()
                    place = f"project {parts.settings.project} on Google Cloud"
                    self._app = make_application(parts, BehindGoogle(os.environ), place=place)
        return self._app

    def answer(self, request: Request) -> Response:
        """Return what the application answers to *request*."""
        return Response.from_app(self.application(), request.environ)
