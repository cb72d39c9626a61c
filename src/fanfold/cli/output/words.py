"""Words that the commands share: the next command to type, formats, and times from now.

Every command line that a message proposes is made here, so that all of them can be tried.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from fanfold.cli.exit_codes import CommandError
from fanfold.cli.output.as_called import as_called
from fanfold.domain.model import names
from fanfold.domain.syntax import durations
from fanfold.domain.syntax.command_line import commented, fanfold, quoted
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import is_visible, weekday

#: Most collectors that a proposed command names behind its ``#``.
MOST_NAMED = 5

#: The formats in which ``run``, ``retry`` and ``status`` print a run.
FORMS = ("table", "json", "markdown")

FIRST_RUN = fanfold("run", why="or fanfold demo")
RUN_OR_ANOTHER_FILE = fanfold("run", why="makes it; or name the usual one with --db or FANFOLD_DB")
DRY_RUN = fanfold("run", "--dry-run", why="what would run now")
RUN_WITH_ANOTHER_ID = fanfold("run", why="without --run-id")
RUN_WHAT_IS_DUE = fanfold(
    "run", "--due", why="makes up for it; fanfold serve keeps to the schedule"
)
SLOTS_THAT_WERE = fanfold("history", "--status", "missed", why="lists the slots that were missed")
FAILED_RUNS = fanfold("history", "--status", "failed", why="then fanfold retry RUN for each")
SWEEP_NOW = fanfold("sweep", why="ends it; a fanfold serve sweeps every minute")
RUN_SOMETHING = fanfold("run", why="or with --due, or with names")
PARAMETER = fanfold("run", "dvf", "--param", "years=[2024]")
TEXT_PARAMETER = fanfold("run", "plu", "--param", 'commune="35238"')
PARAMETERS_JSON = fanfold("run", "--params-json", '{"dvf": {"years": [2024]}}')

PROBE_URL = fanfold("probe", "http://localhost:8080", why="or the name of a collector")
PROBE_TIMEOUT = fanfold("probe", "dvf", "--timeout", "30s")

RETRY_WHAT_FAILED = fanfold("retry", why="asks again whoever does not succeed")

STATUS = fanfold("status")
STATUS_LATEST = fanfold("status", "latest")
STATUS_OF_ANOTHER_FILE = fanfold(
    "--db", "FILE", "status", why="another file; FANFOLD_DB names the usual one"
)
EARLIER_RUN = fanfold("status", why="shows the earlier run that still asks them")
REPORT_TO_A_FILE = fanfold("report", "-o", "OTHER")
REPORT_COMPARED = fanfold("report", "latest", "--compare", "latest~1")
REPORT_ONLY_FAILED = fanfold("report", "--only", "failed")

CHECK = fanfold("check")
CHECK_WHAT_IS_THERE = fanfold("check", why="is what is there right?")
CHECK_AGAIN = fanfold("check", why="after the change")
CHECK_FIRST = fanfold("check", why="what could not be read? nothing can be started before")
PAUSED_NOW = fanfold("pause", why="lists what is paused")
CHECK_LISTS = fanfold("check", why="lists the collectors")
REPORT_FOLDER = f"set report.folder in the configuration, then {CHECK}"

SERVE_WORKS = fanfold("serve", why="works on what was published")
SERVE_WORKS_TOO = fanfold("serve", why="or any fanfold run on this file works on it too")
SERVE_ANY_PORT = fanfold("serve", "--port", "0", why="any free one")
SERVE_AGAIN = fanfold("serve", why="works on the file that is there now")
SERVE_EMBEDDED = commented("unset FANFOLD_BACKEND", "or deploy infra/")
SWEEP_LATER = fanfold("sweep", why="once it can be written: writes what is missing")

LETTERS = fanfold("dead-letters", "list")
REPLAY_ONE = fanfold("dead-letters", "replay", "ID", why="once its reason is gone")
SERVE_LETTERS = fanfold("serve", why="works on them; fanfold dead-letters list shows what is left")

DEMO = fanfold("demo")
INSTALL_AGAIN = f"{quoted(sys.executable)} -m pip install --force-reinstall 'fanfold[cli]'"
DEMO_FAULT = fanfold("demo", "--fault", "plu=empty")
SHOW_ORIGINS = fanfold("config", "show", "--origin", why="where each value is from")
SHOW_PROXIES = "env | grep -i _proxy"
SHOW_CLOCK = commented("timedatectl", "is the clock synchronised?")
LOG_IN = "gcloud auth application-default login"
NAME_THE_PROJECT = "export GOOGLE_CLOUD_PROJECT=my-project"
APPLY_INFRA = commented("terraform -chdir=infra apply", "makes what is missing")
APPLY_ALERTS = commented(
    "terraform -chdir=infra apply -var alert_email=you@example.com", "or notification_channels"
)
SWEEP_BY_HAND = commented(
    "gcloud scheduler jobs list --location=REGION", "does the sweep's job run?"
)
CONNECT_TO_GOOGLE = commented(
    "curl -sS -m 10 -o /dev/null https://firestore.googleapis.com", "does it answer?"
)
VERBOSE = commented("the same command with -v", "shows the traceback")
SPACE = commented("df -h", "a full disk? then the same command again")


def help_of(*verbs: str) -> str:
    """Return the command that explains *verbs*."""
    return fanfold(*verbs, "--help")


def status_of(run_id: str, why: str = "") -> str:
    """Return the command that says how far a run is."""
    return fanfold("status", run_id, why=why)


def policy_of(project: str) -> str:
    """Return the command that prints who may do what in the whole of *project*."""
    return f"gcloud projects get-iam-policy {quoted(project)}"


def status_in(database: object, config: object = None) -> str:
    """Return the command that says how the last run in the file *database* went.

    Where the usual configuration would not be that of the run, *config* is.
    """
    given = () if config is None else ("--config", str(config))
    return fanfold(*given, "--db", str(database), "status")


def report_of(run_id: str) -> str:
    """Return the command that prints a run's report."""
    return fanfold("report", run_id)


def retry_of(run_id: str, collectors: Sequence[str]) -> str:
    """Return the command that asks *collectors* again, all that failed in the run."""
    few = len(collectors) <= MOST_NAMED
    asked = f"{', '.join(collectors)} only" if few else f"{len(collectors)} collectors"
    return fanfold("retry", run_id, why=asked)


def run_anew(collectors: Sequence[str]) -> str:
    """Return the command that asks *collectors* in a run of their own."""
    few = collectors[:MOST_NAMED]
    return fanfold("run", *few, why="asks them anew")


def go_on_with(run_id: str, retry_of: str | None = None) -> str:
    """Return the command that goes on with a run that is kept, a retry of *retry_of* if given."""
    if retry_of is not None:
        return fanfold("retry", retry_of, why="goes on with its retry; fanfold status shows it")
    return fanfold("run", "--run-id", run_id, why="goes on with it; fanfold status shows it")


def whose_parameter(key: str) -> str:
    """Return the command that gives parameter *key* to one collector."""
    return fanfold("run", "--param", f"dvf.{key}=…")


def replay_on(letter_id: str, topic: str = "TOPIC") -> str:
    """Return the command that publishes a dead letter on *topic*."""
    end_of_options = ["--"] if letter_id.startswith("-") else []
    return fanfold("dead-letters", "replay", "--topic", topic, *end_of_options, letter_id)


def fault_of(collector: str) -> str:
    """Return the command that shows a demo in which *collector* answers nothing."""
    return fanfold("demo", "--fault", f"{collector}=empty")


def read_variables(example: os.PathLike[str], variables: Path) -> str:
    """Return the command that sets *variables*, at first a copy of *example*, and then checks.

    A file of variables that is there already is not copied over.
    """
    copied = "" if variables.exists() else f"cp {quoted(os.fspath(example))} {variables} && "
    return f"{copied}set -a && . ./{variables} && set +a && {CHECK}"


def look_up(place: str) -> str:
    """Return the command that looks the name in *place*, a host and a port, up."""
    return f"getent hosts {quoted(place.rpartition(':')[0])}"


def show_certificates(place: str) -> str:
    """Return the command that shows whose certificates *place*, a host and a port, presents."""
    host = quoted(place.rpartition(":")[0])
    return f"openssl s_client -connect {quoted(place)} -servername {host} < /dev/null"


def connect_to(place: str) -> str:
    """Return the command that connects to *place*, a host and a port, and sends nothing."""
    return commented(f"curl -v -m 10 telnet://{quoted(place)} < /dev/null", "is it up? a firewall?")


def users_of(path: os.PathLike[str]) -> str:
    """Return the command that says which processes have *path* open."""
    return f"fuser -v {quoted(os.fspath(path))}"


def whose(path: os.PathLike[str]) -> str:
    """Return the command that says whose *path* and what is beside it are."""
    return f"ls -ld {quoted(os.fspath(path))}*"


def space_at(folder: os.PathLike[str]) -> str:
    """Return the command that says how much room is left where *folder* is."""
    return f"df -h {quoted(os.fspath(folder))}"


def make_missing(folder: os.PathLike[str]) -> str:
    """Return the command that makes *folder*."""
    return f"mkdir -p {quoted(os.fspath(folder))}"


def list_folder(folder: os.PathLike[str]) -> str:
    """Return the command that says who may write to *folder*."""
    return commented(f"ls -ld {quoted(os.fspath(folder))}", "or set report.folder to another one")


def list_owner(path: str) -> str:
    """Return the command that says whose *path* is, and its folder."""
    both = (os.path.dirname(os.path.abspath(path)), path)  # noqa: PTH100, PTH120 - never raise
    return commented(f"ls -ld {' '.join(map(quoted, both))}", "whose are they? who may read them?")


def open_page(page: os.PathLike[str]) -> str:
    """Return the command that opens *page* in the desktop's browser."""
    return f"xdg-open {quoted(os.fspath(page))}"


def next_line(command: str) -> str:
    """Return the line that proposes *command* after a message."""
    return f"  next: {as_called(command)}"


def next_row(command: str) -> str:
    """Return the line that proposes *command* under a table, beside ``report`` and ``json``."""
    return f"  next    {as_called(command)}"


def form_of(text: str, known: Sequence[str]) -> str:
    """Return *text* if it is one of the *known* formats.

    Raises:
        CommandError: It is not.
    """
    if text not in known:
        near = names.did_you_mean(text, known)
        raise CommandError(
            f"--format {text!r:.80}{near or ': use ' + ', '.join(known)}",
            f"the same command with --format {known[0]}",
        )
    return text


def in_or_ago(at: datetime, now: datetime) -> str:
    """Return ``in 19h00m`` or ``4h00m ago``."""
    seconds = (at - now).total_seconds()
    return f"in {duration(max(seconds, 0))}" if seconds >= 0 else f"{duration(-seconds)} ago"


def slot_words(at: datetime, timezone: str) -> str:
    """Return ``Tue 24 Nov 03:15 Europe/Paris``."""
    return f"{weekday(at, timezone)} {timezone}"


def json_text(document: Any) -> str:
    """Return *document* as JSON for people and programs.

    Text stays readable; what a terminal would obey is written as an escape of JSON's own.
    """
    text = json.dumps(document, ensure_ascii=False, indent=2, default=str)
    return "".join(
        each if each == "\n" or each.isprintable() or is_visible(each) else _escaped(each)
        for each in text
    )


def _escaped(character: str) -> str:
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def seconds_of(text: str, option: str) -> float:
    """Return the length of time that *text*, the value of *option*, is.

    Raises:
        CommandError: It is none.
    """
    try:
        return durations.seconds_of(text)
    except durations.NotADuration as exc:
        near = exc.fix or "write a time such as 90s, 10m or 2h"
        raise CommandError(
            f"{option} {text!r:.80}: {near}", f"the same command with {option} 30m"
        ) from exc
