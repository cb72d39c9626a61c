"""``fanfold demo``: the four example collectors and one run, on this machine, offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from fanfold.adapters.file_owner import make_folder
from fanfold.cli.completions import words
from fanfold.cli.exit_codes import INTERRUPTED, CommandError
from fanfold.cli.interrupt import interruptible
from fanfold.cli.output.words import (
    DEMO,
    DEMO_FAULT,
    INSTALL_AGAIN,
    fault_of,
    help_of,
    status_in,
)
from fanfold.cli.runs.execute import RunCommand, start_and_follow
from fanfold.cli.session import Session
from fanfold.devstack.example_collectors import (
    COLLECTORS,
    CONFIG,
    INSTALLED,
    example_collectors,
    examples_root,
    url_variable,
)
from fanfold.devstack.processes import Child, Children, DidNotStart, Served, StartInterrupted
from fanfold.domain.model import names
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import NotConfigured
from fanfold.domain.model.request import RunRequest
from fanfold.settings import Settings

#: Faults that an example collector can show (examples/collectors/README.md).
FAULTS = ("503", "slow", "empty", "cap", "garbage")

#: Where the demo keeps its database and reports: in the checkout, without one in this folder.
FOLDER = Path("build/demo")

#: Longest backoff of a demo's retries, in seconds: nobody watches a minute of waiting.
BACKOFF_S = 1.0


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def demo(
    context: typer.Context,
    *,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="NAME=FAULT",
            help="Let a collector fail: 503, slow, empty, cap or garbage. May be repeated.",
            autocompletion=words(*(f"{name}={fault}" for name in COLLECTORS for fault in FAULTS)),
        ),
    ] = None,
    source: Annotated[
        str,
        typer.Option(
            metavar="SOURCE",
            help="sample (offline) or live (the real APIs).",
            autocompletion=words("sample", "live"),
        ),
    ] = "sample",
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the collectors running until Ctrl-C.")
    ] = False,
) -> int:
    """Start the four example collectors, run them once, show the report, stop them again.

    Works offline on bundled samples. The database and the reports stay in build/demo, so that
    `fanfold --db build/demo/fanfold.db status` and the others have something to show.

    Examples:
      fanfold demo
      fanfold demo --fault plu=empty           # 0 records is not success
      fanfold demo --fault sirene=503 --fault dvf=garbage
      fanfold demo --source live               # asks the real APIs

    Exit codes: 0 all succeeded · 1 something failed, as with every --fault · 2 a wrong option
    """
    session = Session.of(context)
    if source not in ("sample", "live"):
        raise CommandError(f"--source {source!r:.80}: use sample or live", help_of("demo"))
    faults = _faults(fault or [], source)
    _check_names(faults)
    root = _examples_root()
    collectors = example_collectors(root, source)
    with (
        interruptible() as interrupt,
        TemporaryDirectory(prefix="fanfold-demo-") as logs,
        Children(_ignore, interrupt.is_set) as children,
    ):
        session.note(f"starting {', '.join(COLLECTORS)} ({source})")
        _start(children, [each.child(Path(logs)) for each in collectors])
        _prepare(session, root, collectors, faults)
        catalogue = _quick(session.load().catalogue, session.settings.database.parent)
        is_usual = session.settings.config == Settings().config
        hint = status_in(session.settings.database, None if is_usual else session.settings.config)
        command = RunCommand(RunRequest(reason="demo"), hint=hint)
        code = start_and_follow(session, command, catalogue=catalogue)
        if keep and code != INTERRUPTED:
            for each in collectors:
                session.note(f"  {each.name}  {each.url}")
            session.note("the collectors run until Ctrl-C")
            interrupt.wait()
        return code


def _examples_root() -> Path:
    try:
        return examples_root()
    except NotConfigured as exc:
        raise CommandError(str(exc), INSTALL_AGAIN) from exc


def _start(children: Children, collectors: Sequence[Child]) -> None:
    """Start *collectors* as *children*.

    Raises:
        CommandError: One does not start, or somebody interrupts the start.
    """
    try:
        children.start(*collectors)
    except StartInterrupted as exc:
        raise CommandError("interrupted: no run was started", DEMO, INTERRUPTED) from exc
    except DidNotStart as exc:
        raise CommandError(f"the example collector {exc}", INSTALL_AGAIN) from exc


def _ignore(_text: str) -> None:
    """Leave unsaid which process is which: a demo that works needs no word about it."""


def _faults(texts: list[str], source: str) -> Mapping[str, str]:
    """Return the fault that each collector is to show, by its name.

    Raises:
        CommandError: One cannot be read, or the live APIs are asked.
    """
    faults: dict[str, str] = {}
    for text in texts:
        name, equals, fault = text.partition("=")
        if not equals or fault not in FAULTS:
            near = names.did_you_mean(fault, FAULTS)
            raise CommandError(
                f"--fault {text!r:.80}{near or ': write NAME=FAULT, with ' + ', '.join(FAULTS)}",
                DEMO_FAULT,
            )
        faults[name] = fault
    if faults and source != "sample":
        raise CommandError("faults are made in the samples only", DEMO_FAULT)
    return faults


def _check_names(faults: Mapping[str, str]) -> None:
    for name in faults:
        if name not in COLLECTORS:
            near = names.did_you_mean(name, COLLECTORS)
            raise CommandError(
                f"--fault: there is no example collector {name!r:.80}{near}",
                fault_of(COLLECTORS[0]),
            )


def _prepare(
    session: Session, root: Path, collectors: Sequence[Served], faults: Mapping[str, str]
) -> None:
    """Point the session at the started collectors and at the demo's own folder."""
    variables = {
        url_variable(each.name): each.url
        + (f"?fault={faults[each.name]}" if each.name in faults else "")
        for each in collectors
    }
    settings = session.settings
    if not session.env.get("FANFOLD_DB"):
        place = Path.cwd() if root == INSTALLED else root
        settings = replace(settings, database=_shown(place / FOLDER) / "fanfold.db")
        make_folder(settings.database.parent)
    if not session.env.get("FANFOLD_CONFIG"):
        settings = replace(settings, config=_shown(root / CONFIG))
    session.env = {**session.env, **variables}
    session.settings = replace(settings, backend="embedded")


def _shown(path: Path) -> Path:
    """Return *path* as somebody in this folder would write it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _quick(catalogue: Catalogue, folder: Path) -> Catalogue:
    """Return *catalogue* with reports in the demo's folder and short waits between attempts."""
    collectors = tuple(
        replace(
            each,
            spec=replace(
                each.spec,
                backoff_s=min(each.spec.backoff_s, BACKOFF_S),
                max_backoff_s=min(each.spec.max_backoff_s, BACKOFF_S),
            ),
        )
        for each in catalogue.collectors
    )
    return replace(catalogue, collectors=collectors, report_to=str(folder / "reports"))
