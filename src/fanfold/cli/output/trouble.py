"""How every kind of trouble becomes a sentence, the next command to type, and an exit code."""

from __future__ import annotations

from dataclasses import dataclass

from fanfold.cli.exit_codes import UNREACHABLE, USAGE, CommandError
from fanfold.cli.output import words
from fanfold.domain.model.errors import (
    BusUnavailable,
    FanfoldError,
    NotConfigured,
    Rejected,
    StoreUnavailable,
    Transient,
    UnknownRun,
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is printed, and what the command exits with. The code is never that of a failed run."""

    text: str
    next_command: str
    code: int


def trouble_of(exc: Exception) -> Trouble | None:
    """Return what to say of *exc*, or None if nobody foresaw it: then it is a bug."""
    match exc:
        case CommandError():
            return Trouble(f"error: {exc.text}", exc.next_command, exc.code)
        case StoreUnavailable():
            text = f"error: the ledger cannot be reached: {exc}"
            return Trouble(text, words.STATUS_OF_ANOTHER_FILE, UNREACHABLE)
        case BusUnavailable():
            text = f"error: the bus cannot be reached: {exc}"
            return Trouble(text, words.STATUS, UNREACHABLE)
        case Rejected():
            problems = "\n".join(f"error: {problem}" for problem in exc.problems)
            return Trouble(problems, words.CHECK_LISTS, USAGE)
        case UnknownRun():
            return Trouble(f"error: there is no run {exc.run_id!r}", words.STATUS, USAGE)
        case NotConfigured():
            return Trouble(f"error: {exc}", words.CHECK, USAGE)
        case FanfoldError():
            return _other(exc)
        case PermissionError() if exc.filename:
            text = f"error: {exc.strerror}: {exc.filename}"
            return Trouble(text, words.list_owner(exc.filename), UNREACHABLE)
        case OSError():
            where = f": {exc.filename}" if exc.filename else ""
            return Trouble(f"error: {exc.strerror or exc}{where}", words.SPACE, UNREACHABLE)
    return None


def _other(exc: FanfoldError) -> Trouble:
    render = getattr(exc, "render", None)
    if render is not None:  # ConfigError: it brings its own lines, and its module stays unloaded
        return Trouble(str(render()), words.CHECK_AGAIN, USAGE)
    code = UNREACHABLE if isinstance(exc, Transient) else USAGE
    return Trouble(f"error: {exc}", words.STATUS, code)
