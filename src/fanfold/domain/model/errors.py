"""Everything that can go wrong on purpose, and who should do what about it.

* FanfoldError
  x Transient              deliver the message again, later
    + StoreUnavailable     the ledger did not answer, or refused for now
    + BusUnavailable       a publish was not confirmed
    + SinkUnavailable      the report could not be written
    + SecretsUnavailable   a secret could not be read now
    + LeaseHeld            somebody else is working on this job
    + ComeBack             the job waits for its next attempt
    + AnswerInHand         what a collector said could not be stored while its lease lived
    + TargetAway           a target of notify did not take an event now
  x Permanent              delivering again cannot help: record it, acknowledge, log
    + BadMessage           nobody can read this message
    + UnknownRun           no run of this id (any more)
    + RunExpired           a part of the run's record is gone
    + UnknownCollector     the run did not ask for this collector
    + Rejected             a run request that must not start anything
    + NotRetried           a run that cannot be tried again (yet)
    + SchedulePaused       a schedule asks for a run while somebody paused it
    + BadToken             an asynchronous answer without the run's token
    + UnknownAnswer        a result event of an answer that the ledger does not hold
    + NotConfigured        a feature is switched on that lacks its library, secret or setting
    + ReportDiffers        a report of that name is stored, with other bytes
    + TargetRefuses        a target of notify will never take this event
    + Unacceptable         a store or a bus will never take what it was given

The functions look only at the two middle classes. Code below them raises the leaves, and never a
bare Transient or Permanent.
"""

from __future__ import annotations

from collections.abc import Sequence


class FanfoldError(Exception):
    """Base class of every error that fanfold raises on purpose."""


def words_of(exc: BaseException) -> str:
    """Return what *exc* says, for people: an error that nobody meant comes with its kind."""
    if isinstance(exc, FanfoldError) and str(exc):
        return str(exc)
    kind = type(exc).__name__
    return f"{kind}: {exc}" if str(exc) else kind


class Transient(FanfoldError):
    """The same message may succeed if it is delivered again.

    ``after_s`` is the wait that the raiser suggests before the next delivery, in seconds, or
    None where the subscription's own backoff should decide.
    """

    after_s: float | None = None


class Permanent(FanfoldError):
    """The same message will fail however often it is delivered."""


class StoreUnavailable(Transient):
    """The ledger could not be reached, or could not commit in time."""


class BusUnavailable(Transient):
    """A publish was not confirmed in time. It may be delivered all the same."""


class SinkUnavailable(Transient):
    """The report could not be written where the configuration wants it."""


class SecretsUnavailable(Transient):
    """Secret Manager did not answer, or refused for now."""


class LeaseHeld(Transient):
    """Another relay works on this job."""

    def __init__(self, run_id: str, collector: str, after_s: float) -> None:
        super().__init__(f"{run_id}/{collector} is leased by another relay")
        self.after_s = after_s


class ComeBack(Transient):
    """The job is not lost: it waits for its backoff, or for an earlier run to let go."""

    def __init__(self, why: str, after_s: float) -> None:
        super().__init__(why)
        self.after_s = after_s


class AnswerInHand(Transient):
    """What came of an attempt could not be stored before its lease ended: it is given up."""

    def __init__(self, run_id: str, collector: str, tries: int, why: Exception) -> None:
        super().__init__(
            f"{run_id}/{collector} was called, and what came of it could not be stored in "
            f"{tries} tries, until its lease ended: {why}"
        )


class TargetAway(Transient):
    """A target of ``notify`` did not answer, or refused for now."""


class BadMessage(Permanent):
    """A message, an answer or a body does not have the shape that the protocol asks for."""


class UnknownRun(Permanent):
    """A message names a run that was never created, or whose record has expired."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"no run {run_id!r} in the ledger")
        self.run_id = run_id


class RunExpired(Permanent):
    """A part of a run's record has been deleted, by its age or by a person, and a part is left."""

    def __init__(self, run_id: str, what: str) -> None:
        super().__init__(
            f"the record of run {run_id!r} is incomplete: {what}, as happens when records expire"
        )
        self.run_id = run_id


class UnknownCollector(Permanent):
    """A message names a collector that its run did not ask."""

    def __init__(self, run_id: str, collector: str) -> None:
        super().__init__(f"run {run_id!r} did not ask collector {collector!r}")
        self.run_id = run_id
        self.collector = collector


class Rejected(Permanent):
    """A run request that cannot start a run.

    ``problems`` holds one sentence for each thing that is wrong, each with its fix. ``run_id`` is
    the id that the run would have had, where that much is known.
    """

    run_id: str | None = None

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class NotRetried(Permanent):
    """A run that cannot be tried again; ``is_running`` says that it can when it is over."""

    def __init__(self, why: str, *, is_running: bool = False) -> None:
        super().__init__(why)
        self.is_running = is_running


class SchedulePaused(Permanent):
    """The tick of a schedule that is paused. Nothing is recorded: the pause is the record."""


class BadToken(Permanent):
    """An asynchronous answer came without the token of its run and collector."""


class UnknownAnswer(Permanent):
    """A result event names an answer that the ledger does not hold: nobody stored it."""

    def __init__(self, run_id: str, collector: str) -> None:
        super().__init__(f"the ledger does not hold this answer of {collector!r} in run {run_id!r}")
        self.run_id = run_id
        self.collector = collector


class NotConfigured(Permanent):
    """A feature is switched on whose library, secret, permission or setting is missing.

    The message is one sentence that says what is missing and the command or line that mends it.
    """


class TargetRefuses(Permanent):
    """A target of ``notify`` answered that it does not take this event."""


class Unacceptable(Permanent):
    """A store or a bus refuses this very record or message, however often it is given."""


class ReportDiffers(Permanent):
    """A report's document is stored already, and its bytes are not those that it should have.

    ``names`` are the documents that differ. They are left as they are.
    """

    def __init__(self, place: str, names: Sequence[str]) -> None:
        super().__init__(f"{place}: {', '.join(names)} is stored already, with other content")
        self.names = tuple(names)
