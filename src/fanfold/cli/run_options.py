"""Which collectors to ask, from the options that ``run`` and ``event run`` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fanfold.cli.exit_codes import CommandError
from fanfold.domain.model import names
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.protocol.strict_json import NotJson, read_json

if TYPE_CHECKING:
    from datetime import datetime

    from fanfold.domain.model.collector import Catalogue, CollectorHistory
    from fanfold.domain.model.run import Entry, Run

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAMES]...", help="Collectors to ask; none: every enabled one."),
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
Force = Annotated[
    bool, typer.Option("--force", help="Ask disabled ones too if named, and busy ones.")
]
RunId = Annotated[str | None, typer.Option("--run-id", metavar="ID", help="The id to use.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why, for people.")]


def request_of(
    collectors: Sequence[str] | None,
    *,
    tags: Sequence[str] | None,
    exclude: Sequence[str] | None,
    param: Sequence[str] | None,
    params_json: str | None,
    due: bool,
    force: bool,
    run_id: str | None,
    reason: str | None,
) -> RunRequest:
    """Return the request that the options make.

    Raises:
        CommandError: An option does not say what it could mean.
    """
    if run_id is not None and not names.is_run_id(run_id):
        raise CommandError(f"--run-id {run_id!r}: a run id is {names.RUN_ID_RULE}", _HELP)
    if reason is not None and not reason.strip():
        raise CommandError("--reason is empty", _HELP)
    return RunRequest(
        collectors=tuple(dict.fromkeys(collectors)) if collectors else None,
        tags=tuple(tags or ()),
        exclude=tuple(exclude or ()),
        params=params_of(collectors or (), param or (), params_json),
        due=due,
        force=force,
        run_id=run_id,
        reason=reason,
    )


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
            raise CommandError(
                "--params-json wants parameters by collector",
                f"fanfold run --params-json '{_SHOW}'",
            )
        params = {name: dict(each) for name, each in document.items()}
    for each in param:
        name, key, value = _param(each, collectors)
        params.setdefault(name, {})[key] = value
    return params


def _param(text: str, collectors: Sequence[str]) -> tuple[str, str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise CommandError(
            f"--param {text!r} wants KEY=JSON", "fanfold run dvf --param 'years=[2024]'"
        )
    name, dot, inner = key.partition(".")
    if dot and name and inner and (len(collectors) != 1 or name == collectors[0]):
        return name, inner, _json(f"--param {key}", value)
    if len(collectors) == 1:
        return collectors[0], key, _json(f"--param {key}", value)
    raise CommandError(
        f"--param {key}: whose parameter? Name one collector, or write NAME.KEY=JSON",
        f"fanfold run --param 'dvf.{key}=…'",
    )


def _json(option: str, text: str) -> Any:
    try:
        return read_json(text)
    except NotJson as exc:
        raise CommandError(
            f"{option}: {text!r:.80} is not JSON: {exc}; a text is written in quotes",
            """fanfold run plu --param 'commune="35238"'""",
        ) from exc


def planned(
    request: RunRequest,
    catalogue: Catalogue,
    *,
    now: datetime,
    pasts: Mapping[str, CollectorHistory],
    busy: Mapping[str, str],
) -> tuple[Run, Sequence[Entry]]:
    """Return the run that *request* would start, and its manifest, without starting it.

    Raises:
        Rejected: It cannot start; with one sentence for each problem.
    """
    from fanfold.app.dispatch import draft  # noqa: PLC0415 - only who asks for a run pays for it

    arrival = Arrival("asked by hand", now)
    return draft(request, arrival, catalogue, pasts=pasts, busy=busy, now=now, writer="plan")


_HELP = "fanfold run --help"
_SHOW = '{"dvf": {"years": [2024]}}'
