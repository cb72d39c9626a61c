"""The command line: global options, the verbs, and one place where trouble becomes a code."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from fanfold import __version__
from fanfold.cli.exit_codes import BUG, INTERRUPTED, OK, PIPE_CLOSED, USAGE
from fanfold.cli.output.as_called import called
from fanfold.cli.output.terminal import discard, prepare_streams
from fanfold.cli.output.trouble import trouble_of
from fanfold.cli.output.words import VERBOSE, next_line
from fanfold.domain.model.errors import words_of
from fanfold.domain.syntax.text import printable

#: Every verb, in the order of the help, with the sentence that the help says of it. The verb
#: ``dead-letters`` is ``commands/dead_letters.py``, which is loaded when the verb is called.
VERBS = {
    "demo": "Run the four example collectors once, offline.",
    "init": "Write a first configuration, with two collectors.",
    "run": "Run collectors now and wait for the one report.",
    "retry": "Ask again what did not succeed in a run.",
    "status": "Say who is not well, what is overdue and what is next.",
    "history": "List runs, missed slots and refused requests.",
    "backfill": "Make up for the slots that have no run.",
    "report": "Print the report of a run.",
    "cancel": "End a run now, or one collector of it.",
    "pause": "Keep collectors or schedules from being asked.",
    "resume": "End a pause.",
    "check": "Check the configuration.",
    "probe": "Call one collector outside of any run.",
    "doctor": "Look at all that a run needs, and start nothing.",
    "serve": "Keep schedules and answer callbacks on this machine.",
    "console": "Print the token of the console that serve serves.",
    "sweep": "Once: close overdue runs, and repair those that stopped.",
    "dead-letters": "List messages that failed; publish them again.",
    "notify": "Send a sample to everybody who is told of runs.",
    "event": "Print the message that asks for a run.",
    "config": "Show the configuration as it is used, or its schema.",
    "completion": "Print the script by which a shell completes.",
}

#: The line under every command's help.
EPILOG = (
    "Global options (--config, --db, --backend, -v, --color) may come anywhere on the line. "
    "RUN is an id, the start of one, latest, or latest~1 for the one before."
)

#: Options of the whole command that take a value, and those that do not.
_VALUED = ("--config", "-c", "--db", "--backend", "--color")
_FLAGS = ("-v", "--verbose")

#: Paragraphs of a help text whose lines are kept apart.
_LISTS = re.compile(r"^(?=Examples:|Exit codes:)", re.MULTILINE)


class Verbs(TyperGroup):
    """The verbs, of which only the one that is called is loaded."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.help = _laid_out(self.help)
        self.commands = {
            verb: TyperCommand(verb, help=sentence, rich_markup_mode=None)
            for verb, sentence in VERBS.items()
        }

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return what is left of *args* behind the options of the whole command."""
        _take_as_typed(self, ctx)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the verb's name, the loaded verb, and its arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None:
            command = load_verb(name)
            _take_as_typed(command, ctx)
        return name, command, rest


def load_verb(verb: str) -> TyperCommand | TyperGroup:
    """Return the command of *verb*, from the module in ``commands/`` that has its name."""
    module = import_module(f"fanfold.cli.commands.{verb.replace('-', '_')}")
    command: Any = typer.main.get_command(module.app)
    for each in (command, *getattr(command, "commands", {}).values()):
        each.help = _laid_out(each.help)
        each.epilog = EPILOG
    return command  # type: ignore[no-any-return]


class _AsTyped:
    """Takes a text or a flag as it was typed."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return *value*: there is nothing to check in it."""
        del param, ctx
        return value


def _take_as_typed(command: Any, ctx: Any) -> None:
    """Let no pydantic be loaded for the options of *command* that are one text or a flag.

    typer checks every value with it, and to load it takes longer than most verbs.
    """
    for each in command.get_params(ctx):
        kind = getattr(getattr(each, "type_descriptor", None), "annotation", None)
        if kind in {str, bool} and each.nargs == 1 and not each.multiple:
            each._runtime_param = _AsTyped()  # noqa: SLF001 - typer has no way of its own


def _laid_out(help_text: str | None) -> str:
    r"""Return *help_text* with ``\b`` before each list, which keeps its lines as they are."""
    return _LISTS.sub("\b\n", help_text or "")


app = typer.Typer(
    name="fanfold",
    cls=Verbs,
    rich_markup_mode=None,  # plain help: quick, and the same in a pipe
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 all succeeded · 1 something failed · 2 usage or configuration · "
    "3 gave up waiting · 4 a run is missing · 5 backend unreachable · 130 interrupted.",
)


def _print_version(is_asked: bool) -> None:  # noqa: FBT001 - typer calls it
    if is_asked:
        sys.stdout.write(f"fanfold {__version__}\n")
        raise typer.Exit


@app.callback()
def fanfold(
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
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Fan out to HTTP collectors, fold their answers into one report per run.

    Examples:
      fanfold demo                      # four example collectors and one run, offline
      fanfold init                      # a first configuration, to fill in
      fanfold check                     # is config/config.yaml right?
      fanfold run                       # run every enabled collector and wait
      fanfold run dvf plu --format json # two of them; the report as JSON
      fanfold retry                     # ask again what failed in the latest run
      fanfold doctor                    # is all there that a run needs?
      fanfold status                    # is every collector well, when is the next run?
      fanfold serve                     # schedules, callbacks and sweep on one machine
    """
    # The verb reads these options: see Session.of.
    del config, db, backend, verbose, color, version


def run_command_line(arguments: list[str]) -> int:
    """Run the command that *arguments* name and return its exit code; nothing is raised."""
    prepare_streams()
    with called(arguments):
        code = _ended(lambda: _run(arguments), is_verbose=any(flag in arguments for flag in _FLAGS))
    # What stays in a buffer is written here, while its failure can still become a code.
    flushed = _ended(_flush, is_verbose=False)
    return flushed or code


def _run(arguments: list[str]) -> int:
    code: Any = app(_hoisted(arguments), prog_name="fanfold", standalone_mode=False)
    return code if isinstance(code, int) else OK


def _flush() -> int:
    sys.stdout.flush()
    return OK


def _ended(work: Callable[[], int], *, is_verbose: bool) -> int:
    """Return the exit code of *work*; whatever it raises is explained on stderr."""
    try:
        return work()
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        discard(sys.stdout)
        return PIPE_CLOSED
    except SystemExit as exc:  # the library's own way out: of a closed pipe, with 1
        return PIPE_CLOSED if exc.code else OK
    except Exception as exc:  # noqa: BLE001 - the one place where every trouble ends
        if isinstance(exc, OSError):
            discard(sys.stdout)  # a full disk: what is left in the buffer would fail again
        return _explain(exc, is_verbose=is_verbose)


def _explain(exc: Exception, *, is_verbose: bool) -> int:
    trouble = trouble_of(exc)
    if trouble is not None:
        if is_verbose and exc.__cause__ is not None:
            traceback.print_exception(exc, file=sys.stderr)
        return _tell(trouble.text, trouble.next_command, trouble.code)
    if isinstance(exc, typer.exceptions.TyperException):
        text = exc.format_message()
        if text.startswith("Usage: "):  # the help that a command without arguments is answered with
            return _tell(text, "", USAGE)
        return _tell(f"error: {text}", _help_for(exc), USAGE)
    if is_verbose:
        traceback.print_exception(exc, file=sys.stderr)
    text = f"error: a bug in fanfold {__version__}, please report it: {words_of(exc):.500}"
    return _tell(text, VERBOSE, BUG)


def _tell(text: str, next_command: str, code: int) -> int:
    """Write *text* and the next command to stderr, if it can be written to; return *code*."""
    following = f"{next_line(next_command)}\n" if next_command else ""
    try:
        sys.stdout.flush()
        sys.stderr.write(printable(f"{text}\n{following}"))
        sys.stderr.flush()
    except (OSError, ValueError):
        discard(sys.stderr)
    return code


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
