"""What people do in the console: the use cases of the command's verbs, with answers for people.

Forms and the API both call these. Each returns a sentence, and the run that it is about; what
cannot be done is an error with its sentence, and with what is near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import abort, url_for
from werkzeug.exceptions import Conflict

from fanfold.app.cancel import cancel, cancel_collectors
from fanfold.app.pause import pause, resume
from fanfold.app.replay import origin_of, replay
from fanfold.app.retry import plan_retry
from fanfold.console.behind_google import BehindGoogle
from fanfold.console.errors import NotHere
from fanfold.console.site import site
from fanfold.domain.model import names
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import NotRetried, Permanent, Rejected, UnknownCollector
from fanfold.domain.model.pause import Pause, Target
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import Run
from fanfold.domain.model.unreadable import is_over
from fanfold.domain.rules import pauses
from fanfold.domain.rules.retry import RetryPlan, nothing_words
from fanfold.domain.syntax.durations import seconds_of
from fanfold.domain.syntax.text import one_line, plural
from fanfold.ports.ledger import DeadLetter
from fanfold.runtime.run_requests import publish_request
from fanfold.views.find import NoSuchRun, find_run, newest_try

#: How long an action waits for its run to be there, and how often it looks, in seconds.
APPEARS_WITHIN_S, LOOK_EVERY_S = 3.0, 0.1

#: Among so many of the newest letters an id is looked for.
MOST_LETTERS = 10_000

#: Most characters of a reason.
MAX_REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: a sentence, and the run that came of it or was meant."""

    sentence: str
    run_id: str | None = None


def require_writing() -> None:
    """Return if this console may write to the ledger; 409 where it only reads and asks for runs."""
    if isinstance(site().access, BehindGoogle):
        verbs = "fanfold pause, resume, cancel and dead-letters replay"
        raise Conflict(f"this console only asks for runs; type it where you may write: {verbs}")


def because(reason: str) -> str:
    """Return the *reason* that is kept: what was written, and who asked."""
    who = site().access.who()
    text = one_line(reason, MAX_REASON_CHARS)
    return f"{text} (by {who})" if text else f"by {who}"


def catalogue() -> Catalogue:
    """Return the configuration that holds now; 503 where there is none that can be read."""
    try:
        return site().parts.functions.catalogue()
    except Permanent as exc:
        abort(503, f"the configuration cannot be read, so nothing can be started: {exc}")


def run_now(request: RunRequest) -> Done:
    """Ask for a run; an id that is there already is that run."""
    parts = site().parts
    there = parts.ledger.run(request.run_id) if request.run_id else None
    if there is not None:
        return Done(f"run {there.run_id} is there already", there.run_id)
    try:
        run_id = publish_request(parts, request)
    except Rejected as exc:
        abort(400, "; ".join(exc.problems))
    except Permanent as exc:
        abort(409, str(exc))
    return Done(f"asked for run {run_id}", run_id)


def a_run(text: str) -> Run:
    """Return the run called *text*; 404 with what is near if there is none."""
    try:
        return find_run(site().parts.ledger, text)
    except NoSuchRun as exc:
        near = [(each.run_id, url_for("runs.run", text=each.run_id)) for each in exc.near]
        raise NotHere(exc.sentence, near) from exc


def retry_plan_of(text: str, named: Sequence[str] = ()) -> RetryPlan:
    """Return what a retry of the run *text* would ask now; 409 if it can ask nobody."""
    parts = site().parts
    run = newest_try(parts.ledger, a_run(text))
    if run.verdict is None and run.retry_of is not None:
        asked = one_line(run.run_id, 100)
        raise UnderWay(f"run {asked}, a retry of {run.retry_of}, is under way", run.run_id)
    try:
        plan = plan_retry(run, parts.ledger, catalogue(), parts.clock.now(), named)
    except NotRetried as exc:
        raise Conflict(str(exc)) from exc
    if not plan.collectors:
        raise Conflict(nothing_words(plan))
    return plan


class UnderWay(Conflict):
    """Somebody retried the run already, and that retry is not over."""

    def __init__(self, sentence: str, run_id: str) -> None:
        super().__init__(sentence)
        self.run_id = run_id


def retry(text: str, named: Sequence[str] = (), reason: str = "", of: str = "") -> Done:
    """Try a run again. Of any number of people who ask for it at once one run comes.

    *of* is the last try that somebody saw: where there is a later one, that is the answer.
    """
    try:
        plan = retry_plan_of(text, named)
    except UnderWay as exc:
        return Done(f"{exc.description}: here it is", exc.run_id)
    if of and plan.run_id != of:
        return Done(f"run {of} was retried already: here it is", plan.run_id)
    return run_now(replace(plan.request, reason=because(reason)))


def cancel_run(text: str, collectors: Sequence[str] = (), reason: str = "") -> Done:
    """Cancel a run, or some collectors of it; 409 if it is over, or they have their answers."""
    parts, run = site().parts, a_run(text)
    require_writing()
    if is_over(run):
        raise Conflict(f"run {run.run_id} is over, so nothing was cancelled: {run.about}")
    why = because(reason)
    ports = {"ledger": parts.ledger, "finisher": parts.finisher, "clock": parts.clock}
    if not collectors:
        number = cancel(run.run_id, reason=why, writer=parts.writer, **ports)  # type: ignore[arg-type]
        return Done(f"run {run.run_id}: {plural(number, 'collector')} cancelled", run.run_id)
    try:
        done = cancel_collectors(run.run_id, collectors, reason=why, writer=parts.writer, **ports)  # type: ignore[arg-type]
    except UnknownCollector as exc:
        asked = [each.name for each in parts.ledger.manifest(run.run_id) if each.skip is None]
        raise NotHere(f"{exc}{names.did_you_mean(exc.collector, asked)}") from exc
    if not done:
        listed = ", ".join(collectors)
        raise Conflict(f"{listed} answered already in run {run.run_id}: nothing was cancelled")
    return Done(f"run {run.run_id}: {', '.join(done)} cancelled", run.run_id)


def targets_of(
    collectors: Sequence[str], crons: Sequence[str], *, everything: bool
) -> tuple[Target, ...]:
    """Return what is to be paused or resumed; 400 if nothing is named, 404 if it is unknown."""
    if not (collectors or crons or everything):
        abort(400, "name a collector or a schedule")
    try:
        return pauses.targets_of(
            site().slots().catalogue,
            site().parts.ledger.pauses(),
            names=collectors,
            crons=crons,
            everything=everything,
        )
    except ValueError as exc:
        raise NotHere(str(exc)) from exc


def pause_now(targets: Sequence[Target], *, length: str, reason: str) -> Sequence[Pause]:
    """Pause *targets*, for a *length* of time or until resumed where it is empty."""
    require_writing()
    parts, now = site().parts, site().parts.clock.now()
    try:
        until = pauses.end_of(seconds_of(length), now) if length.strip() else None
    except ValueError as exc:
        abort(400, f"for how long: {exc}")
    return pause(
        targets, by=site().access.who(), reason=reason, until=until, ledger=parts.ledger, now=now
    )


def resume_now(targets: Sequence[Target]) -> Sequence[Pause]:
    """End the pauses of *targets*; 409 if none of them is paused."""
    require_writing()
    parts = site().parts
    ended = resume(targets, by=site().access.who(), ledger=parts.ledger, now=parts.clock.now())
    if not ended:
        raise Conflict(f"{', '.join(map(str, targets))}: not paused (any more)")
    return ended


def a_letter(letter_id: str) -> DeadLetter:
    """Return the dead letter *letter_id*; 404 with what is near if there is none."""
    letters = site().parts.ledger.dead_letters(MOST_LETTERS)
    for letter in letters:
        if letter.letter_id == letter_id:
            return letter
    near = names.did_you_mean(letter_id, [each.letter_id for each in letters])
    raise NotHere(f"there is no dead letter {one_line(letter_id, 100)}{near}")


def replay_letter(letter_id: str) -> Done:
    """Publish a dead letter again; 409 if it was already, or says not where it came from."""
    parts, letter = site().parts, a_letter(letter_id)
    require_writing()
    if letter.replayed_at is not None:
        raise Conflict(
            "this letter was published again already; fanfold dead-letters replay repeats it"
        )
    settings = parts.settings
    topic = origin_of(letter, project=settings.project, prefix=settings.topic_prefix)
    if topic is None:
        subscription = one_line(letter.subscription, 100)
        raise Conflict(f"it came by {subscription!r}, which is no subscription of fanfold's")
    replay(letter, topic, bus=parts.bus, ledger=parts.ledger, clock=parts.clock)
    return Done(f"published again on {topic}")


def appears(run_id: str) -> bool:
    """Return whether the run is there, once it is or :data:`APPEARS_WITHIN_S` passed."""
    parts, waited_s = site().parts, 0.0
    while parts.ledger.run(run_id) is None:
        if waited_s >= APPEARS_WITHIN_S:
            return False
        parts.clock.wait(LOOK_EVERY_S)
        waited_s += LOOK_EVERY_S
    return True
