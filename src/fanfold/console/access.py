"""Who may look, and who may act: asked once before each request.

The application knows one object that answers. What is here lets everyone on this machine look, and
nobody act.
"""

from __future__ import annotations

from typing import Protocol

from flask import Request, abort

from fanfold.domain.syntax.urls import is_loopback


class Access(Protocol):
    """Decides about each request before a page sees it."""

    def check(self, request: Request) -> None:
        """Return if *request* may be answered; abort with 401, 403 or a redirect if not."""
        ...


class OnThisMachine:
    """Everyone may look who asks for this machine by its own name; nobody may act.

    The name is compared, too: a page of another site can have its own name resolved to 127.0.0.1,
    and would otherwise read what is shown here.
    """

    def check(self, request: Request) -> None:
        """See :meth:`Access.check`."""
        host = request.host.rpartition(":")[0] if _has_port(request.host) else request.host
        if not is_loopback(host):
            abort(403, "this console answers only to the name of this machine: http://127.0.0.1")
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            abort(403, "nobody may act here")


def _has_port(host: str) -> bool:
    return not host.endswith("]") and ":" in host
