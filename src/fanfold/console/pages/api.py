"""``/api/v1``: what the pages show, as JSON. :mod:`fanfold.console.openapi` describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, make_response, request

from fanfold.console.changes import changes
from fanfold.console.openapi import document as openapi_document
from fanfold.console.pages.collectors import everything, find_collector
from fanfold.console.pages.dead_letters import MOST_LISTED, ROWS, find_letter
from fanfold.console.pages.history import listed
from fanfold.console.pages.runs import found_run
from fanfold.console.paging import Sheet, sheet
from fanfold.console.shown.collectors import Known
from fanfold.console.shown.slots_grid import now_words
from fanfold.console.site import site
from fanfold.domain.rules import pauses, schedule
from fanfold.domain.rules.standing import OUTCOMES
from fanfold.domain.syntax.text import instant
from fanfold.rendering import to_bytes
from fanfold.views.dead_letters import letter_document
from fanfold.views.overview import Overview, document, run_document
from fanfold.views.past import listed_document
from fanfold.views.progress import usual_end
from fanfold.views.reports import report_now

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

#: Slots that the schedule lists.
NEXT_SLOTS = 10


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Return the description of this API."""
    return _json(openapi_document())


@blueprint.get("/changes")
def changed() -> Response:
    """Return a word that is another one when something changed; 304 if it is the one asked with."""
    found = changes(site())
    response = _json(
        {"version": found.version, "running": found.running, "poll_seconds": found.poll_s}
    )
    response.set_etag(found.version)
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


@blueprint.get("/status")
def status() -> Response:
    """Return what ``fanfold status --format json`` prints."""
    return _json(document(site().overview()))


@blueprint.get("/runs")
def runs() -> Response:
    """Return a page of what ``fanfold history --format json`` prints."""
    found = listed()
    return _json({"runs": [listed_document(row) for row in found.rows], **_pages(found)})


@blueprint.get("/runs/<text>")
def run(text: str) -> Response:
    """Return the record of a run."""
    return _json(run_document(found_run(text)))


@blueprint.get("/runs/<text>/report")
def report(text: str) -> Response:
    """Return ``report.json`` of a run: of its end, or so far."""
    found = found_run(text)
    content = to_bytes(report_now(found, site().parts.ledger, site().parts.clock.now()))
    response = make_response(content)
    response.headers["Content-Type"] = "application/json"
    return response


@blueprint.get("/runs/<text>/live")
def live(text: str) -> Response:
    """Return how far a run is, and when it ends about."""
    here, found = site(), found_run(text)
    report_so_far = report_now(found, here.parts.ledger, here.parts.clock.now())
    catalogue = here.slots().catalogue
    ends = None
    if found.verdict is None and catalogue is not None:
        ends = usual_end(report_so_far, catalogue.max_concurrent_collectors)
    return _json(
        {
            "run": run_document(found),
            "summary": report_so_far["summary"],
            "duration_seconds": report_so_far["duration_seconds"],
            "usual_end": instant(ends) if ends else None,
            "collectors": {
                name: {
                    key: one[key]
                    for key in ("status", "reason", "duration", "median_seconds", "progress")
                }
                for name, one in report_so_far["collectors"].items()
            },
        }
    )


@blueprint.get("/collectors")
def collectors() -> Response:
    """Return every collector, in the order of the configuration."""
    overview, known = everything()
    return _json({"collectors": [_collector(each, overview) for each in known]})


@blueprint.get("/collectors/<name>")
def collector(name: str) -> Response:
    """Return one collector, with its slots and its configuration, secrets masked."""
    overview, known = everything()
    found = find_collector(known, name)
    prefix = f"{found.name}."
    return _json(
        {
            **_collector(found, overview),
            "slots": [
                {
                    "slot": instant(slot.at),
                    "kind": {"s": "slot", "r": "retried", "h": "by_hand"}[slot.kind],
                    "outcome": OUTCOMES.get(slot.figures.outcome, "skipped"),
                    "records": slot.figures.records,
                    "seconds": slot.figures.seconds,
                    "tries": slot.tries,
                    "run_id": found.run_of(slot),
                }
                for slot in found.slots
            ],
            "configuration": {
                key.removeprefix(prefix): {"value": each.value, "origin": each.where}
                for key, each in site().slots().origins.items()
                if key.startswith(prefix)
            },
        }
    )


@blueprint.get("/dead-letters")
def dead_letters() -> Response:
    """Return a page of what ``fanfold dead-letters list --format json`` prints."""
    found = sheet(site().parts.ledger.dead_letters(MOST_LISTED), ROWS, "letter")
    return _json({"dead_letters": [letter_document(each) for each in found.rows], **_pages(found)})


@blueprint.get("/dead-letters/<path:letter_id>")
def dead_letter(letter_id: str) -> Response:
    """Return one dead letter, its tokens masked."""
    return _json(letter_document(find_letter(letter_id)))


@blueprint.get("/schedule")
def slots() -> Response:
    """Return the next slots, with who is due in each and not paused."""
    here = site()
    catalogue, now = here.slots().catalogue, here.parts.clock.now()
    paused = here.parts.ledger.pauses()
    following = schedule.next_slots(catalogue, now, NEXT_SLOTS) if catalogue else []
    return _json(
        {
            "timezone": catalogue.timezone if catalogue else None,
            "slots": [
                {
                    "slot": instant(slot),
                    "due": schedule.due_in(catalogue, slot),
                    "paused": [
                        each.name
                        for each in catalogue.collectors
                        if each.enabled and each.cron and pauses.in_slot(paused, each, slot)
                    ],
                }
                for slot in following
                if catalogue
            ],
        }
    )


def _collector(known: Known, overview: Overview) -> Mapping[str, Any]:
    one = known.standing
    return {
        "name": known.name,
        "enabled": known.is_enabled,
        "schedule": known.collector.cron if known.collector else None,
        "state": one.state.value,
        "now": now_words(known)[2],
        "outcome": one.outcome,
        "run_id": one.run_id,
        "since": instant(one.since) if one.since else None,
        "failing_slots": one.slots,
        "failing_runs": one.runs,
        "last_good": instant(one.last_good) if one.last_good else None,
        "last_good_records": one.last_records,
        "error": known.failure.message if known.failure else None,
        "error_kind": known.failure.kind if known.failure else None,
        "stale": known.is_stale,
        "running_in": known.live_run if known.is_running else None,
        "paused": pauses.of_collector(overview.paused, known.name, overview.now) is not None,
        "usual_seconds": known.usual_s,
        "next": instant(known.next_at) if known.next_at else None,
    }


def _pages(found: Sheet[Any]) -> Mapping[str, Any]:
    return {"page": found.number, "has_more": bool(found.older)}


def _json(body: Mapping[str, Any]) -> Response:
    response = make_response(json.dumps(body, ensure_ascii=False, default=str) + "\n")
    response.headers["Content-Type"] = "application/json"
    return response
