"""``fanfold notify test``: do the targets of ``notify`` take what they are sent?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import typer

from fanfold.adapters.clock import SystemClock
from fanfold.adapters.notify.patience import Patience
from fanfold.cli.completions import TABLE_OR_JSON, TableOrJson
from fanfold.cli.exit_codes import OK, UNREACHABLE, CommandError
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import CHECK, form_of, json_text
from fanfold.cli.session import Session
from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.report.announcement import Announcement
from fanfold.messages import events
from fanfold.ports.outside import Beat, Targets
from fanfold.runtime.notification_targets import NotificationTargets

#: What people are sent.
SAMPLE = Announcement(
    "✓ a test of fanfold: messages arrive here",
    "Somebody typed fanfold notify test. You hear of collectors that begin to fail, still fail and "
    "recover, of slots that were missed and of requests that were refused.",
)

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="The people and machines that are told how runs end.",
)


@app.callback()
def notify() -> None:
    """The people and machines that are told how runs end."""


@app.command("test")
def send_samples(
    context: typer.Context,
    *,
    output: TableOrJson = "table",
) -> int:
    """Send a sample to each target of `notify`, and print what each said.

    Examples:
      fanfold notify test
      fanfold notify test --format json

    Exit codes: 0 every target took it · 2 there is no target · 5 some target did not take it
    """
    session = Session.of(context)
    form = form_of(output, TABLE_OR_JSON)
    targets = NotificationTargets(session.env)(session.load().catalogue)
    tellings = {name.removeprefix("notify."): tell for name, tell in _tellings(targets).items()}
    ended = Patience()(tellings)
    said = {name: _words(name, exc) for key, exc in ended.items() if (name := f"notify.{key}")}
    if not said:
        what = "notify names no target: set notify.to, slack, webhook or heartbeat"
        raise CommandError(what, CHECK)
    if form == "json":
        out(json_text({name: {"ok": why is None, "error": why} for name, why in said.items()}))
    else:
        for name, why in said.items():
            out(f"✓ {name} took it" if why is None else f"✗ {why}")
    return UNREACHABLE if any(said.values()) else OK


def _tellings(targets: Targets) -> Mapping[str, Callable[[], None]]:
    """Return for the name of each target what sends it a sample."""
    sample = events.encode_sample(at=SystemClock().now())
    people = {each.name: partial(each.say, SAMPLE) for each in targets.people}
    machines = {each.name: partial(each.tell, sample) for each in targets.machines}
    # A test must not turn a red check green.
    beat = Beat("notify-test", "log", SAMPLE.title)
    return people | machines | {each.name: partial(each.send, beat) for each in targets.heartbeats}


def _words(name: str, exc: Exception | None) -> str | None:
    """Return why the target of that *name* did not take its sample, None if it did."""
    if exc is not None and not isinstance(exc, FanfoldError):
        raise exc
    return None if exc is None else str(exc) if name in str(exc) else f"{name}: {exc}"
