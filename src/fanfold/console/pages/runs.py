"""``/runs/RUN``: one run, as its report shows it."""

from __future__ import annotations

from flask import Blueprint, abort, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from fanfold.console.errors import NotHere
from fanfold.console.shown.frame import frame
from fanfold.console.shown.live import strip_of
from fanfold.console.site import site
from fanfold.domain.model.run import Run
from fanfold.domain.model.states import RunStatus
from fanfold.domain.model.unreadable import UnreadableRun
from fanfold.domain.syntax.text import one_line
from fanfold.ports.ledger import Ledger
from fanfold.rendering.page import page_values, to_html
from fanfold.views.find import MOST_LISTED, NoSuchRun, find_run, retry_of
from fanfold.views.reports import report_now

blueprint = Blueprint("runs", __name__)


@blueprint.get("/runs/<text>")
def run(text: str) -> str | Response:
    """Return the page of a run; the start of an id and ``latest`` lead to it."""
    found = found_run(text)
    if found.run_id != text:
        return redirect(url_for("runs.run", text=found.run_id))
    here = site()
    ledger, now = here.parts.ledger, here.parts.clock.now()
    report = report_now(found, ledger, now)
    catalogue = here.slots().catalogue
    concurrency = catalogue.max_concurrent_collectors if catalogue else None
    return render_template(
        "run.html.j2",
        acts=acts_of(found),
        strip=strip_of(report, concurrency) if found.verdict is None else None,
        chain=_chain(ledger, found),
        **page_values(report),
        **frame("runs"),
    )


@blueprint.get("/runs/<text>/report.html")
def report_page(text: str) -> Response:
    """Return the report of a run as the one file that it is stored as."""
    report = report_now(found_run(text), site().parts.ledger, site().parts.clock.now())
    response = make_response(to_html(report).encode("utf-8", "replace"))
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    # The page brings its own policy, which allows its style by its hash.
    response.headers["Content-Security-Policy"] = "frame-ancestors 'none'; script-src 'none'"
    return response


def found_run(text: str) -> Run:
    """Return the run that *text* names.

    Raises:
        NotHere: None, or several.
    """
    try:
        found = find_run(site().parts.ledger, text)
    except NoSuchRun as exc:
        paths = [
            (f"{each.run_id}: {each.status.value}", url_for("runs.run", text=each.run_id))
            for each in exc.near[:MOST_LISTED]
        ]
        raise NotHere(exc.sentence, paths) from exc
    if isinstance(found, UnreadableRun):
        abort(503, f"run {one_line(found.run_id, 100)}: {found.why}")
    return found


def _chain(ledger: Ledger, found: Run) -> list[tuple[str, str, str, str, str]]:
    """Return the runs before and after *found* in its chain: sign, class, words, id, sentence."""
    chain = []
    if found.retry_of is not None:
        chain.append(("retry", "", "A retry of", found.retry_of, ""))
    if found.verdict is not None and not found.is_notice:
        following = retry_of(ledger, found)
        if following is not None:
            css = {"succeeded": "good", "failed": "poor"}.get(following.status.value, "")
            about = one_line(following.about or following.status.value, 300)
            words = "The outcome of this run stays as it is; it was retried in"
            chain.append(("retry", css, words, following.run_id, about))
    return chain


def acts_of(run: Run) -> list[tuple[str, str, str]]:
    """Return what can be done with *run* now: label, path of the page that asks first, class."""
    if run.is_notice:
        return []
    if run.verdict is None:
        return [
            ("Cancel the run…", url_for("acts_on_runs.ask_to_cancel", text=run.run_id), "danger")
        ]
    if run.verdict is RunStatus.SUCCEEDED:
        return []
    return [("Retry…", url_for("acts_on_runs.ask_to_retry", text=run.run_id), "main")]
