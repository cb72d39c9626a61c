"""What can be done by ``POST /api/v1/…``, as OpenAPI says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fanfold.console.openapi_words import (
    INSTANT,
    TEXT,
    in_json,
    letter_in_path,
    list_of,
    object_of,
    ref,
    refusals,
    run_in_path,
)

_WORDS = list_of({"type": "string"})

#: The keys of what may be posted; every key may be left out.
_COLLECTORS = {"collectors": {**_WORDS, "description": "Names; without any, all that apply."}}
_REASON = {"reason": {"type": "string", "description": "Why; shown wherever it matters."}}
_PAUSED = {
    "collectors": {**_WORDS, "description": "Names of collectors."},
    "schedules": {**_WORDS, "description": "Cron expressions."},
    "all": {"type": "boolean", "description": "Every schedule."},
}
_LENGTH = {"for": {"type": "string", "description": "How long, such as 90m or 3d."}}


def actions() -> Mapping[str, Mapping[str, Any]]:
    """Return the operation of each path that takes a POST."""
    run = run_in_path()
    letter = letter_in_path()
    return {
        "/api/v1/runs": _post(
            "start_run",
            "Starts a run: what is posted is a run request, as of `POST /runs`.",
            {"type": "object"},
            {"202": "Started"},
        ),
        "/api/v1/runs/{run}/retry": _post(
            "retry_run",
            "Tries again what did not succeed. Of many who ask, one second try comes.",
            _posted(_COLLECTORS, _REASON),
            {"202": "Done"},
            run,
        ),
        "/api/v1/runs/{run}/cancel": _post(
            "cancel_run",
            "Cancels the run, or some collectors of it.",
            _posted(_COLLECTORS, _REASON),
            {"200": "Done"},
            run,
        ),
        "/api/v1/pauses": _post(
            "pause",
            "Pauses collectors or schedules.",
            _posted(_PAUSED, _LENGTH, _REASON),
            {"200": "Pauses"},
        ),
        "/api/v1/pauses/resume": _post(
            "resume",
            "Resumes collectors or schedules.",
            _posted(_PAUSED),
            {"200": "Pauses"},
        ),
        "/api/v1/dead-letters/{letter}/replay": _post(
            "replay_dead_letter",
            "Publishes a dead letter again.",
            _posted(),
            {"202": "Done"},
            letter,
        ),
    }


def action_schemas() -> Mapping[str, Any]:
    """Return the schemas of what actions answer."""
    return {
        "Started": object_of(run_id={"type": "string"}, next={"type": "string"}),
        "Done": object_of(about={"type": "string"}, run_id=TEXT, next=TEXT),
        "Pauses": object_of(
            pauses=list_of(
                object_of(
                    kind={"type": "string"},
                    name=TEXT,
                    since=INSTANT,
                    until=INSTANT,
                    by=TEXT,
                    reason=TEXT,
                    resumed_at=INSTANT,
                    resumed_by=TEXT,
                )
            )
        ),
    }


def _post(
    operation: str,
    about: str,
    body: Mapping[str, Any],
    answers: Mapping[str, str],
    *parameters: Mapping[str, Any],
) -> Mapping[str, Any]:
    return {
        "operationId": operation,
        "summary": about,
        "parameters": list(parameters),
        "requestBody": {"required": False, "content": in_json(body)},
        "responses": {
            **{
                code: {"description": about, "content": in_json(ref(name))}
                for code, name in answers.items()
            },
            **refusals("400", "403", "404", "409", "503"),
        },
    }


def _posted(*keys: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = {name: schema for each in keys for name, schema in each.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties}
