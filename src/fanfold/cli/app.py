"""The command line: global options, the commands, and one place where trouble becomes a code."""

from __future__ import annotations

import contextlib
import sys
import traceback
from typing import Annotated, Any

import typer

from fanfold import __version__
from fanfold.cli.commands import (
    cancel,
    check,
    dead_letters,
    demo,
    event,
    report,
    retry,
    run,
    serve,
    status,
    sweep,
)
from fanfold.cli.commands import config as show
from fanfold.cli.exit_codes import BUG, INTERRUPTED, PIPE_CLOSED, USAGE, trouble_of
from fanfold.cli.output.terminal import clean, discard_stdout, tolerate_encodings
from fanfold.cli.session import open_session

#: The line under every command's help.
EPILOG = (
    "Global options (--config, --db, --backend, -v, --color) may stand anywhere on the line. "
    "RUN is an id, the start of one, latest, or latest~1 for the one before."
)

app = typer.Typer(
    name="fanfold",
    rich_markup_mode=None,  # plain help: quick, and the same in a pipe
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 all succeeded · 1 something failed · 2 usage or configuration · "
    "3 gave up waiting · 4 a run is missing · 5 backend unreachable · 130 interrupted.",
)

#: Options of the whole command that take a value, and those that do not.
_VALUED = ("--config", "-c", "--db", "--backend", "--color")
_FLAGS = ("-v", "--verbose")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    if wanted:
        sys.stdout.write(f"fanfold {__version__}\n")
        raise typer.Exit


@app.callback()
def fanfold(
    context: typer.Context,
    *,
    config: Annotated[
        str | None,
        typer.Option("--config", "-c", metavar="FILE", help="The configuration [FANFOLD_CONFIG]."),
    ] = None,
    db: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The embedded backend's SQLite file [FANFOLD_DB]."),
    ] = None,
    backend: Annotated[
        str | None, typer.Option(metavar="NAME", help="embedded or google [FANFOLD_BACKEND].")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more, and show the traceback of a bug.")
    ] = False,
    color: Annotated[
        str, typer.Option(metavar="WHEN", help="auto, always or never; NO_COLOR is honoured.")
    ] = "auto",
    version: Annotated[  # noqa: ARG001 - its callback prints it
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Fan out to HTTP collectors, fold their answers into one report per run.

    \b
    Examples:
      fanfold demo                      # four example collectors and one run, offline
      fanfold check                     # is config/config.yaml right?
      fanfold run                       # run every enabled collector and wait
      fanfold run dvf plu --format json # two of them; the report as JSON
      fanfold retry                     # ask again what failed in the latest run
      fanfold status                    # how did the last run go, when is the next?
      fanfold serve                     # schedules, callbacks and sweep on one machine
    """  # noqa: D301 - \b keeps the lines of the examples apart
    context.obj = open_session(
        config=config, database=db, backend=backend, verbose=verbose, colour=color
    )


for room in (demo, run, retry, status, report, cancel, check, serve, sweep):
    app.command(epilog=EPILOG)(room.command)
    app.registered_commands[-1].name = room.__name__.rpartition(".")[2]
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(event.app, name="event")
app.add_typer(show.app, name="config")


def run_command_line(arguments: list[str]) -> int:
    """Run the command that *arguments* name and return its exit code; nothing is raised."""
    tolerate_encodings()
    verbose = any(flag in arguments for flag in _FLAGS)
    try:
        code: Any = app(_hoisted(arguments), prog_name="fanfold", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        with contextlib.suppress(OSError, ValueError):
            discard_stdout()
        return PIPE_CLOSED
    except SystemExit:  # the library's own way out of a closed pipe
        return PIPE_CLOSED
    except Exception as exc:  # noqa: BLE001 - the one place where every trouble ends
        return _explain(exc, verbose=verbose)
    else:
        return code if isinstance(code, int) else 0


def _explain(exc: Exception, *, verbose: bool) -> int:
    trouble = trouble_of(exc)
    if trouble is not None:
        _say(trouble.text, trouble.next_command)
        if verbose and exc.__cause__ is not None:
            traceback.print_exception(exc, file=sys.stderr)
        return trouble.code
    if isinstance(exc, typer.exceptions.TyperException):
        if not _is_complaint(exc):
            sys.stderr.write(exc.format_message() + "\n")
            return USAGE
        _say(f"error: {exc.format_message()}", _help_for(exc))
        return USAGE
    if isinstance(exc, typer.Abort):
        return INTERRUPTED
    if verbose:
        traceback.print_exception(exc, file=sys.stderr)
    _say(
        f"error: a bug in fanfold {__version__}, please report it: {exc!r:.500}",
        "the same command with -v   # shows the traceback",
    )
    return BUG


def _is_complaint(exc: typer.exceptions.TyperException) -> bool:
    """Return whether *exc* is about arguments, and not the help that none are answered with."""
    return not exc.format_message().startswith("Usage: ")


def _say(text: str, next_command: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"{clean(text)}\n  next: {clean(next_command)}\n")
    sys.stderr.flush()


def _help_for(exc: Exception) -> str:
    context = getattr(exc, "ctx", None)
    return f"{context.command_path if context else 'fanfold'} --help"


def _hoisted(arguments: list[str]) -> list[str]:
    """Return *arguments* with the options of the whole command in front, wherever they stood."""
    front: list[str] = []
    rest: list[str] = []
    left = iter(arguments)
    for each in left:
        if each == "--":
            rest += [each, *left]
        elif each in _VALUED:
            value = next(left, None)
            front += [each] if value is None else [each, value]
        elif each in _FLAGS or each.startswith(tuple(f"{name}=" for name in _VALUED)):
            front.append(each)
        else:
            rest.append(each)
    return front + rest
