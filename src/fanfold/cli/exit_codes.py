"""The exit codes, and the error by which a command ends with one of them."""

from __future__ import annotations

OK = 0  #: all collectors succeeded, or nothing was due, or it was only planned
FAILED = 1  #: a run finished, and something in it failed or was cancelled; never an error of ours
USAGE = 2  #: usage or configuration error, or a refused request: nothing was started
GAVE_UP = 3  #: waited long enough; the run goes on
OVERDUE = 4  #: a run is missing or overdue
UNREACHABLE = 5  #: the backend, or a file or stream that the command needs, cannot be used
BUG = 70  #: a bug in fanfold: sysexits' EX_SOFTWARE, so that no script takes it for a failed run
INTERRUPTED = 130  #: Ctrl-C, SIGTERM or SIGHUP; the run is kept
PIPE_CLOSED = 141  #: whoever read the output had enough

#: The exit code for a run of each status; a run under way is no failure.
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
