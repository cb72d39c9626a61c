"""``POST /runs``: a run request over HTTP, on a single-machine service."""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fanfold.adapters.embedded.database import Database
from fanfold.app.dispatch import draft
from fanfold.app.retried import retried_by
from fanfold.domain.model import names
from fanfold.domain.model.errors import FanfoldError, Permanent, Rejected, SchedulePaused
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.syntax.command_line import fanfold
from fanfold.domain.syntax.traceparent import ids_of
from fanfold.messages.run_request import decode_run_request, encode_run_request
from fanfold.messages.topology import RUN_REQUESTS
from fanfold.ports.bus import Message
from fanfold.runtime.log_lines import Fields
from fanfold.runtime.parts import Parts

#: Under which names the database keeps the token, and where the last service listened.
TOKEN, ADDRESS = "run_token", "run_address"


def run_token(database: Database) -> str:
    """Return the token that a run request must carry; the first service on the file makes it.

    It is in no log. Whoever may read the file may ask for runs anyway.
    """
    return database.remembered(TOKEN, secrets.token_urlsafe)


def take_run_request(
    parts: Parts, token: str, authorization: str, body: bytes, traceparent: str = ""
) -> tuple[int, Mapping[str, Any]]:
    """Return HTTP status and JSON answer for a POST of *body*, a run request or nothing at all.

    Statuses: 202 with the ``run_id`` once the request is on the bus, 400 with all ``problems`` and
    the ``run_id`` of the record of the refusal, 401 without the *token* as ``Authorization:
    Bearer``, 409 a schedule asks and is paused, 503 try again. The run belongs to the trace of
    *traceparent*.
    """
    scheme, _, given = authorization.partition(" ")
    is_known = hmac.compare_digest(given.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not is_known:
        how = "send the token as Authorization: Bearer; fanfold event run --format curl prints it"
        return 401, {"error": how}
    return take_request(parts, body, traceparent)


def take_request(parts: Parts, body: bytes, traceparent: str = "") -> tuple[int, Mapping[str, Any]]:
    """Return the same, of somebody who may ask."""
    message = Message(body, {"traceparent": traceparent} if ids_of(traceparent) else {})
    arrival = Arrival(uuid.uuid4().hex, parts.clock.now())
    try:
        try:
            run_id = publish_request(parts, decode_run_request(message), arrival)
        except SchedulePaused as exc:
            return 409, {"error": str(exc)}
        except Permanent as exc:
            return 400, _refused(parts, exc, message, arrival)
    except FanfoldError as exc:
        return 503, {"error": f"try again: {exc}"}
    return 202, {"run_id": run_id, "next": fanfold("status", run_id)}


def _refused(parts: Parts, why: Permanent, message: Message, arrival: Arrival) -> Mapping[str, Any]:
    """Record and log the refusal as the dispatcher does, and return what is answered."""
    record = parts.functions.refuse(why, message, arrival)
    fields: Fields = {"run_id": record.run_id, "status": record.status.value}
    if traceparent := message.attributes.get("traceparent"):
        fields["traceparent"] = traceparent
    parts.log("WARNING", record.about or "not started", function="dispatcher", **fields)
    problems = list(why.problems) if isinstance(why, Rejected) else str(why).splitlines()
    return {"error": f"not started: {why}", "problems": problems, "run_id": record.run_id}


def publish_request(parts: Parts, request: RunRequest, arrival: Arrival | None = None) -> str:
    """Publish *request*, and return the id that its run will have.

    Raises:
        Permanent: It cannot start a run; nothing was published.
    """
    arrival = arrival or Arrival(uuid.uuid4().hex, parts.clock.now())
    if not (request.run_id or request.schedule or request.slot or request.retry_of):
        # The bus gives the message another id than ours, so the run's id is written into it.
        run_id = names.ad_hoc_run_id(arrival.published_at, arrival.message_id)
        request = replace(request, run_id=run_id)
    run, _ = draft(
        request,
        arrival,
        parts.functions.catalogue(),
        histories={},
        busy={},
        now=arrival.published_at,
        writer=parts.writer,
        retried=retried_by(request, parts.ledger),
        paused=parts.ledger.pauses(),
    )
    parts.bus.publish(RUN_REQUESTS, [encode_run_request(request)])
    return run.run_id
