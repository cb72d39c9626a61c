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

#: How a value is described that may be absent.
_TEXT = {"type": ["string", "null"]}
_INSTANT = {"type": ["string", "null"], "format": "date-time"}
_NUMBER = {"type": ["number", "null"]}


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
    run = _parameter("run", "An id, the start of one, `latest` or `latest~1`.", where="path")
    page = _parameter("page", "Which page, from 1 on.", schema={"type": "integer", "minimum": 1})
    filters = [
        _parameter("collector", "Only runs that asked this collector."),
        _parameter("outcome", "Only runs that ended so, or in which the collector did."),
        _parameter("trigger", "Only runs that were asked for so: schedule, ad_hoc or retry."),
        _parameter("from", "Only what began on this day or later.", schema=_day()),
        _parameter("to", "Only what began on this day or before.", schema=_day()),
    ]
    name = _parameter("name", "The collector's name.", where="path")
    letter = _parameter("letter", "The letter's id.", where="path")
    return {
        "/api/v1/openapi.json": _read("openapi", "This document.", {"type": "object"}),
        "/api/v1/changes": _read(
            "changes",
            "A word, also the ETag, that is another one when something changed.",
            _ref("Changes"),
            more={"304": {"description": "Nothing changed since If-None-Match."}},
        ),
        "/api/v1/status": _read("status", "How everything stands.", _ref("Status")),
        "/api/v1/schedule": _read("schedule", "The next slots.", _ref("Schedule")),
        "/api/v1/runs": _read(
            "runs", "Runs, missed slots and refused requests.", _ref("Runs"), [*filters, page]
        ),
        "/api/v1/runs/{run}": _read("run", "One run's record.", _ref("Run"), [run]),
        "/api/v1/runs/{run}/report": _read("report", "Its report.", _ref("Report"), [run]),
        "/api/v1/runs/{run}/live": _read("live", "How far it is.", _ref("Live"), [run]),
        "/api/v1/collectors": _read("collectors", "Every collector.", _ref("Collectors")),
        "/api/v1/collectors/{name}": _read(
            "collector", "One collector, with its slots.", _ref("Collector"), [name]
        ),
        "/api/v1/dead-letters": _read(
            "dead_letters", "Messages that nobody could work.", _ref("DeadLetters"), [page]
        ),
        "/api/v1/dead-letters/{letter}": _read(
            "dead_letter", "One of them.", _ref("DeadLetter"), [letter]
        ),
    }


def _read(
    operation: str,
    about: str,
    schema: Mapping[str, Any],
    parameters: list[Mapping[str, Any]] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    refusals = ["400", "404"] if parameters else []
    return {
        "operationId": operation,
        "summary": about,
        "parameters": parameters or [],
        "responses": {
            "200": {"description": about, "content": {"application/json": {"schema": schema}}},
            **(more or {}),
            **{
                code: {"$ref": f"#/components/responses/{code}"}
                for code in (*refusals, "403", "503")
            },
        },
    }


def _parameter(
    name: str, about: str, *, where: str = "query", schema: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": about,
        "schema": schema or {"type": "string"},
    }


def _day() -> Mapping[str, Any]:
    return {"type": "string", "format": "date"}


def _ref(name: str) -> Mapping[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _refusals() -> Mapping[str, Any]:
    words = {
        "400": "A value that it cannot have, or an unknown key.",
        "403": "Not allowed.",
        "404": "There is no such thing; `near` has what may have been meant.",
        "409": "It is over, or paused: nothing was done.",
        "503": "The ledger cannot be read now.",
    }
    body = {"application/json": {"schema": _ref("Error")}}
    return {code: {"description": text, "content": body} for code, text in words.items()}


def _schemas() -> Mapping[str, Any]:
    status = _stored("fanfold.views", "status.schema.json", "Status")
    run = status["properties"]["running"]["items"]
    return {
        "Status": status,
        "Report": _stored("fanfold.rendering", "report.schema.json", "Report"),
        "Run": run,
        "Changes": _object(
            version={"type": "string"},
            running={"type": "integer"},
            poll_seconds={"type": "number", "description": "When to ask again."},
        ),
        "Schedule": _object(timezone=_TEXT, slots=_list(_object(
            slot={"type": "string", "format": "date-time"},
            due=_list({"type": "string"}),
            paused=_list({"type": "string"}),
        ))),
        "Runs": _object(runs=_list(_ref("HistoryLine")), **_PAGES),
        "HistoryLine": _object(
            run_id={"type": "string"}, status={"type": "string"}, run_status={"type": "string"},
            about={"type": "string"}, slot=_INSTANT, start_time=_INSTANT, end_time=_INSTANT,
            seconds=_NUMBER, records=_NUMBER, trigger={"type": "string"}, reason=_TEXT,
            retry_of=_TEXT, retried_by=_list({"type": "string"}), made_up_by=_TEXT, report=_TEXT,
        ),
        "Live": _object(
            run=_ref("Run"), summary={"type": "object"}, duration_seconds={"type": "number"},
            usual_end=_INSTANT, collectors={"type": "object", "additionalProperties": _object(
                status={"type": "string"}, reason=_TEXT, duration={"type": "number"},
                median_seconds=_NUMBER, progress={"type": ["object", "null"]},
            )},
        ),
        "Collectors": _object(collectors=_list(_object(**_COLLECTOR))),
        "Collector": _object(
            **_COLLECTOR,
            slots=_list(_object(
                slot={"type": "string", "format": "date-time"},
                kind={"enum": ["slot", "retried", "by_hand"]}, outcome={"type": "string"},
                records=_NUMBER, seconds=_NUMBER, tries={"type": "integer"},
                run_id={"type": "string"},
            )),
            configuration={"type": "object", "additionalProperties": _object(
                value={"type": "string"}, origin={"type": "string"}
            )},
        ),
        "DeadLetters": _object(dead_letters=_list(_ref("DeadLetter")), **_PAGES),
        "DeadLetter": _object(
            id={"type": "string"}, subscription={"type": "string"}, reason={"type": "string"},
            received_at=_INSTANT, replayed_at=_INSTANT, attributes={"type": "object"},
            data={"type": "object"},
        ),
        "Error": _object(error={"type": "string"}, near=_list({"type": "string"})),
    }  # fmt: skip


_PAGES: Mapping[str, Any] = {"page": {"type": "integer"}, "has_more": {"type": "boolean"}}
_COLLECTOR: Mapping[str, Any] = {
    "name": {"type": "string"},
    "enabled": {"type": "boolean"},
    "schedule": _TEXT,
    "state": {"enum": ["good", "recovered", "new", "still", "never"]},
    "now": {"type": "string"},
    "outcome": _TEXT,
    "run_id": _TEXT,
    "since": _INSTANT,
    "failing_slots": {"type": "integer"},
    "failing_runs": {"type": "integer"},
    "last_good": _INSTANT,
    "last_good_records": _NUMBER,
    "error": _TEXT,
    "error_kind": _TEXT,
    "stale": {"type": "boolean"},
    "running_in": _TEXT,
    "paused": {"type": "boolean"},
    "usual_seconds": _NUMBER,
    "next": _INSTANT,
}


def _object(**properties: Any) -> Mapping[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(items: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": "array", "items": items}


def _stored(package: str, name: str, as_name: str) -> dict[str, Any]:
    """Return a schema of the command's JSON; its own references lead into this document."""
    text = resources.files(package).joinpath(name).read_text("utf-8")
    text = text.replace('"#/$defs/', f'"#/components/schemas/{as_name}/$defs/')
    schema: dict[str, Any] = json.loads(text)
    return {key: each for key, each in schema.items() if key not in ("$id", "$schema")}


if __name__ == "__main__":
    sys.stdout.write(text())
