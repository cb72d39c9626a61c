"""The style sheet and the script, under names that change with their content."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

from flask import Blueprint, Response, abort, make_response

blueprint = Blueprint("assets", __name__)

#: File name, content type and where the content comes from. The report's style sheet is the
#: console's, too: what only the console has follows it.
_ASSETS = {
    "fanfold.css": (
        "text/css; charset=utf-8",
        (("fanfold.rendering", "page.css"), ("fanfold.console", "console.css")),
    ),
    "fanfold.js": ("text/javascript; charset=utf-8", (("fanfold.console", "fanfold.js"),)),
}

#: A name means the same bytes for ever.
_FOR_EVER = "public, max-age=31536000, immutable"


@cache
def _content(name: str) -> bytes:
    parts = (resources.files(package).joinpath(file) for package, file in _ASSETS[name][1])
    return b"\n".join(part.read_bytes() for part in parts)


@cache
def asset_url(name: str) -> str:
    """Return the path of the asset *name*, with the hash of its content."""
    return f"/assets/{hashlib.sha256(_content(name)).hexdigest()[:12]}/{name}"


@blueprint.get("/assets/<digest>/<name>")
def asset(digest: str, name: str) -> Response:
    """Return an asset; one of another version is there no more."""
    if name not in _ASSETS or asset_url(name) != f"/assets/{digest}/{name}":
        abort(404, "there is no such file: reload the page")
    response = make_response(_content(name))
    response.headers["Content-Type"] = _ASSETS[name][0]
    response.headers["Cache-Control"] = _FOR_EVER
    return response
