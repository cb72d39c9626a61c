"""What actions answer: the way back to a page, or a page that asks first."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from fanfold.console.doing import Done, appears
from fanfold.console.shown.frame import frame


def to_run(done: Done) -> Response:
    """Return the way to the run that came of an action, or home where it is not there yet."""
    if done.run_id is not None and appears(done.run_id):
        return redirect(url_for("runs.run", text=done.run_id), 303)
    return redirect(url_for("home.home"), 303)


def back() -> Response:
    """Return the way back to the page whose form this was, as far as it says so itself."""
    return redirect(own_path(request.form.get("next", "")), 303)


def own_path(path: str) -> str:
    """Return *path* if it is one of this console; home if it leads elsewhere."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_own else "/"


def form_page(template: str, title: str, **values: object) -> str:
    """Return the page of a form."""
    return render_template(template, title=title, **frame(""), **values)
