"""``POST /api/v1/…``: what the pages do, for programs. JSON in, JSON out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from fanfold.console import doing
from fanfold.console.doing import Done
from fanfold.console.site import site
from fanfold.domain.protocol.strict_json import NotJson, read_json
from fanfold.domain.syntax.command_line import fanfold
from fanfold.messages.pauses import pauses_document
from fanfold.runtime.run_requests import take_request

blueprint = Blueprint("api_actions", __name__, url_prefix="/api/v1")


@blueprint.post("/runs")
def run() -> tuple[Response, int]:
    """Take a run request, as ``POST /runs`` does."""
    body, trace = request.get_data(cache=True), request.headers.get("traceparent", "")
    status, answer = take_request(site().parts, body, trace)
    return jsonify(answer), status


@blueprint.post("/runs/<text>/retry")
def retry(text: str) -> tuple[Response, int]:
    """Try a run again."""
    said = _said("collectors", "reason")
    return _accepted(doing.retry(text, _words(said, "collectors"), _text(said, "reason")))


@blueprint.post("/runs/<text>/cancel")
def cancel(text: str) -> tuple[Response, int]:
    """Cancel a run, or some collectors of it."""
    said = _said("collectors", "reason")
    done = doing.cancel_run(text, _words(said, "collectors"), _text(said, "reason"))
    return _accepted(done, 200)


@blueprint.post("/pauses")
def pause() -> tuple[Response, int]:
    """Pause collectors or schedules."""
    said = _said("collectors", "schedules", "all", "for", "reason")
    begun = doing.pause_now(_targets(said), length=_text(said, "for"), reason=_text(said, "reason"))
    return jsonify(pauses_document(begun)), 200


@blueprint.post("/pauses/resume")
def resume() -> tuple[Response, int]:
    """Resume collectors or schedules."""
    said = _said("collectors", "schedules", "all")
    return jsonify(pauses_document(doing.resume_now(_targets(said)))), 200


@blueprint.post("/dead-letters/<path:letter_id>/replay")
def replay(letter_id: str) -> tuple[Response, int]:
    """Publish a dead letter again."""
    _said()
    return _accepted(doing.replay_letter(letter_id))


def _targets(said: Mapping[str, Any]) -> Any:
    every = said.get("all", False)
    if not isinstance(every, bool):
        abort(400, "all: true or false")
    return doing.targets_of(_words(said, "collectors"), _words(said, "schedules"), everything=every)


def _accepted(done: Done, status: int = 202) -> tuple[Response, int]:
    following = fanfold("status", done.run_id) if done.run_id else None
    return jsonify({"about": done.sentence, "run_id": done.run_id, "next": following}), status


def _said(*known: str) -> Mapping[str, Any]:
    """Return the JSON object that was posted, empty where nothing was; 400 for anything else."""
    body = request.get_data(cache=True)
    try:
        said = read_json(body.decode()) if body.strip() else {}
    except (NotJson, UnicodeDecodeError) as exc:
        abort(400, f"the body is no JSON: {exc}")
    if not isinstance(said, dict):
        abort(400, "the body is no JSON object")
    for key in sorted(set(said) - set(known)):
        abort(400, f"unknown key {key!r:.80}; known are {', '.join(known) or 'none'}")
    return said


def _words(said: Mapping[str, Any], key: str) -> list[str]:
    words = said.get(key) or []
    if not isinstance(words, list) or not all(isinstance(each, str) for each in words):
        abort(400, f"{key}: write a list of texts")
    return words


def _text(said: Mapping[str, Any], key: str) -> str:
    text = said.get(key) or ""
    if not isinstance(text, str):
        abort(400, f"{key}: write a text")
    return text
