"""The OpenAPI document of ``/api/v1``, with the schemas of the command's JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from fanfold import __version__
from fanfold.console.openapi_actions import action_schemas, actions
from fanfold.console.openapi_words import (
    INSTANT,
    NUMBER,
    TEXT,
    in_json,
    letter_in_path,
    list_of,
    object_of,
    parameter,
    ref,
    refusals,
    run_in_path,
)


@cache
def document() -> Mapping[str, Any]:
    """Return the document."""
    paths = {path: {"get": operation} for path, operation in _reads().items()}
    for path, operation in actions().items():
        paths.setdefault(path, {})["post"] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fanfold",
            "version": __version__,
            "description": "What the console's pages show and do. Names and shapes are those of "
            "the command's `--format json`.",
        },
        "paths": paths,
        # Nobody needs the token where the console is open.
        "security": [{"token": []}, {}],
        "components": {
            "schemas": {**_schemas(), **action_schemas()},
            "responses": _refusals(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def text() -> str:
    """Return the document as it is stored: ``python -m fanfold.console.openapi`` prints it."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _reads() -> dict[str, Mapping[str, Any]]:
    run = run_in_path()
    page = parameter("page", "Which page, from 1 on.", schema={"type": "integer", "minimum": 1})
    filters = [
        parameter("collector", "Only runs that asked this collector."),
        parameter("outcome", "Only runs that ended so, or in which the collector did."),
        parameter("trigger", "Only runs that were asked for so: schedule, ad_hoc or retry."),
        parameter("from", "Only what began on this day or later.", schema=_day()),
        parameter("to", "Only what began on this day or before.", schema=_day()),
    ]
    name = parameter("name", "The collector's name.", where="path")
    letter = letter_in_path()
    return {
        "/api/v1/openapi.json": _read("openapi", "This document.", {"type": "object"}),
        "/api/v1/changes": _read(
            "changes",
            "A word, also the ETag, that is another one when something changed.",
            ref("Changes"),
            more={"304": {"description": "Nothing changed since If-None-Match."}},
        ),
        "/api/v1/status": _read("status", "How everything stands.", ref("Status")),
        "/api/v1/schedule": _read("schedule", "The next slots.", ref("Schedule")),
        "/api/v1/runs": _read(
            "runs", "Runs, missed slots and refused requests.", ref("Runs"), [*filters, page]
        ),
        "/api/v1/runs/{run}": _read("run", "One run's record.", ref("Run"), [run]),
        "/api/v1/runs/{run}/report": _read("report", "Its report.", ref("Report"), [run]),
        "/api/v1/runs/{run}/live": _read("live", "How far it is.", ref("Live"), [run]),
        "/api/v1/collectors": _read("collectors", "Every collector.", ref("Collectors")),
        "/api/v1/collectors/{name}": _read(
            "collector", "One collector, with its slots.", ref("Collector"), [name]
        ),
        "/api/v1/dead-letters": _read(
            "dead_letters", "Messages that nobody could work.", ref("DeadLetters"), [page]
        ),
        "/api/v1/dead-letters/{letter}": _read(
            "dead_letter", "One of them.", ref("DeadLetter"), [letter]
        ),
    }


def _read(
    operation: str,
    about: str,
    schema: Mapping[str, Any],
    parameters: list[Mapping[str, Any]] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    codes = ["400", "404"] if parameters else []
    return {
        "operationId": operation,
        "summary": about,
        "parameters": parameters or [],
        "responses": {
            "200": {"description": about, "content": in_json(schema)},
            **(more or {}),
            **refusals(*codes, "403", "503"),
        },
    }


def _day() -> Mapping[str, Any]:
    return {"type": "string", "format": "date"}


def _refusals() -> Mapping[str, Any]:
    words = {
        "400": "A value that it cannot have, or an unknown key.",
        "403": "Not allowed.",
        "404": "There is no such thing; `near` has what may have been meant.",
        "409": "It is over, or paused: nothing was done.",
        "503": "The ledger cannot be read now.",
    }
    return {
        code: {"description": text, "content": in_json(ref("Error"))}
        for code, text in words.items()
    }


def _schemas() -> Mapping[str, Any]:
    status = _stored("fanfold.views", "status.schema.json", "Status")
    run = status["properties"]["running"]["items"]
    return {
        "Status": status,
        "Report": _stored("fanfold.rendering", "report.schema.json", "Report"),
        "Run": run,
        "Changes": object_of(
            version={"type": "string"},
            running={"type": "integer"},
            poll_seconds={"type": "number", "description": "When to ask again."},
        ),
        "Schedule": object_of(timezone=TEXT, slots=list_of(object_of(
            slot={"type": "string", "format": "date-time"},
            due=list_of({"type": "string"}),
            paused=list_of({"type": "string"}),
        ))),
        "Runs": object_of(runs=list_of(ref("HistoryLine")), **_PAGES),
        "HistoryLine": object_of(
            run_id={"type": "string"}, status={"type": "string"}, run_status={"type": "string"},
            about={"type": "string"}, slot=INSTANT, start_time=INSTANT, end_time=INSTANT,
            seconds=NUMBER, records=NUMBER, trigger={"type": "string"}, reason=TEXT,
            retry_of=TEXT, retried_by=list_of({"type": "string"}), made_up_by=TEXT, report=TEXT,
        ),
        "Live": object_of(
            run=ref("Run"), summary={"type": "object"}, duration_seconds={"type": "number"},
            usual_end=INSTANT, collectors={"type": "object", "additionalProperties": object_of(
                status={"type": "string"}, reason=TEXT, duration={"type": "number"},
                median_seconds=NUMBER, progress={"type": ["object", "null"]},
            )},
        ),
        "Collectors": object_of(collectors=list_of(object_of(**_COLLECTOR))),
        "Collector": object_of(
            **_COLLECTOR,
            slots=list_of(object_of(
                slot={"type": "string", "format": "date-time"},
                kind={"enum": ["slot", "retried", "by_hand"]}, outcome={"type": "string"},
                records=NUMBER, seconds=NUMBER, tries={"type": "integer"},
                run_id={"type": "string"},
            )),
            configuration={"type": "object", "additionalProperties": object_of(
                value={"type": "string"}, origin={"type": "string"}
            )},
        ),
        "DeadLetters": object_of(dead_letters=list_of(ref("DeadLetter")), **_PAGES),
        "DeadLetter": object_of(
            id={"type": "string"}, subscription={"type": "string"}, reason={"type": "string"},
            received_at=INSTANT, replayed_at=INSTANT, attributes={"type": "object"},
            data={"type": "object"},
        ),
        "Error": object_of(error={"type": "string"}, near=list_of({"type": "string"})),
    }  # fmt: skip


_PAGES: Mapping[str, Any] = {"page": {"type": "integer"}, "has_more": {"type": "boolean"}}
_COLLECTOR: Mapping[str, Any] = {
    "name": {"type": "string"},
    "enabled": {"type": "boolean"},
    "schedule": TEXT,
    "state": {"enum": ["good", "recovered", "new", "still", "never"]},
    "now": {"type": "string"},
    "outcome": TEXT,
    "run_id": TEXT,
    "since": INSTANT,
    "failing_slots": {"type": "integer"},
    "failing_runs": {"type": "integer"},
    "last_good": INSTANT,
    "last_good_records": NUMBER,
    "error": TEXT,
    "error_kind": TEXT,
    "stale": {"type": "boolean"},
    "running_in": TEXT,
    "paused": {"type": "boolean"},
    "usual_seconds": NUMBER,
    "next": INSTANT,
}


def _stored(package: str, name: str, as_name: str) -> dict[str, Any]:
    """Return a schema of the command's JSON; its own references lead into this document."""
    text = resources.files(package).joinpath(name).read_text("utf-8")
    text = text.replace('"#/$defs/', f'"#/components/schemas/{as_name}/$defs/')
    schema: dict[str, Any] = json.loads(text)
    return {key: each for key, each in schema.items() if key not in ("$id", "$schema")}


if __name__ == "__main__":
    sys.stdout.write(text())
