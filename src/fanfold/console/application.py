"""The console's WSGI application: its pages, put together, and what holds for every answer.

* ``pages/`` answer GET, a blueprint each; ``actions/`` answer POST.
* One access object is asked before each request (:mod:`fanfold.console.access`).
* No page has a style or a script of its own: both come from their own paths, and the content
  security policy allows nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, jsonify, make_response, render_template, request
from jinja2 import ChoiceLoader, PackageLoader
from werkzeug.exceptions import HTTPException

from fanfold import __version__
from fanfold.console.access import Access
from fanfold.console.actions import ACTIONS
from fanfold.console.errors import NotHere
from fanfold.console.pages import PAGES
from fanfold.console.pages.assets import asset_url
from fanfold.console.site import Site, site
from fanfold.domain.model.errors import Transient
from fanfold.domain.syntax.text import count, one_line, plural
from fanfold.rendering.page import breakable
from fanfold.runtime.parts import Parts
from fanfold.views.slots import KeptSlots, SlotsRead

#: What a browser may load and do on a page.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


class _Console(Flask):
    """Flask, with every template escaped whatever its name ends in."""

    def select_jinja_autoescape(self, filename: str | None) -> bool:
        """Return True."""
        del filename
        return True


def make_application(
    parts: Parts,
    access: Access,
    *,
    place: str,
    slots: Callable[[], SlotsRead] | None = None,
) -> Flask:
    """Return the console on *parts*; no request is answered before *access* agreed.

    Args:
        parts: Of either backend.
        access: See :mod:`fanfold.console.access`.
        place: What is looked at: the database file, or the project on Google Cloud.
        slots: Returns what can be read of the configuration now. If absent, the file of the
            settings is read, and again when it changed: one that is wrong is shown as wrong.
    """
    app = _Console("fanfold.console", template_folder="templates", static_folder=None)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.jinja_loader = ChoiceLoader(
        [PackageLoader("fanfold.console"), PackageLoader("fanfold.rendering", "")]
    )
    app.jinja_env.filters.update(breakable=breakable, count=count, one_line=one_line)
    app.jinja_env.globals.update(
        asset=asset_url, version=__version__, plural=plural, form_word=access.form_word
    )
    slots = slots or KeptSlots(parts.settings.config, parts.env)
    app.extensions["fanfold"] = Site(parts, slots, access, place)
    for blueprint in (*PAGES, *ACTIONS):
        app.register_blueprint(blueprint)
    app.before_request(_check)
    app.after_request(_with_headers)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Transient, _unavailable)
    app.register_error_handler(Exception, _broken)
    return app


def _check() -> None:
    site().access.check(request)


def _with_headers(response: Response) -> Response:
    for name, text in _HEADERS.items():
        response.headers.setdefault(name, text)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _refused(exc: HTTPException) -> Response:
    """Return the page of an error that the request is to blame for."""
    if exc.response is not None or exc.code is None or exc.code < 400:
        return make_response(exc.get_response())
    near = exc.near if isinstance(exc, NotHere) else ()
    titles = {
        401: "Sign in",
        403: "Not allowed",
        404: "Not found",
        405: "Not possible here",
        409: "Nothing was done",
    }
    title = titles.get(exc.code, exc.name)
    sentence = exc.description or exc.name
    if exc.code == 404 and sentence == type(exc).description:
        sentence = f"there is no page {one_line(request.path, 200)}"
    answer = _error(exc.code, title, sentence, near)
    answer.headers.extend(
        (name, text) for name, text in exc.get_headers() if name in ("Retry-After", "Allow")
    )
    return answer


def _unavailable(exc: Transient) -> Response:
    """Return the page of an error that passes: the database is busy, or cannot be reached."""
    site().parts.log("WARNING", f"console: {exc}", path=request.path)
    return _error(503, "Not available now", str(exc))


def _broken(exc: Exception) -> Response:
    """Return the page of a bug, which the log has in full."""
    site().parts.log("ERROR", f"console: {type(exc).__name__}: {exc}", path=request.path)
    sentence = f"this page could not be made, which is a bug of fanfold ({type(exc).__name__})"
    return _error(500, "Not made", sentence)


def _error(
    code: int, title: str, sentence: str, near: tuple[tuple[str, str], ...] = ()
) -> Response:
    sentence = one_line(sentence, 1000)
    if request.path.startswith("/api/"):
        answer = jsonify({"error": sentence, "near": [label for label, _ in near]})
        return make_response(answer, code)
    page = render_template("error.html.j2", code=code, title=title, sentence=sentence, near=near)
    return make_response(page, code)
