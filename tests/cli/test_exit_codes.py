"""What a command exits with: 1 says that a run failed, and nothing else ever does."""

from __future__ import annotations

import errno
import inspect
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.cli.conftest import Folder

from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.cli import exit_codes
from fanfold.cli.exit_codes import CODE_OF_STATUS, FAILED, CommandError
from fanfold.cli.output.trouble import trouble_of
from fanfold.domain.model import errors
from fanfold.domain.model.states import RunStatus

#: Exit codes of Python's own, for a traceback and for a stream that fails at the very end.
PYTHONS = (1, 120)

#: How a shell takes a stream away from a command, and what that command may then exit with.
STREAMS = {
    ">/dev/full": (exit_codes.UNREACHABLE,),
    ">/dev/full 2>/dev/full": (exit_codes.UNREACHABLE,),
    ">&-": (0,),
    "2>&-": (0,),
    "2>/dev/full": (0,),
    ">&- 2>&- <&-": (0,),
}

#: Commands that end with 0 after a run that succeeded, and write to stdout.
COMMANDS = (
    "status",
    "report --format json",
    "report --format html",
    "check",
    "dead-letters list",
    "run",
    "--help",
)


def every_error() -> Iterator[Exception]:
    """Give one error of every class that fanfold raises on purpose."""
    samples = {"float": 1.0, "Sequence[str]": ["no"]}
    waiting: list[type[errors.FanfoldError]] = [errors.FanfoldError]
    while waiting:
        each = waiting.pop()
        waiting += [one for one in each.__subclasses__() if one.__module__ == errors.__name__]
        asked = vars(each).get("__init__")
        given = list(inspect.signature(asked).parameters.values())[1:] if asked else [None]
        kinds = [kind for kind in given if kind is None or kind.kind is not kind.KEYWORD_ONLY]
        yield each(*(samples.get(kind.annotation, "why") if kind else "why" for kind in kinds))


@pytest.mark.parametrize("error", list(every_error()), ids=lambda error: type(error).__name__)
def test_no_error_of_ours_is_taken_for_a_failed_run(error: Exception) -> None:
    trouble = trouble_of(error)
    assert trouble is not None
    assert trouble.code in (exit_codes.USAGE, exit_codes.UNREACHABLE)
    assert trouble.next_command


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_no_error_of_the_system_is_taken_for_a_failed_run(number: int) -> None:
    trouble = trouble_of(OSError(number, "why", "a-file"))
    assert trouble is not None
    assert trouble.code == exit_codes.UNREACHABLE
    assert trouble.text.endswith("a-file")


def test_what_nobody_foresaw_is_a_bug() -> None:
    assert trouble_of(ValueError("surprise")) is None
    error = CommandError("no", "fanfold check")
    assert error.code == exit_codes.USAGE


def test_only_runs_that_failed_or_were_cancelled_exit_with_1() -> None:
    ones = {status for status, code in CODE_OF_STATUS.items() if code == FAILED}
    assert ones == {"failed", "cancelled"}
    assert set(CODE_OF_STATUS) >= {status.value for status in RunStatus}


def test_a_sweep_that_meets_trouble_does_not_exit_with_1(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.configure({"dvf": "slow/2"})
    assert folder.run("run", "--wait-timeout", "100ms").code == 3

    def fail(*_: object) -> None:
        raise errors.StoreUnavailable("locked")

    monkeypatch.setattr(SqliteLedger, "all_answered", fail)
    swept = folder.run("sweep")
    assert (swept.code, "trouble: " in swept.out) == (exit_codes.UNREACHABLE, True)


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_that_is_full_or_closed_is_no_traceback(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, stream: str, buffered: bool
) -> None:
    # A buffer is written at the very end, where Python itself would exit with 120.
    monkeypatch.setenv("PYTHONUNBUFFERED", "" if buffered else "1")
    assert folder.run("run").code == 0
    for command in COMMANDS if buffered else COMMANDS[:2]:
        done = subprocess.run(
            f"exec {sys.executable} -m fanfold {command} {stream}",
            shell=True,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode in STREAMS[stream], (command, done)
        assert done.returncode not in PYTHONS
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr


def test_a_run_goes_on_though_nobody_reads_its_progress(folder: Folder) -> None:
    process = folder.spawn("run", "--format", "json")
    assert process.stderr is not None
    process.stderr.close()
    process.stderr = None
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert '"status": "succeeded"' in out or '"status":"succeeded"' in out


def test_a_pipe_closed_early_has_a_code_of_its_own(folder: Folder) -> None:
    folder.run("run")
    done = subprocess.run(
        f"set -o pipefail; {sys.executable} -m fanfold report --format html | head -c 1 | wc -c",
        shell=True,
        executable="/bin/bash",
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (0, exit_codes.PIPE_CLOSED)
    assert done.stderr == ""
