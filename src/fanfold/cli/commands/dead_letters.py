"""``fanfold dead-letters``: messages that nobody could work, and a second chance for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.terminal import clean, out
from fanfold.cli.output.words import form_of, json_text, text_or_base64
from fanfold.cli.session import Session
from fanfold.domain.model import names

if TYPE_CHECKING:
    from fanfold.ports.ledger import DeadLetter, DeadLetters
    from fanfold.runtime.parts import Parts

#: What ``--format`` takes.
FORMS = ("table", "json")

#: Most letters that ``--all`` replays and that an id is looked for among.
MOST = 10_000

#: Most letters that one command brings from the bus to the ledger; the next one brings more.
MOST_BROUGHT = 1000

app = typer.Typer(
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
        str, typer.Option("--format", metavar="FORMAT", help="table or json.")
    ] = "table",
) -> int:
    """List dead letters, newest first, each with its reason.

    \b
    Examples:
      fanfold dead-letters list
      fanfold dead-letters list --limit 100 --format json
    """  # noqa: D301
    session = Session.of(context)
    form = form_of(output, FORMS)
    if session.has_store():
        with session.store() as (ledger, _):
            _bring_in(session, ledger)
            letters = ledger.dead_letters(limit)
    else:
        letters = []
    if form == "json":
        out(json_text([_document(letter) for letter in letters]))
        return OK
    for letter in letters:
        out(_line(letter))
    if not letters:
        out("no dead letters")
    elif any(letter.replayed_at is None for letter in letters):
        out("  next    fanfold dead-letters replay ID   # once its reason is gone")
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

    \b
    Examples:
      fanfold dead-letters replay 3f9c
      fanfold dead-letters replay --all
    """  # noqa: D301
    session = Session.of(context)
    if every == (letter_id is not None):
        raise CommandError("name one letter, or say --all", "fanfold dead-letters list")
    session.require_store()
    with session.parts() as (parts, _):
        _bring_in(session, parts.ledger)
        letters = parts.ledger.dead_letters(MOST)
        chosen = (
            [letter for letter in letters if letter.replayed_at is None][::-1]
            if letter_id is None
            else [_find(letters, letter_id)]
        )
        for letter in chosen:
            out(f"{letter.letter_id} published again on {_replay(parts, letter, topic)}")
    if not chosen:
        out("nothing to replay")
    else:
        out("  next    fanfold serve   # works on it; fanfold dead-letters list")
    return OK


def _bring_in(session: Session, ledger: DeadLetters) -> None:
    """Bring to *ledger* what the bus gave up on; where that fails, what is there is still shown."""
    from fanfold.domain.model.errors import BusUnavailable  # noqa: PLC0415
    from fanfold.runtime.google import bring_in_undelivered  # noqa: PLC0415

    try:
        bring_in_undelivered(session.settings, ledger, limit=MOST_BROUGHT)
    except BusUnavailable as exc:
        session.note(f"warning: letters that the bus itself gave up on may be missing: {exc}")


def _replay(parts: Parts, letter: DeadLetter, topic: str | None) -> str:
    from fanfold.ports.bus import Message  # noqa: PLC0415

    target = _topic(parts, letter, topic)
    # Published before it is marked: a crash repeats a message, and loses none.
    parts.bus.publish(target, [Message(letter.data, letter.attributes)])
    parts.ledger.mark_replayed(letter.letter_id, parts.clock.now())
    return target


def _topic(parts: Parts, letter: DeadLetter, topic: str | None) -> str:
    """Return the topic that *letter* came from: its subscription's, or its function's first."""
    from fanfold.messages.topology import topology  # noqa: PLC0415

    known = topology()
    if topic is not None:
        if topic not in known.topics:
            near = names.did_you_mean(topic, known.topics)
            raise CommandError(
                f"there is no topic {topic!r}{near or ': use ' + ', '.join(known.topics)}",
                "fanfold dead-letters replay --help",
            )
        return topic
    name = letter.subscription.rpartition("/")[2].removeprefix(parts.settings.topic_prefix)
    if name in known.subscriptions:
        return known.subscriptions[name].topic
    for subscription in known.fed():
        if subscription.function == name:
            return subscription.topic
    raise CommandError(
        f"letter {letter.letter_id} came by {name!r}, which no topic feeds",
        f"fanfold dead-letters replay {letter.letter_id} --topic TOPIC",
    )


def _find(letters: Sequence[DeadLetter], text: str) -> DeadLetter:
    exact = [letter for letter in letters if letter.letter_id == text]
    starting = exact or [letter for letter in letters if letter.letter_id.startswith(text)]
    if len(starting) == 1:
        return starting[0]
    if starting:
        listed = "\n".join(_line(letter) for letter in starting[:8])
        raise CommandError(
            f"{text!r} could be any of these:\n{listed}", "fanfold dead-letters list"
        )
    near = names.did_you_mean(text, [letter.letter_id for letter in letters])
    raise CommandError(f"there is no dead letter {text!r:.80}{near}", "fanfold dead-letters list")


def _line(letter: DeadLetter) -> str:
    replayed = "  (replayed)" if letter.replayed_at else ""
    reason = clean(letter.reason.replace("\n", " "))[:200]
    return (
        f"{letter.letter_id}  {letter.received_at:%Y-%m-%d %H:%M:%S} UTC  "
        f"{letter.subscription}  {reason}{replayed}"
    )


def _document(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.letter_id,
        "subscription": letter.subscription,
        "reason": letter.reason,
        "received_at": letter.received_at.isoformat(),
        "replayed_at": letter.replayed_at.isoformat() if letter.replayed_at else None,
        "attributes": dict(letter.attributes),
        "data": text_or_base64(letter.data),
    }
