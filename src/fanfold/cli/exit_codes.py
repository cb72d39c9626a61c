"""Exit codes, and how every kind of trouble becomes one sentence and the next command to type."""

from __future__ import annotations

from dataclasses import dataclass

from fanfold.domain.model.errors import (
    BusUnavailable,
    FanfoldError,
    NotConfigured,
    Rejected,
    StoreUnavailable,
    Transient,
    UnknownRun,
)

OK = 0  #: all collectors succeeded, or nothing was due, or it was only planned
FAILED = 1  #: finished, and something failed or was cancelled
USAGE = 2  #: usage or configuration error, or a refused request: nothing was started
GAVE_UP = 3  #: waited long enough; the run goes on
OVERDUE = 4  #: a run is missing or overdue
UNREACHABLE = 5  #: the backend cannot be reached
BUG = 70  #: a bug of ours: sysexits' EX_SOFTWARE, so that no script takes it for a failed run
INTERRUPTED = 130  #: Ctrl-C or SIGTERM; the run is kept
PIPE_CLOSED = 141  #: whoever read the output had enough

#: The exit code for a run of this status; a run under way is no failure.
CODE_OF_STATUS = {
    "succeeded": OK,
    "planned": OK,
    "dispatching": OK,
    "running": OK,
    "failed": FAILED,
    "cancelled": FAILED,
    "rejected": USAGE,
    "missed": OVERDUE,
}


class CommandError(Exception):
    """The command cannot go on.

    Args:
        text: What is wrong, one sentence or several lines.
        next_command: What to type next.
        code: The exit code.
    """

    def __init__(self, text: str, next_command: str, code: int = USAGE) -> None:
        super().__init__(text)
        self.text = text
        self.next_command = next_command
        self.code = code


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is printed, and what the command exits with."""

    text: str
    next_command: str
    code: int


def trouble_of(exc: Exception) -> Trouble | None:
    """Return what to say of *exc*, or None if nobody foresaw it."""
    match exc:
        case CommandError():
            return Trouble(f"error: {exc.text}", exc.next_command, exc.code)
        case StoreUnavailable():
            return Trouble(
                f"error: the ledger cannot be reached: {exc}",
                "fanfold --db FILE status   # another file; FANFOLD_DB names the usual one",
                UNREACHABLE,
            )
        case BusUnavailable():
            return Trouble(
                f"error: the bus cannot be reached: {exc}", "fanfold status", UNREACHABLE
            )
        case Rejected():
            problems = "\n".join(f"error: {problem}" for problem in exc.problems)
            return Trouble(problems, "fanfold check   # lists the collectors", USAGE)
        case UnknownRun():
            return Trouble(f"error: there is no run {exc.run_id!r}", "fanfold status", USAGE)
        case NotConfigured():
            return Trouble(f"error: {exc}", "fanfold check", USAGE)
        case FanfoldError():
            return _other(exc)
        case OSError():
            where = f": {exc.filename}" if exc.filename else ""
            return Trouble(
                f"error: {exc.strerror or exc}{where}", "fanfold report   # prints it again", FAILED
            )
    return None


def _other(exc: FanfoldError) -> Trouble:
    render = getattr(exc, "render", None)
    if render is not None:  # ConfigError: it brings its own lines, and its module stays unloaded
        return Trouble(str(render()), "fanfold check   # after the change", USAGE)
    code = UNREACHABLE if isinstance(exc, Transient) else USAGE
    return Trouble(f"error: {exc}", "fanfold status", code)
