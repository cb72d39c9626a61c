"""One call, as the function of a collector sees it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Unpack

from fanfold.collector import log_lines
from fanfold.collector.answer import Figures, Reported, found
from fanfold.collector.callback import Callback, tell_progress
from fanfold.collector.failures import BadParams, CollectorFailure
from fanfold.collector.masking import Secrets
from fanfold.collector.tail import Tail


@dataclass(frozen=True, slots=True)
class Previous:
    """What the last success of this collector said; None where it did not, or there was none."""

    revision: str | None = None
    records: int | None = None


class Params(dict[str, Any]):
    """The parameters of a call. ``params["key"]`` of a missing key is the caller's failure."""

    def __missing__(self, key: str) -> Any:
        raise BadParams(f"params has no {key!r}")


class NobodyToTell(CollectorFailure):
    """The collector answers later, and the call says no way to do so."""

    status = 424
    kind = "no_callback"


class Call:
    """One attempt that is asked of a collector.

    Attributes:
        run_id: The run, or None.
        collector: The name that the configuration gives this collector, or None.
        attempt: 1 for the first.
        deadline: Instant (aware) after which nobody waits for the answer; None means no limit.
        scheduled_for: The slot of a scheduled run (aware), or None.
        params: From the configuration, and from the request.
        previous: What the last success said.
        query: The query of the URL.
        callback: How an answer may come later, or None. A process that has it may call
            ``Answer.to(callback)``.
    """

    def __init__(
        self,
        *,
        run_id: str | None = None,
        collector: str | None = None,
        attempt: int = 1,
        deadline: datetime | None = None,
        scheduled_for: datetime | None = None,
        params: Mapping[str, Any] | None = None,
        previous: Previous | None = None,
        query: Mapping[str, str] | None = None,
        callback: Mapping[str, Any] | None = None,
        secrets: Iterable[str] = (),
    ) -> None:
        self.run_id = run_id
        self.collector = collector
        self.attempt = attempt
        self.deadline = deadline
        self.scheduled_for = scheduled_for
        self.params = Params(params or {})
        self.previous = previous or Previous()
        self.query = dict(query or {})
        self.callback = None if callback is None else Callback(callback)
        token = "" if self.callback is None else self.callback.token
        #: What no answer and no line may hold.
        self.secrets = Secrets([token, *secrets])
        #: The deadline by the monotonic clock, which does not jump.
        self._ends_s = math.inf
        if deadline is not None:
            self._ends_s = time.monotonic() + (deadline - datetime.now(UTC)).total_seconds()
        self._warnings: list[str] = []
        #: The last lines of the log, for the answer.
        self.tail = Tail()

    def __repr__(self) -> str:
        return f"Call(run_id={self.run_id!r}, collector={self.collector!r}, attempt={self.attempt})"

    @property
    def left_s(self) -> float:
        """How long somebody waits for the answer, in seconds; at least 0, infinite if for ever."""
        return max(0.0, self._ends_s - time.monotonic())

    def progress(self, fraction: float | None = None, words: str = "") -> None:
        """Say how far the work is: a *fraction* from 0 to 1, and a few *words*.

        It goes to the callback, if there is one, at most every 2 s, and never raises.
        """
        tell_progress(self.callback, fraction, self.secrets.masked(words))

    def warn(self, words: str) -> None:
        """Add a warning to the answer; the report shows it."""
        self._warnings.append(str(words))

    def log(self, words: str) -> None:
        """Write a line to the log of the collector, with the run and the attempt.

        The last of these lines go with the answer, whatever it is, and the report shows them.
        """
        self.tail.add(self.secrets.masked(str(words)))
        log_lines.write(
            "INFO", f"{self.collector}: {words}", self.log_fields(), secrets=self.secrets
        )

    def log_fields(self) -> dict[str, Any]:
        """Return the fields by which the lines of one attempt are found in a log."""
        return {"collector": self.collector, "run_id": self.run_id, "attempt": self.attempt}

    def found(self, **figures: Unpack[Figures]) -> Reported:
        """Return the answer: what was found.

        Raises:
            BadAnswer: A value is not what :class:`~fanfold.collector.answer.Figures` says.
        """
        return Reported(200, found(figures, self._warnings))

    def unchanged(self, **figures: Unpack[Figures]) -> Reported:
        """Return the answer: nothing is new since the last success. Not the same as 0 records.

        Records and revision are those of the last success, unless *figures* says others.

        Raises:
            BadAnswer: See :meth:`found`.
        """
        last: Figures = {"records": self.previous.records, "revision": self.previous.revision}
        return Reported(200, found({**last, **figures}, self._warnings, unchanged=True))

    def later(
        self, work: Callable[[Call], Reported] | None = None, *, eta_s: float | None = None
    ) -> Reported:
        """Return the answer: 202, the rest comes later, in about *eta_s* seconds.

        *work* is called with this call in a thread of this process; what it returns, or raises,
        goes to the callback. Without *work* another process tells it, by ``Answer.to(callback)``.

        Raises:
            NobodyToTell: The call brings no callback, or *work* is given and it has no url.
        """
        if self.callback is None or not self.callback.token:
            raise NobodyToTell("this collector answers later, and the call brings no callback")
        if work is not None and not self.callback.is_postable:
            raise NobodyToTell(
                "this collector answers later, and the call's callback has no url: start fanfold"
                " with an endpoint, or publish the answer on collector-results"
            )
        document = {"accepted": True, "eta_seconds": eta_s}
        return Reported(202, document, work)
