"""``fanfold serve``: everything on one machine: schedules, functions, sweep, callbacks, health."""

from __future__ import annotations

import logging
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from fanfold.adapters.clock import SystemClock
from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.endpoint import Site
from fanfold.adapters.embedded.owners import Owner
from fanfold.cli.exit_codes import INTERRUPTED, OK, UNREACHABLE, CommandError
from fanfold.cli.interrupt import interruptible
from fanfold.cli.output.words import SERVE_AGAIN, SERVE_ANY_PORT, SERVE_EMBEDDED, slot_words
from fanfold.cli.runs.backend import open_parts
from fanfold.cli.runs.execute import GRACE_S
from fanfold.cli.runs.reports import check_report_folder
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import FanfoldError, Permanent
from fanfold.domain.rules import schedule
from fanfold.logs import JsonLog, Log, Outlet
from fanfold.runtime.console_token import console_token
from fanfold.runtime.parts import ConfigurationFile, Parts
from fanfold.runtime.service import Service, embedded_service

if TYPE_CHECKING:
    from fanfold.console.access import WithToken

app = typer.Typer(add_completion=False, rich_markup_mode=None)

#: How often a service looks whether its file is still in place, in seconds.
PLACE_EVERY_S = 1.0


@app.command()
def serve(
    context: typer.Context,
    *,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where the console, callbacks, /healthz, /metrics and /runs are.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="0 takes any free one.")
    ] = 8080,
) -> int:
    """Run fanfold on this machine until it is told to stop: cron schedules, sweep, callbacks.

    Events go to stdout, one JSON line each. SIGTERM, SIGHUP and Ctrl-C finish or release jobs
    under way; what is left is taken up at the next start. A changed configuration is read at once;
    one that has become wrong is logged, and the last right one stays in use.

    The console, with what runs and what failed, is at http://127.0.0.1:8080/ in a browser. It asks
    for the token that fanfold console token prints, unless console.open is true in the
    configuration and ADDRESS is a loopback one.

    Examples:
      fanfold serve
      fanfold serve --host 0.0.0.0 --port 8080
      curl -s http://127.0.0.1:8080/healthz
      curl -s http://127.0.0.1:8080/metrics

    Exit codes: 0 stopped by SIGTERM or SIGHUP · 2 configuration error, or the port is taken
    5 the file cannot be used, or was deleted or replaced · 130 stopped by Ctrl-C
    """
    session = Session.of(context)
    if session.settings.backend != "embedded":
        raise CommandError(
            "serve is the embedded backend's; on Google Cloud the functions run by themselves",
            SERVE_EMBEDDED,
        )
    log = JsonLog(_outlet(), project=session.settings.project, at_least=session.settings.log_level)
    configuration = KeptConfiguration(ConfigurationFile(session.settings, session.env), log)
    catalogue = configuration.start()
    check_report_folder(session, catalogue)
    logging.getLogger().addHandler(_Forward(log))
    with (
        interruptible() as interrupt,
        open_parts(session, log=log, catalogue=configuration) as (parts, owner),
    ):
        assert owner is not None  # noqa: S101 - the embedded backend always has one
        service = _service(parts, owner, catalogue, host, port)
        service.start()
        _say_started(service, catalogue, host, log)
        while not interrupt.wait(PLACE_EVERY_S):
            if not service.is_in_place():
                _give_up(service, session, log)
        log("INFO", "stopping", grace_s=GRACE_S)
        released = service.stop(GRACE_S)
        log("INFO", "stopped", released=released)
        return INTERRUPTED if interrupt.by == signal.SIGINT else OK


def _give_up(service: Service, session: Session, log: Log) -> NoReturn:
    """End a service whose file was taken away: nothing that it does could be kept."""
    text = f"{session.settings.database} was deleted or replaced while it was in use"
    log("CRITICAL", f"{text}; stopping")
    with suppress(FanfoldError):  # nothing can be written to the file any more
        service.stop(0.0)
    raise CommandError(text, SERVE_AGAIN, UNREACHABLE)


def _outlet() -> Outlet | None:
    """Return where events go: stdout without its buffer, which would fail once more at the end."""
    # None where the process was started with stdout closed.
    stream = sys.__stdout__
    return None if stream is None else Outlet(stream.fileno())


class _Forward(logging.Handler):
    """What libraries log goes out in the same form as everything else, and not to stderr."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self.log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write the first line of *record*; a library's words are not ours to show in full."""
        severity = "WARNING" if record.levelno < logging.ERROR else "ERROR"
        first = record.getMessage().partition("\n")[0]
        self.log(severity, f"{record.name}: {first}")


class KeptConfiguration:
    """The configuration as it now is, or as it last was right: a typing error ends no night.

    Args:
        file: Reads the file again when it changed.
        log: Told once for each new trouble, and when it is over.
    """

    def __init__(self, file: ConfigurationFile, log: Log) -> None:
        self.file = file
        self.log = log
        self._last: Catalogue | None = None
        self._trouble = ""

    def start(self) -> Catalogue:
        """Return the configuration, its warnings logged.

        Raises:
            ConfigError: It is wrong, and there is no earlier one.
        """
        loaded = self.file.load()
        for warning in loaded.warnings:
            self.log("WARNING", f"configuration: {getattr(warning, 'sentence', warning)}")
        self._last = loaded.catalogue
        return loaded.catalogue

    def __call__(self) -> Catalogue:
        """Return the configuration to work with now."""
        last = self._last
        try:
            catalogue = self.file()
        except Permanent as exc:
            if last is None:
                raise
            if str(exc) != self._trouble:
                self._trouble = str(exc)
                self.log("ERROR", f"the configuration is wrong, the last right one stays: {exc}")
            return last
        if (last is not None and catalogue.version != last.version) or self._trouble:
            self._trouble = ""
            self.log("NOTICE", "configuration read again", version=catalogue.version)
        self._last = catalogue
        return catalogue


def _service(parts: Parts, owner: Owner, catalogue: Catalogue, host: str, port: int) -> Service:
    access = _access(parts, host)
    try:
        return embedded_service(
            parts,
            owner,
            max_concurrent=catalogue.max_concurrent_collectors,
            schedules=True,
            listen=(host, port),
            site=_console(parts, access),
            may_see=access.has_token,
        )
    except (OSError, OverflowError) as exc:
        raise CommandError(
            f"cannot listen on {host}:{port}: {getattr(exc, 'strerror', None) or exc}",
            SERVE_ANY_PORT,
        ) from exc


def _access(parts: Parts, host: str) -> WithToken:
    from fanfold.console.access import WithToken  # noqa: PLC0415 - Flask, only to serve
    from fanfold.console.attempts import Attempts  # noqa: PLC0415

    bus = parts.bus
    assert isinstance(bus, SqliteBus)  # noqa: S101 - the embedded backend's own
    console_token(bus.database)  # made now, so that no request has to write it
    return WithToken(
        lambda: console_token(bus.database),
        lambda: parts.catalogue().console,
        listens_on=host,
        clock=parts.clock,
        attempts=Attempts(parts.clock, parts.log),
    )


def _console(parts: Parts, access: WithToken) -> Site:
    from fanfold.console.application import make_application  # noqa: PLC0415 - Flask, only to serve

    return make_application(parts, access, place=str(parts.settings.database.absolute()))


def _say_started(service: Service, catalogue: Catalogue, host: str, log: Log) -> None:
    slots = schedule.next_slots(catalogue, SystemClock().now(), 3)
    assert service.endpoint is not None  # noqa: S101 - serve always listens
    address = f"http://{host}:{service.endpoint.port}"
    words = ", ".join(slot_words(slot, catalogue.timezone) for slot in slots)
    log(
        "INFO",
        f"serving at {address}; next: {words or 'nothing is scheduled'}",
        address=address,
        port=service.endpoint.port,
        next_slots=[slot.isoformat() for slot in slots],
        collectors=len(catalogue.collectors),
    )
