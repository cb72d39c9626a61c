"""Messages to bytes and back: CloudEvents in the Pub/Sub binding's binary mode, versioned.

Attributes carry ``ce-id``, ``ce-type``, ``ce-source``, ``ce-subject``, ``ce-time``,
``content-type`` and ``traceparent``; JSON is in the data. ``ce-id`` is made of business ids, for
a publish call itself can put one message on the topic twice. Golden files:
``tests/messages/golden/``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fanfold.domain.model import names
from fanfold.domain.model.errors import BadMessage
from fanfold.domain.model.run import Answer, Run
from fanfold.domain.model.states import RunStatus
from fanfold.domain.protocol.strict_json import NotJson, read_json
from fanfold.domain.syntax.traceparent import ids_of, traceparent_of
from fanfold.messages import records, topology
from fanfold.ports.bus import Message

RUN_REQUESTED = "dev.fanfold.run.requested.v1"
COLLECTOR_JOB = "dev.fanfold.collector.job.v1"
COLLECTOR_RESULT = "dev.fanfold.collector.result.v1"
SWEEP_TICK = "dev.fanfold.sweep.tick.v1"
RUN_STARTED = "dev.fanfold.run.started.v1"
RUN_FINISHED = "dev.fanfold.run.finished.v1"
RUN_MISSED = "dev.fanfold.run.missed.v1"
NOTIFY_TEST = "dev.fanfold.notify.test.v1"
RUN_REJECTED = "dev.fanfold.run.rejected.v1"
PROOF_OF_LIFE = "dev.fanfold.proof_of_life.v1"

#: The topic on which each type of event travels.
TOPICS: Mapping[str, str] = {
    RUN_REQUESTED: topology.RUN_REQUESTS,
    COLLECTOR_JOB: topology.COLLECTOR_JOBS,
    COLLECTOR_RESULT: topology.COLLECTOR_RESULTS,
    SWEEP_TICK: topology.SWEEP_TICKS,
    RUN_STARTED: topology.RUN_REPORTS,
    RUN_FINISHED: topology.RUN_REPORTS,
    RUN_MISSED: topology.RUN_REPORTS,
    RUN_REJECTED: topology.RUN_REPORTS,
    PROOF_OF_LIFE: topology.RUN_REPORTS,
}

#: The attribute, or field, with the callback's token in a message that a collector publishes.
TOKEN = "token"  # noqa: S105 - its name

#: The keys that say what a result or a job is about.
_IDS = frozenset({"run_id", "collector"})

#: What stands in the place of a run's id in the events that say, once a week, that fanfold lives.
ALIVE = "proof-of-life"

#: Where our events say they come from.
SOURCE = "//fanfold.dev/fanfold"


@dataclass(frozen=True, slots=True)
class JobMessage:
    """Asks a relay to invoke one collector for one run."""

    run_id: str
    collector: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Says that a run is finished, that a slot was missed or that a request was refused.

    Or that the run of a slot began, or that fanfold lives: see :func:`encode_started` and
    :func:`encode_proof_of_life`.

    ``event_id`` is the same however often the event is published. ``document`` is what the event
    says. ``message`` is the event as it travels.
    """

    kind: str
    event_id: str
    run_id: str
    document: Mapping[str, Any]
    message: Message


@dataclass(frozen=True, slots=True)
class ResultMessage:
    """Says that there is an answer to be counted, or what a collector says of itself.

    Ours says that the ledger holds an answer, the one of ``writer`` where it names one. A
    collector's own message has the ``body`` of a completion and its run's callback ``token``.
    Neither is believed because it came: see :class:`fanfold.app.aggregate.Aggregator`.
    """

    run_id: str
    collector: str
    writer: str | None = None
    token: str = ""
    body: Mapping[str, Any] | None = None


def encode_job(run_id: str, collector: str, *, trace_id: str, at: datetime) -> Message:
    """Return the message that asks a relay to invoke *collector* for *run_id*."""
    return _event(
        COLLECTOR_JOB,
        f"{run_id}/{collector}",
        {"run_id": run_id, "collector": collector},
        at=at,
        traceparent=traceparent_of(trace_id, run_id, collector),
    )


def decode_job(message: Message) -> JobMessage:
    """Return the job that *message* carries.

    Raises:
        BadMessage: It carries none.
    """
    document = _object(message)
    run_id, collector = _subject(document, message)
    return JobMessage(run_id, collector, traceparent_in(message))


def encode_result(answer: Answer, *, trace_id: str = "") -> Message:
    """Return the result event of *answer*, the one that was stored for its collector."""
    return _result(answer, f"{answer.run_id}/{answer.collector}", trace_id)


def encode_late_result(answer: Answer, *, trace_id: str = "") -> Message:
    """Return the result event of an *answer* that lost to another: an event of its own."""
    digest = hashlib.sha256(answer.writer.encode()).hexdigest()[:8]
    return _result(answer, f"{answer.run_id}/{answer.collector}/late/{digest}", trace_id)


def decode_result(message: Message) -> ResultMessage:
    """Return the result that *message* carries: ours, or one that a collector published.

    Raises:
        BadMessage: It carries none.
    """
    document = _object(message)
    run_id, collector = _subject(document, message)
    token = document.pop(TOKEN, message.attributes.get(TOKEN))
    words = {key: value for key, value in document.items() if key not in _IDS}
    if token is None and not words:
        return ResultMessage(run_id, collector)
    if token is None and "answer" in words:
        return ResultMessage(run_id, collector, writer=_writer(words["answer"], run_id, collector))
    token = token if isinstance(token, str) else ""
    return ResultMessage(run_id, collector, token=token, body=words)


def _writer(answer: Any, run_id: str, collector: str) -> str:
    """Return who wrote the answer of our own result event; nothing else of it is read."""
    if not isinstance(answer, dict) or not isinstance(answer.get("writer"), str):
        raise BadMessage("the answer names no writer")
    if (answer.get("run_id"), answer.get("collector")) != (run_id, collector):
        raise BadMessage("the answer belongs to another run or collector than its envelope")
    writer: str = answer["writer"]
    return writer


def encode_tick(*, at: datetime, clock_was_set: bool = False) -> Message:
    """Return the message that makes the aggregator sweep.

    ``clock_was_set`` says that somebody set the sender's clock a moment ago: no slot is judged by
    it.
    """
    return _event(SWEEP_TICK, None, _CLOCK_WAS_SET if clock_was_set else {}, at=at)


def clock_was_set(message: Message) -> bool:
    """Return whether a tick says that its sender's clock was set a moment ago."""
    return message.data == records.json_bytes(_CLOCK_WAS_SET)


_CLOCK_WAS_SET: Mapping[str, Any] = {"clock_was_set": True}


def encode_started(run: Run, *, at: datetime) -> Message:
    """Return the event that says that *run*, the run of a slot, began: for ``notify.heartbeat``."""
    document = {
        "run_id": run.run_id,
        "scheduled_for": run.scheduled_for and records.instant_text(run.scheduled_for),
        "start_time": records.instant_text(run.start_time),
    }
    event_id = f"{run.run_id}/started"
    trace = traceparent_of(run.trace_id, run.run_id, "started") if run.trace_id else None
    return _event(RUN_STARTED, event_id, document, at=at, traceparent=trace)


def encode_proof_of_life(since: datetime, until: datetime) -> Message:
    """Return the event that says that fanfold lives, and of what time people are told."""
    document = {
        "run_id": ALIVE,
        "since": records.instant_text(since),
        "until": records.instant_text(until),
    }
    return _event(PROOF_OF_LIFE, f"{ALIVE}/{until:%Y-%m-%d}", document, at=until)


def encode_finished(
    report: Mapping[str, Any], location: str, *, at: datetime, trace_id: str = ""
) -> Message:
    """Return the finished event of a run's *report*, which is stored at *location*.

    That of a retry says which run it tries again.
    """
    run_id, revision = report["run_id"], report["revision"]
    document = {
        key: report[key]
        for key in ("run_id", "revision", "status", "about", "summary", "start_time", "end_time")
    }
    if report.get("retry_of") is not None:
        document["retry_of"] = report["retry_of"]
    return _event(
        RUN_FINISHED,
        f"{run_id}/{revision}",
        {**document, "report": location},
        at=at,
        traceparent=traceparent_of(trace_id, run_id, "finished", revision) if trace_id else None,
    )


def encode_notice(record: Run, *, at: datetime, together: Sequence[datetime] = ()) -> Message:
    """Return the event of *record*, which says that a slot was missed or a request refused.

    ``together`` are all slots that were found to be missed at once: people hear of them in one
    message, with the event of the newest.
    """
    document: dict[str, Any] = {
        "run_id": record.run_id,
        "status": record.status.value,
        "about": record.about,
        "scheduled_for": record.scheduled_for and records.instant_text(record.scheduled_for),
        "start_time": records.instant_text(record.start_time),
    }
    if together:
        document["slots"] = [records.instant_text(slot) for slot in sorted(together)]
    kind = RUN_MISSED if record.status is RunStatus.MISSED else RUN_REJECTED
    trace = traceparent_of(record.trace_id, record.run_id, "notice") if record.trace_id else None
    event_id = f"{record.run_id}/{record.status.value}"
    return _event(kind, event_id, document, at=at, traceparent=trace)


def encode_sample(*, at: datetime) -> Message:
    """Return an event that no run sent, for the targets of ``notify`` to take."""
    about = "a test of fanfold: events arrive here"
    return _event(NOTIFY_TEST, None, {"about": about}, at=at)


def decode_run_event(message: Message) -> RunEvent:
    """Return what a message on run-reports says.

    Raises:
        BadMessage: It is none of the events that fanfold publishes there.
    """
    kind, event_id = event_type(message) or "", message.attributes.get("ce-id", "")
    document = _object(message)
    run_id = document.get("run_id")
    if TOPICS.get(kind) != topology.RUN_REPORTS:
        raise BadMessage(f"{kind!r:.80} is no event of a run")
    if not isinstance(run_id, str) or not names.is_run_id(run_id):
        raise BadMessage("the event of a run names no run")
    if not event_id.startswith(f"{run_id}/"):
        raise BadMessage(f"the event's id does not begin with its run's id {run_id!r:.80}")
    return RunEvent(kind, event_id, run_id, document, message)


def event_type(message: Message) -> str | None:
    """Return the message's CloudEvents type, if it says one."""
    return message.attributes.get("ce-type")


def _event(
    kind: str,
    event_id: str | None,
    document: Mapping[str, Any],
    *,
    at: datetime,
    traceparent: str | None = None,
) -> Message:
    attributes = {
        "ce-specversion": "1.0",
        "ce-type": kind,
        "ce-source": SOURCE,
        "ce-time": records.instant_text(at),
        "content-type": "application/json",
    }
    if event_id is not None:
        attributes["ce-id"] = attributes["ce-subject"] = event_id
    else:
        attributes["ce-id"] = f"{kind}/{records.instant_text(at)}"
    if traceparent is not None:
        attributes["traceparent"] = traceparent
    return Message(records.json_bytes(document), attributes)


#: Fields of an answer that are only written where they say something.
_SPARING = ("log", "waited_s", "data_until", "schema")


def _result(answer: Answer, event_id: str, trace_id: str) -> Message:
    said = records.dump(answer)
    for name in _SPARING:
        if not said[name]:
            del said[name]
    return _event(
        COLLECTOR_RESULT,
        event_id,
        {
            "run_id": answer.run_id,
            "collector": answer.collector,
            "outcome": answer.outcome.value,
            "answer": said,
        },
        at=answer.end_time,
        traceparent=(
            traceparent_of(trace_id, answer.run_id, answer.collector, "result")
            if trace_id
            else None
        ),
    )


def _object(message: Message) -> dict[str, Any]:
    if not message.data:
        return {}
    try:
        document = read_json(message.data)
    except NotJson as exc:
        raise BadMessage(f"the message's data is not JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise BadMessage(f"the message's data is a JSON {type(document).__name__}, not an object")
    return document


def _subject(document: Mapping[str, Any], message: Message) -> tuple[str, str]:
    """Return run id and collector, from the data or, for those who publish by hand, attributes."""
    found = []
    for key, is_valid in (("run_id", names.is_run_id), ("collector", names.is_collector_name)):
        text = document.get(key, message.attributes.get(key))
        if not isinstance(text, str) or not is_valid(text):
            shown = "missing" if text is None else f"{text!r:.80} is none"
            raise BadMessage(f"{key}: {shown}")
        found.append(text)
    return found[0], found[1]


def traceparent_in(message: Message) -> str | None:
    """Return the W3C trace context that *message* carries, ours or the Pub/Sub client's."""
    for name in ("traceparent", "googclient_traceparent"):
        text = message.attributes.get(name, "")
        if ids_of(text) is not None:
            return text
    return None
