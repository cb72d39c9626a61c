"""``/sign-in``: a session for the token; ``/sign-out`` ends it in this browser."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, abort, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from fanfold.console.access import WithToken
from fanfold.console.actions.answers import own_path
from fanfold.console.sessions import COOKIE, LASTS
from fanfold.console.shown.frame import clock_words
from fanfold.console.site import site

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
def form() -> str:
    """Return the form."""
    _with_token()
    return _page(own_path(request.args.get("next", "/")))


@blueprint.post("/sign-in")
def sign_in() -> Response:
    """Begin a session for the right token, and lead on; show the form again for a wrong one."""
    following = own_path(request.form.get("next", "/"))
    session = _with_token().sign_in(request.form.get("token", "").strip())
    if session is None:
        return make_response(_page(following, wrong="this is not the token"), 401)
    answer = redirect(following, 303)
    answer.set_cookie(
        COOKIE,
        session,
        max_age=LASTS,
        # A proxy may speak https in front: the browser says how it asked.
        secure=request.is_secure or urlsplit(request.headers.get("Origin", "")).scheme == "https",
        httponly=True,
        samesite="Strict",
        path="/",
    )
    return answer


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the session in this browser."""
    answer = redirect("/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return answer


def _page(following: str, *, wrong: str = "") -> str:
    """Return the form; a stranger is told the time and nothing of what is stored."""
    return render_template(
        "sign_in.html.j2",
        title="Sign in",
        here="",
        clock=clock_words(),
        next=following,
        wrong=wrong,
    )


def _with_token() -> WithToken:
    access = site().access
    if not isinstance(access, WithToken):
        abort(404)
    return access
