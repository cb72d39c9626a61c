"""Run requests, made by people: forgiving about where a key stands, strict about what it says.

The same keys work in the JSON data and as attributes (lists comma-separated); the data wins. All
that is wrong is said at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from fanfold.domain.model import names
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import Rejected
from fanfold.domain.model.request import RunRequest
from fanfold.domain.protocol.strict_json import NotJson, is_json_in_base64, read_json
from fanfold.domain.rules.overdue import slots_to_start
from fanfold.domain.rules.pauses import Pauses, of_slot
from fanfold.domain.rules.sizes import MAX_REASON_CHARS
from fanfold.domain.rules.slots import read_instant
from fanfold.domain.syntax.limits import MAX_TEXT_CHARS
from fanfold.messages import records
from fanfold.messages.events import RUN_REQUESTED, traceparent_in
from fanfold.ports.bus import Message

#: Most names or tags that one list may hold: twenty times the largest fleet we know of.
MAX_NAMES = 10_000

#: Attributes that belong to the carrier, not to the request.
_CARRIER_PREFIXES = ("ce-", "googclient_", "CloudPubSub", "x-", "content-type")


def encode_run_request(request: RunRequest) -> Message:
    """Return the message that asks for *request*, with only the keys that say something."""
    fields = records.dump(request)
    document = {key: fields[key] for key in _READERS if fields[key] not in (None, [], {}, False)}
    attributes = {"ce-type": RUN_REQUESTED, "content-type": "application/json"}
    if request.traceparent:
        attributes["traceparent"] = request.traceparent
    return Message(records.json_bytes(document), attributes)


def slot_requests(
    catalogue: Catalogue, since: datetime, now: datetime, pauses: Callable[[], Pauses] = tuple
) -> Sequence[Message]:
    """Return the messages that ask for the slots in ``(since, now]``, as Cloud Scheduler would.

    A slot that is already missed gets none: see :func:`fanfold.domain.rules.overdue`; nor does one
    whose schedule is paused. *pauses* are read only if a slot came.
    """
    slots = slots_to_start(catalogue, since, now)
    paused = pauses() if slots else ()
    return [
        encode_run_request(RunRequest(schedule=catalogue.schedule, cron=cron, slot=slot))
        for slot, cron in slots.items()
        if of_slot(paused, catalogue, slot) is None
    ]


def decode_run_request(message: Message) -> RunRequest:
    """Return the request that *message* makes; no data and no attributes ask for everything.

    Raises:
        Rejected: With one sentence for each thing that is wrong.
    """
    problems: list[str] = []
    said = {**_attributes(message.attributes), **_document(message.data, problems)}
    arguments: dict[str, Any] = {}
    for key, value in said.items():
        reader = _READERS.get(key)
        if reader is None:
            near = names.did_you_mean(key, _READERS)
            problems.append(f"unknown key {key[:80]!r}{near or ': known are ' + _KNOWN}")
            continue
        try:
            arguments[key] = reader(value)
        except ValueError as exc:
            problems.append(f"{key}: {exc}")
    if "cron" in arguments and "schedule" not in arguments:
        problems.append("cron: only goes with schedule")
    if problems:
        raise Rejected(problems)
    return RunRequest(**arguments, traceparent=traceparent_in(message))


def asked_id(message: Message) -> str | None:
    """Return the run id that *message* asks for, even if the rest of it cannot be worked."""
    said = {**_attributes(message.attributes), **_document(message.data, [])}
    run_id = said.get("run_id")
    return run_id if isinstance(run_id, str) and names.is_run_id(run_id) else None


def _document(data: bytes, problems: list[str]) -> Mapping[str, Any]:
    if not data.strip():
        return {}
    try:
        document = read_json(data)
    except NotJson as exc:
        problems.append(f"the message is not JSON: {exc}; '{{}}' runs every enabled collector")
        return {}
    if isinstance(document, str) and is_json_in_base64(document):
        problems.append("the message is base64 of JSON: publish the JSON itself, without encoding")
        return {}
    if not isinstance(document, dict):
        problems.append('the message must be a JSON object, for instance {"collectors": ["dvf"]}')
        return {}
    return document


def _attributes(attributes: Mapping[str, str]) -> dict[str, Any]:
    return {
        key: text
        for key, text in attributes.items()
        if not key.startswith(_CARRIER_PREFIXES) and key not in ("traceparent", "tracestate")
    }


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f'want a list of names such as ["dvf", "plu"], got {_shown(value)}')
    if len(value) > MAX_NAMES:
        raise ValueError(f"at most {MAX_NAMES} names, got {len(value)}")
    return tuple(dict.fromkeys(value))


def _some_words(value: Any) -> tuple[str, ...]:
    words = _words(value)
    if not words:
        raise ValueError("an empty list runs nothing; leave the key out to run everything")
    return words


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUTHS:
        return _TRUTHS[value.lower()]
    raise ValueError(f"want true or false, got {_shown(value)}")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"want a text, got {_shown(value)}")
    return value


def _reason(value: Any) -> str:
    text = _text(value)
    # What is far too long to be meant goes on whole, to be refused with its size.
    return text if len(text) > MAX_REASON_CHARS else " ".join(text.split())[:MAX_TEXT_CHARS]


def _slot(value: Any) -> datetime:
    return read_instant(_text(value))


def _run_id(value: Any) -> str:
    if not isinstance(value, str) or not names.is_run_id(value):
        raise ValueError(f"{_shown(value)} cannot be a run id: {names.RUN_ID_RULE}")
    return value


def _params(value: Any) -> dict[str, dict[str, Any]]:
    if isinstance(value, str):
        try:
            value = read_json(value)
        except NotJson as exc:
            raise ValueError(f"not JSON: {exc}") from exc
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        raise ValueError('want parameters by collector: {"dvf": {"years": [2024]}}')
    return value


def _shown(value: Any) -> str:
    """Return *value* as its sender wrote it, or nearly so, cut."""
    return f"{value!r:.80}" if isinstance(value, str) else json.dumps(value)[:80]


_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

_READERS: Mapping[str, Callable[[Any], Any]] = {
    "collectors": _some_words,
    "tags": _words,
    "exclude": _words,
    "params": _params,
    "due": _truth,
    "force": _truth,
    "run_id": _run_id,
    "schedule": _text,
    "cron": _text,
    "slot": _slot,
    "reason": _reason,
    "dry_run": _truth,
    "retry_of": _run_id,
}
_KNOWN = ", ".join(sorted(_READERS))

#: Every key that a request may have, in its data or as an attribute.
KEYS = tuple(_READERS)
