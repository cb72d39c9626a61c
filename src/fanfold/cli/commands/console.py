"""``fanfold console``: the token of the console that ``fanfold serve`` serves."""

from __future__ import annotations

from typing import Annotated

import typer

from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import SERVE_EMBEDDED
from fanfold.cli.runs.backend import open_parts
from fanfold.cli.session import Session
from fanfold.runtime.console_token import console_token, rotate_console_token

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="The console in a browser, which `fanfold serve` serves: its token.",
)


@app.callback()
def console() -> None:
    """The console in a browser, which `fanfold serve` serves: its token."""


@app.command()
def token(
    context: typer.Context,
    *,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Make another one; the old one and all sessions end.")
    ] = False,
) -> int:
    """Print the token for the sign-in form, and for Authorization: Bearer.

    Whoever has it may see everything and act. It is kept in the database file, made by the first
    who asks, and is in no log.

    Examples:
      fanfold console token
      fanfold console token --rotate    # somebody should not have it any more
      curl -H "Authorization: Bearer $(fanfold console token)" http://127.0.0.1:8080/healthz

    Exit codes: 0 printed · 2 on Google Cloud, which has none · 5 the file cannot be used
    """
    session = Session.of(context)
    if session.settings.backend != "embedded":
        raise CommandError(
            "on Google Cloud the console has no token: IAP or IAM says who may look", SERVE_EMBEDDED
        )
    with open_parts(session) as (parts, _):
        assert isinstance(parts.bus, SqliteBus)  # noqa: S101 - the embedded backend's own
        made = rotate_console_token if rotate else console_token
        out(made(parts.bus.database))
    return OK
