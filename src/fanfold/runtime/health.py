"""What of a single-machine service stands still, for ``/healthz`` and for ``serve`` itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanfold import __version__
from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.duty import Duty
from fanfold.adapters.report_folder import FolderSink
from fanfold.domain.model.errors import Permanent, Transient
from fanfold.logs import JsonLog, Log
from fanfold.messages import events
from fanfold.messages.topology import COLLECTOR_JOBS
from fanfold.ports.bus import Delivery
from fanfold.ports.ledger import Ledger, Runs
from fanfold.ports.outside import Clock

#: How often it is tried whether a report can be written, in seconds.
FOLDER_EVERY_S = 5.0

#: A try that lasts longer than this is trouble of its own, in seconds: a network folder hangs.
FOLDER_PATIENCE_S = 30.0


#: How long the work on a message that is no job may take, in seconds: a report of thousands of
#: collectors on a slow disk, or a target of ``notify`` that does not answer.
WORK_S = 300.0

#: So much more than it may last, work hangs, in seconds: an answer in hand is stored until its
#: lease ends.
MARGIN_S = 60.0

#: Works on a delivery.
Function = Callable[[Delivery], None]


class FolderWatch:
    """Tries in a thread of its own whether a report can be written: a folder may hang.

    Args:
        sink: Writes reports.
        report_to: Returns where reports go.
        on_trouble: Told in a sentence when the try itself failed.
    """

    def __init__(
        self, sink: FolderSink, report_to: Callable[[], str], on_trouble: Callable[[str], None]
    ) -> None:
        self.sink = sink
        self.report_to = report_to
        self.trouble = ""
        self._duty = Duty("the look at the report folder", FOLDER_EVERY_S, self._try, on_trouble)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="fanfold-folder", daemon=True)

    def start(self) -> None:
        """Begin to try."""
        self._thread.start()

    def stop(self) -> None:
        """Try no more. A try that hangs is left behind: its thread ends with the process."""
        self._stopping.set()
        self._thread.join(timeout=1.0)

    def standing_still(self) -> Sequence[str]:
        """Return why no report can be written, a sentence; empty if one can."""
        if self._duty.undone_s() > FOLDER_PATIENCE_S:
            return [f"the report folder did not answer for {self._duty.undone_s():.0f} s"]
        return [self.trouble] if self.trouble else []

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self._duty.do_if_due()
            self._stopping.wait(max(0.1, self._duty.due_in_s()))

    def _try(self) -> None:
        try:
            self.sink.check(self.report_to())
        except (Transient, Permanent) as exc:
            self.trouble = str(exc)
        else:
            self.trouble = ""


class WorkWatch:
    """Looks how long the work on each message lasts: a worker may hang in a call, and not end.

    A job may last until its run's deadline, and any other message :data:`WORK_S`; both have
    :data:`MARGIN_S` more.

    Args:
        runs: Where the deadline of a job's run is.
        clock: Tells the time.
    """

    def __init__(self, runs: Runs, clock: Clock) -> None:
        self.runs = runs
        self.clock = clock
        self._lock = threading.Lock()
        self._begun: dict[object, tuple[str, Delivery, float]] = {}

    def watched(self, name: str, function: Function) -> Function:
        """Return *function*, each of whose deliveries is watched as work of *name*."""

        def work(delivery: Delivery) -> None:
            key = threading.get_ident()
            self.begin(key, name, delivery)
            try:
                function(delivery)
            finally:
                self.end(key)

        return work

    def begin(self, key: object, name: str, delivery: Delivery) -> None:
        """Watch work of *name* on *delivery* until :meth:`end` is called with the same *key*."""
        with self._lock:
            self._begun[key] = name, delivery, time.monotonic()

    def end(self, key: object) -> None:
        """Watch it no more."""
        with self._lock:
            self._begun.pop(key, None)

    def standing_still(self) -> Sequence[str]:
        """Return which work lasts too long, a sentence each; empty if none does."""
        with self._lock:
            begun = list(self._begun.values())
        still = []
        for name, delivery, at in begun:
            lasted_s = time.monotonic() - at
            if lasted_s > MARGIN_S and lasted_s > self._may_last_s(delivery, lasted_s) + MARGIN_S:
                message = f"message {delivery.message_id}"
                still.append(f"{name} hangs: it works on {message} for {lasted_s:.0f} s")
        return still

    def _may_last_s(self, delivery: Delivery, lasted_s: float) -> float:
        if delivery.subscription != COLLECTOR_JOBS:
            return WORK_S
        try:
            run = self.runs.run(events.decode_job(delivery.message).run_id)
        except (Transient, Permanent):
            return WORK_S
        if run is None:
            return WORK_S
        return lasted_s + (run.deadline - self.clock.now()).total_seconds()


@dataclass(frozen=True, slots=True)
class Health:
    """Answers ``GET /healthz``.

    ``checks`` return what stands still, a sentence each. ``refused`` returns how many callbacks
    were refused. ``may_see`` returns whether an Authorization header may see more than whether all
    goes on: run ids and sentences are for those with the console's token.
    """

    bus: SqliteBus
    ledger: Ledger
    checks: Sequence[Callable[[], Sequence[str]]]
    log: Log
    refused: Callable[[], int]
    may_see: Callable[[str], bool]

    def __call__(self, authorization: str = "") -> tuple[int, Mapping[str, Any]]:
        """Return 200 where all goes on, 503 where something stands still, and the particulars."""
        status, answer = self._state()
        return status, answer if self.may_see(authorization) else {"status": answer["status"]}

    def _state(self) -> tuple[int, Mapping[str, Any]]:
        still = [sentence for check in self.checks for sentence in check()]
        state: dict[str, Any] = {"version": __version__}
        try:
            state["open_runs"] = [run.run_id for run in self.ledger.unannounced()]
            state["messages"] = dict(self.bus.waiting())
            state["unreadable"] = list(self.ledger.unreadable())
        except Transient as exc:
            still.append(str(exc))
        if isinstance(self.log, JsonLog):
            state["log"] = {"lost": self.log.lost, "why": self.log.why_lost}
        state["callbacks"] = {"refused": self.refused()}
        if still:
            return 503, {"status": "unavailable", "error": "; ".join(still), **state}
        return 200, {"status": "ok", **state}
