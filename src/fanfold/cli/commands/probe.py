"""``fanfold probe``: call one collector outside of any run, and see what a run would make of it."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Annotated

import typer

from fanfold.cli.completions import TABLE_OR_JSON, TableOrJson, collector_names
from fanfold.cli.exit_codes import FAILED, INTERRUPTED, OK, CommandError
from fanfold.cli.interrupt import interruptible
from fanfold.cli.output.checked import check_lines, conformance_document, conformance_verdict
from fanfold.cli.output.probed import is_good, probe_lines
from fanfold.cli.output.probed_document import probe_document
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import PROBE_TIMEOUT, form_of, json_text, seconds_of
from fanfold.cli.run_options import Param, ParamsJson
from fanfold.cli.runs.callback_listener import listening
from fanfold.cli.runs.conform import Conformance
from fanfold.cli.runs.probe import Prober, Stopped
from fanfold.cli.runs.probe_target import Target, target_of
from fanfold.cli.session import Session
from fanfold.domain.protocol.conformance import Result
from fanfold.domain.syntax.urls import read_url
from fanfold.runtime.collector_client import tracing_client

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def probe(
    context: typer.Context,
    whom: Annotated[
        str,
        typer.Argument(
            metavar="NAME|URL",
            help="A collector of the configuration, or any URL.",
            autocompletion=collector_names,
        ),
    ],
    *,
    conformance: Annotated[
        bool,
        typer.Option("--conformance", help="Play the contract at it: about 12 calls."),
    ] = False,
    param: Param = None,
    params_json: ParamsJson = None,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="TIME", help="Longest time of a call.")
    ] = None,
    output: TableOrJson = "table",
) -> int:
    """Call one collector outside of any run, and say what a run would make of its answer.

    It is called as a run calls it: with its credentials, parameters, proxy and timeout. Shown are
    the request (secrets masked), the way out, the time of each phase, the answer, the expectations
    held against earlier runs, when a run would ask again, and what is outside the contract with
    the line to change. Nothing is stored. A collector on this machine may answer later, to a
    callback that the command listens for.

    With --conformance the collector is called in every way that the contract knows: twice at once
    with one Idempotency-Key, too late, without parameters, with HEAD, GET and PUT, read slowly. Use
    it in the collector's own CI. The collector works about six times.

    Examples:
      fanfold probe dvf
      fanfold probe http://localhost:8080 --param 'codes=["90"]'
      fanfold probe http://localhost:8080 --param 'codes=["90"]' --conformance --format json

    Exit codes: 0 a success, or it keeps the contract · 1 it is not · 2 usage or configuration
    """
    session = Session.of(context)
    form = form_of(output, TABLE_OR_JSON)
    timeout_s = None if timeout is None else seconds_of(timeout, "--timeout")
    if timeout_s == 0:
        raise CommandError("--timeout 0s: no call ends in no time", PROBE_TIMEOUT)
    target = target_of(
        session, whom, param=param or (), params_json=params_json, timeout_s=timeout_s
    )
    with interruptible() as interrupt, ExitStack() as stack:
        listener = stack.enter_context(listening()) if _is_here(target) else None
        client = tracing_client(session.env)
        prober = Prober(client, target, interrupt, session.note, listener)
        try:
            return _conform(prober, form) if conformance else _probe(prober, form)
        except Stopped:
            session.note("stopped; nothing is stored")
            return INTERRUPTED


def _is_here(target: Target) -> bool:
    """Return whether the collector can call back to this machine's loopback."""
    try:
        return read_url(target.spec.url).is_loopback
    except ValueError:
        return False


def _probe(prober: Prober, form: str) -> int:
    probed = prober.probe()
    if form == "json":
        out(json_text(probe_document(probed)))
    else:
        for line in probe_lines(probed):
            out(line)
    return OK if is_good(probed) else FAILED


def _conform(prober: Prober, form: str) -> int:
    spec = prober.target.spec
    checks = []
    for check in Conformance(prober).checks():
        checks.append(check)
        if form == "table":
            for line in check_lines(check):
                out(line)
            sys.stdout.flush()
    if form == "json":
        out(json_text(conformance_document(spec.name, spec.url.partition("?")[0], checks)))
    else:
        out(conformance_verdict(spec.name, checks))
    return FAILED if any(each.judged.result is Result.FAILED for each in checks) else OK
