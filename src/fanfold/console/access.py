"""Who may look, and who may act: asked once before each request.

The application knows one object that answers. With a token everybody may who knows it: in the
header ``Authorization: Bearer``, or by a session that the sign-in form began. Where the console
listens on a loopback address and ``console.open`` is true, whoever can reach it may.

Of what a browser sends by itself nothing is believed: the name by which it asks must be one of
ours, for another site can have its own name resolved to this machine; and what changes something
must come from a form of a page of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from flask import Request, abort, g, redirect, request
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from fanfold.console.attempts import Attempts
from fanfold.console.sessions import COOKIE, Sessions, is_token
from fanfold.domain.model.console_rules import ConsoleRules
from fanfold.domain.syntax.text import one_line
from fanfold.domain.syntax.urls import is_loopback
from fanfold.ports.outside import Clock

#: The field of a form that brings the session's word.
WORD = "word"

#: Methods that change nothing.
SAFE = ("GET", "HEAD", "OPTIONS")

#: What answers without a session: the style sheet, the script, and the form itself.
PUBLIC = ("/assets/", "/sign-in")

#: The session of a console that is open to everybody on this machine.
OPEN = "open"

FROM_ANOTHER_SITE = "this form came from another site: nothing was done"

#: Who asks, where nobody says.
SOMEBODY = "the console"


class Access(Protocol):
    """Decides about each request before a page sees it."""

    def check(self, request: Request) -> None:
        """Return if *request* may be answered; abort with 401, 403 or a redirect if not."""
        ...

    def form_word(self) -> str:
        """Return what the forms of the page that is being made must bring back."""
        ...

    def who(self) -> str:
        """Return who asks, for people: it is written into the reason of what they do."""
        ...


class WithToken:
    """Whoever knows the token may look and act. See the module.

    Args:
        token: Returns the token that holds now.
        rules: Returns what the configuration says now.
        listens_on: The address on which the console listens.
        clock: Ends sessions.
        attempts: Counts wrong tokens.
    """

    def __init__(
        self,
        token: Callable[[], str],
        rules: Callable[[], ConsoleRules],
        *,
        listens_on: str,
        clock: Clock,
        attempts: Attempts,
    ) -> None:
        self._token = token
        self._rules = rules
        self._listens_on = listens_on
        self._clock = clock
        self._attempts = attempts

    @property
    def is_open(self) -> bool:
        """Whether nobody needs the token."""
        return self._rules().open and is_loopback(self._listens_on)

    def check(self, request: Request) -> None:
        """See :meth:`Access.check`."""
        require_own_name(request, self._rules().hosts)
        bearer = _bearer(request.headers.get("Authorization", ""))
        if bearer is not None:
            if not self._is_right(bearer):
                abort(401, "this is not the token; fanfold console token prints it")
            g.fanfold_session = None
            return  # a browser sends no such header by itself: no other site can have made it
        g.fanfold_session = self._session(request)
        if request.method not in SAFE:
            require_own_page(request)
        if request.path.startswith(PUBLIC):
            return
        if g.fanfold_session is None:
            _refuse(request)
        elif request.method not in SAFE:
            self._require_word(request)

    def form_word(self) -> str:
        """See :meth:`Access.form_word`."""
        session = g.get("fanfold_session")
        return "" if session is None else Sessions(self._token()).form_word(session)

    def who(self) -> str:
        """See :meth:`Access.who`: ``X-Forwarded-Email``, of a proxy that is trusted."""
        email = request.headers.get("X-Forwarded-Email", "")
        if email and _is_trusted(request.remote_addr or "", self._rules().trusted_proxies):
            return one_line(email, 200)
        return SOMEBODY

    def has_token(self, authorization: str) -> bool:
        """Return whether a header ``Authorization`` brings the token."""
        given = _bearer(authorization)
        return given is not None and is_token(self._token(), given)

    def sign_in(self, given: str) -> str | None:
        """Return a new session for the right token; None for a wrong one.

        Raises:
            TooManyRequests: There were too many wrong ones of late, and this is one more.
        """
        if self._is_right(given):
            return Sessions(self._token()).begin(self._clock.now())
        return None

    def _is_right(self, given: str) -> bool:
        """Return whether *given* is the token; count it, and slow it down, if it is not."""
        if is_token(self._token(), given):
            return True
        if self._attempts.failed(request.remote_addr or ""):
            raise TooManyRequests("too many wrong tokens; try again in a minute", retry_after=60)
        return False

    def _session(self, request: Request) -> str | None:
        if self.is_open:
            return OPEN
        session = request.cookies.get(COOKIE, "")
        is_valid = Sessions(self._token()).is_valid(session, self._clock.now())
        return session if is_valid else None

    def _require_word(self, request: Request) -> None:
        if not Sessions(self._token()).is_form_word(g.fanfold_session, request.form.get(WORD, "")):
            abort(403, "this form is of an older session, or of another page: load the page again")


def require_own_name(request: Request, hosts: tuple[str, ...]) -> None:
    """Return if the request asks for this machine by an address, ``localhost`` or one of *hosts*.

    Another site can have a name of its own resolved to this machine, and never an address.
    """
    place = request.host.lower()
    name = place if place.endswith("]") else place.rpartition(":")[0] or place
    if is_loopback(name) or name in hosts or place in hosts:
        return
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        shown = one_line(name, 100)
        sentence = f"this console is not called {shown!r}: name it in console.hosts"
        abort(403, sentence)


def require_own_page(request: Request) -> None:
    """Return if what changes something comes from a page of ours, as far as the browser says."""
    require_same_site(request)
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
        abort(403, FROM_ANOTHER_SITE)


def require_same_site(request: Request) -> None:
    """Return if the browser does not say that another site sends this."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403, FROM_ANOTHER_SITE)


def _bearer(authorization: str) -> str | None:
    scheme, _, given = authorization.partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def _refuse(request: Request) -> None:
    """Send a browser to the sign-in form, and tell everybody else that a token is needed."""
    is_page = "text/html" in request.headers.get("Accept", "") and "/api/" not in request.path
    if is_page and request.method in ("GET", "HEAD"):
        path = request.full_path if request.query_string else request.path
        answer: Response = redirect(f"/sign-in?{urlencode({'next': path})}", 303)
        abort(answer)
    abort(401, "send the token as Authorization: Bearer; fanfold console token prints it")


def _is_trusted(peer: str, networks: tuple[str, ...]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return any(address in ip_network(each) for each in networks)
