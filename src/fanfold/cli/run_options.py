"""The options of ``run``, ``retry`` and ``event run``: which collectors to ask, and how."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from fanfold.app.dispatch import draft
from fanfold.cli.completions import collector_names, missed_slots
from fanfold.cli.exit_codes import CommandError
from fanfold.cli.output.words import (
    FORMS,
    PARAMETER,
    PARAMETERS_JSON,
    SLOTS_THAT_WERE,
    TEXT_PARAMETER,
    form_of,
    help_of,
    seconds_of,
    whose_parameter,
)
from fanfold.domain.model import names
from fanfold.domain.model.collector import Catalogue, CollectorHistory
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.model.run import Entry, Run
from fanfold.domain.protocol.strict_json import NotJson, read_json
from fanfold.domain.rules.pauses import Pauses
from fanfold.domain.rules.retry import Retried
from fanfold.domain.rules.slots import read_instant

OnlyCollectors = Annotated[
    list[str] | None,
    typer.Option(
        "--collector",
        metavar="NAME",
        help="Ask this one, however it ended, and no others. May be repeated.",
        autocompletion=collector_names,
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAMES]...",
        help="Collectors to ask; none: every enabled one.",
        autocompletion=collector_names,
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="Only collectors with this tag. May be repeated."),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="NAME", help="Leave this one out. May be repeated."),
]
Param = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="KEY=JSON",
        help="A parameter of the one collector named, or NAME.KEY=JSON. May be repeated.",
    ),
]
ParamsJson = Annotated[
    str | None,
    typer.Option(
        "--params-json", metavar="JSON", help='All parameters: \'{"dvf": {"years": [2024]}}\'.'
    ),
]
Due = Annotated[bool, typer.Option("--due", help="Only what the schedule's last slot asks for.")]
Slot = Annotated[
    str | None,
    typer.Option(
        "--slot",
        metavar="TIME",
        autocompletion=missed_slots,
        help="What was due in this slot, under its own id: 2026-11-23T02:15Z.",
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Ask disabled ones too if named, and busy ones.")
]
RunId = Annotated[str | None, typer.Option("--run-id", metavar="ID", help="The id to use.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why, for people.")]
Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Wait, or only ask and print the run's id.")
]
WaitTimeout = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Wait at most 90s, 10m, 2h; the run goes on (exit 3)."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would run; ask nobody, keep nothing.")
]
Form = Annotated[str, typer.Option("--format", metavar="FORMAT", help="table, json or markdown.")]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to ask. ``wait_s`` bounds the waiting, in seconds; None does not."""

    form: str
    wait: bool
    wait_s: float | None
    dry_run: bool


def options_of(
    output: str, *, wait: bool, wait_timeout: str | None, dry_run: bool, command: str
) -> RunOptions:
    """Return how the options of *command* ask.

    Raises:
        CommandError: They do not go together, or one cannot be read.
    """
    form = form_of(output, FORMS)
    wait_s = None if wait_timeout is None else seconds_of(wait_timeout, "--wait-timeout")
    if not wait and wait_s is not None:
        raise CommandError("--wait-timeout goes with --wait", help_of(command))
    return RunOptions(form, wait, wait_s, dry_run)


def asks(command: Callable[..., int]) -> Callable[..., int]:
    """Give the verb *command* the arguments and options that make a request.

    Where ``run`` and ``event run`` agree, they agree here. *command* takes the context, the
    request as ``request``, and options of its own, which the help lists behind the shared ones.
    """

    def verb(**options: Any) -> int:
        shared = {name: options.pop(name) for name in _SHARED}
        return command(request=_request_of(**shared), **options)

    own = inspect.signature(command, eval_str=True).parameters
    parameters = [own["context"], *_SHARED.values()]
    parameters += [each for name, each in own.items() if name not in ("context", "request")]
    functools.update_wrapper(verb, command)
    verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return verb


def _request_of(
    collectors: Names = None,
    *,
    tag: Tags = None,
    exclude: Exclude = None,
    param: Param = None,
    params_json: ParamsJson = None,
    due: Due = False,
    slot: Slot = None,
    force: Force = False,
    run_id: RunId = None,
    reason: Reason = None,
) -> RunRequest:
    """Return the request that the options make.

    Raises:
        CommandError: An option does not say what it could mean.
    """
    if run_id is not None and not names.is_run_id(run_id):
        raise CommandError(
            f"--run-id {run_id!r:.80}: a run id is {names.RUN_ID_RULE}", help_of("run")
        )
    if reason is not None and not reason.strip():
        raise CommandError("--reason is empty", help_of("run"))
    if slot is not None and (due or run_id is not None):
        other = "--due" if due else "--run-id"
        raise CommandError(f"--slot and {other} do not go together", help_of("run"))
    return RunRequest(
        slot=None if slot is None else instant_of(slot, "--slot"),
        collectors=tuple(dict.fromkeys(collectors)) if collectors else None,
        tags=tuple(tag or ()),
        exclude=tuple(exclude or ()),
        params=params_of(collectors or (), param or (), params_json),
        due=due,
        force=force,
        run_id=run_id,
        reason=reason,
    )


#: What makes a request, by name, as the signature above has it.
_SHARED = inspect.signature(_request_of, eval_str=True).parameters


def instant_of(text: str, option: str) -> datetime:
    """Return the instant that *text*, the value of *option*, names.

    Raises:
        CommandError: It names none, or not in which zone.
    """
    try:
        return read_instant(text)
    except ValueError as exc:
        raise CommandError(f"{option}: {exc}", SLOTS_THAT_WERE) from exc


def params_of(
    collectors: Sequence[str], param: Sequence[str], params_json: str | None
) -> Mapping[str, Mapping[str, Any]]:
    """Return parameters by collector: ``--params-json``, and every ``--param`` laid over it.

    Raises:
        CommandError: One of them cannot be read, with what to write instead.
    """
    params: dict[str, dict[str, Any]] = {}
    if params_json is not None:
        document = _json("--params-json", params_json)
        if not isinstance(document, dict) or not all(
            isinstance(each, dict) for each in document.values()
        ):
            raise CommandError("--params-json takes parameters by collector", PARAMETERS_JSON)
        params = {name: dict(each) for name, each in document.items()}
    for each in param:
        name, key, value = _param(each, collectors)
        params.setdefault(name, {})[key] = value
    return params


def _param(text: str, collectors: Sequence[str]) -> tuple[str, str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise CommandError(f"--param {text!r:.80}: write KEY=JSON", PARAMETER)
    name, dot, inner = key.partition(".")
    if dot and name and inner and (len(collectors) != 1 or name == collectors[0]):
        return name, inner, _json(f"--param {key:.80}", value)
    if len(collectors) == 1:
        return collectors[0], key, _json(f"--param {key:.80}", value)
    raise CommandError(
        f"--param {key:.80}: whose parameter? Name one collector, or write NAME.KEY=JSON",
        whose_parameter(key),
    )


def _json(option: str, text: str) -> Any:
    try:
        return read_json(text)
    except NotJson as exc:
        raise CommandError(
            f"{option}: {text!r:.80} is not JSON: {exc}; a text is written in quotes",
            TEXT_PARAMETER,
        ) from exc


def planned(
    request: RunRequest,
    catalogue: Catalogue,
    *,
    now: datetime,
    histories: Mapping[str, CollectorHistory],
    busy: Mapping[str, str],
    retried: Retried | None = None,
    paused: Pauses = (),
) -> tuple[Run, Sequence[Entry]]:
    """Return the run that *request* would start, and its manifest, without starting it.

    Raises:
        Rejected: It cannot start; with one sentence for each problem.
    """
    arrival = Arrival("asked by hand", now)
    return draft(
        request,
        arrival,
        catalogue,
        histories=histories,
        busy=busy,
        now=now,
        writer="plan",
        retried=retried,
        paused=paused,
    )
