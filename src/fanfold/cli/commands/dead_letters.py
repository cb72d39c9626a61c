"""``fanfold dead-letters``: messages that nobody could work, and a second chance for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from fanfold.app.replay import origin_of
from fanfold.app.replay import replay as replay_letter
from fanfold.cli.exit_codes import OK, USAGE, CommandError
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import (
    FORMS,
    LETTERS,
    REPLAY_ONE,
    SERVE_LETTERS,
    form_of,
    help_of,
    json_text,
    next_line,
    next_row,
    replay_on,
)
from fanfold.cli.runs.backend import open_parts
from fanfold.cli.runs.store import has_store, open_store, require_store
from fanfold.cli.session import Session
from fanfold.domain.model import names
from fanfold.domain.model.errors import BusUnavailable
from fanfold.domain.syntax.text import one_line
from fanfold.messages.topology import topology
from fanfold.ports.ledger import DeadLetter, DeadLetters
from fanfold.rendering.markdown import escape
from fanfold.runtime import google
from fanfold.runtime.parts import Parts
from fanfold.views.dead_letters import letter_document

#: Most letters that ``--all`` replays, and among which an id is searched.
MOST = 10_000

#: Most letters that one command brings from the bus to the ledger; the next one brings more.
MOST_BROUGHT = 1000

#: Most characters of a letter's reason that a line shows.
MOST_OF_REASON = 200

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Messages that nobody could read or work: list them, publish them again.",
)


@app.command("list")
def list_letters(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many.")] = 20,
    output: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, json or markdown.")
    ] = "table",
) -> int:
    """List dead letters, newest first, each with its reason.

    Examples:
      fanfold dead-letters list
      fanfold dead-letters list --limit 100 --format json
    """
    session = Session.of(context)
    form = form_of(output, FORMS)
    letters: Sequence[DeadLetter] = []
    if has_store(session):
        with open_store(session) as (ledger, _):
            _bring_in(session, ledger)
            letters = ledger.dead_letters(limit)
    if form == "json":
        out(json_text([letter_document(letter) for letter in letters]))
        return OK
    for letter in letters:
        out(_line(letter) if form == "table" else f"- {escape(_line(letter))}")
    if not letters:
        out("no dead letters")
    elif form == "table" and any(letter.replayed_at is None for letter in letters):
        out(next_row(REPLAY_ONE))
    return OK


@app.command("replay")
def replay(
    context: typer.Context,
    letter_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The letter's id, or the start of one.")
    ] = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Every letter that was not replayed yet.")
    ] = False,
    topic: Annotated[
        str | None, typer.Option(metavar="TOPIC", help="Where to, if the letter does not say.")
    ] = None,
) -> int:
    """Publish a dead letter's message again, as it was, on the topic that it came from.

    A letter whose subscription is none of fanfold's is not published unless --topic says where to;
    with --all it is left, and the others are published.

    Examples:
      fanfold dead-letters replay 3f9c
      fanfold dead-letters replay --all

    Exit codes: 0 all were published, or there was none · 2 some were not
    """
    session = Session.of(context)
    if every == (letter_id is not None):
        raise CommandError("name one letter, or give --all", LETTERS)
    _check_topic(topic)
    require_store(session)
    with open_parts(session) as (parts, _):
        _bring_in(session, parts.ledger)
        letters = parts.ledger.dead_letters(MOST)
        chosen = (
            [letter for letter in letters if letter.replayed_at is None][::-1]
            if letter_id is None
            else [_find(letters, letter_id)]
        )
        refused = [letter for letter in chosen if not _replay(session, parts, letter, topic)]
    if not chosen:
        out("nothing to replay")
    elif len(refused) < len(chosen):
        out(next_row(SERVE_LETTERS))
    return USAGE if refused else OK


def _bring_in(session: Session, ledger: DeadLetters) -> None:
    """Bring to *ledger* what the bus gave up on; where that fails, what is there is still shown."""
    try:
        google.bring_in_undelivered(session.settings, ledger, limit=MOST_BROUGHT)
    except BusUnavailable as exc:
        session.note(f"warning: letters that the bus itself gave up on may be missing: {exc}")


def _replay(session: Session, parts: Parts, letter: DeadLetter, topic: str | None) -> bool:
    """Publish *letter* on *topic* or where it came from; return whether it says where."""
    settings = parts.settings
    own = origin_of(letter, project=settings.project, prefix=settings.topic_prefix)
    target = topic or own
    if target is None:
        subscription = one_line(letter.subscription, 100)
        session.note(
            f"error: letter {one_line(letter.letter_id, 100)} is not published: it came by "
            f"{subscription!r}, which is no subscription of fanfold's"
        )
        session.note(next_line(replay_on(letter.letter_id)))
        return False
    replay_letter(letter, target, bus=parts.bus, ledger=parts.ledger, clock=parts.clock)
    out(f"{letter.letter_id} published again on {target}")
    return True


def _check_topic(topic: str | None) -> None:
    known = topology().topics
    if topic is not None and topic not in known:
        near = names.did_you_mean(topic, known)
        raise CommandError(
            f"there is no topic {topic!r:.80}{near or ': use ' + ', '.join(known)}",
            help_of("dead-letters", "replay"),
        )


def _find(letters: Sequence[DeadLetter], text: str) -> DeadLetter:
    exact = [letter for letter in letters if letter.letter_id == text]
    starting = exact or [letter for letter in letters if letter.letter_id.startswith(text)]
    if len(starting) == 1:
        return starting[0]
    if starting:
        listed = "\n".join(_line(letter) for letter in starting[:8])
        raise CommandError(f"{text!r:.80} could be any of these:\n{listed}", LETTERS)
    near = names.did_you_mean(text, [letter.letter_id for letter in letters])
    raise CommandError(f"there is no dead letter {text!r:.80}{near}", LETTERS)


def _line(letter: DeadLetter) -> str:
    replayed = "  (replayed)" if letter.replayed_at else ""
    parts = (
        one_line(letter.letter_id, 200),
        f"{letter.received_at:%Y-%m-%d %H:%M:%S} UTC",
        one_line(letter.subscription, 200),
        one_line(letter.reason, MOST_OF_REASON),
    )
    return "  ".join(parts) + replayed
