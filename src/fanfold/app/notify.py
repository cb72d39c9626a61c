"""Notify: tell the targets of the configuration that a run ended, was missed or was refused.

The events come from run-reports by a subscription of their own, so no target can hold up a run.
Each target is told at least once: after it took an event, a mark is stored, and an event with a
mark is not sent to that target again. Only a crash between the two repeats an event.

Machines are sent every event. People are told what changed, in one message for each event. A
monitor hears of the runs of slots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from fanfold.app.announce import announcement_of
from fanfold.app.heartbeat import beat_of, end_of
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import Permanent, TargetAway, TargetRefuses, Transient
from fanfold.domain.syntax.text import plural
from fanfold.messages import events
from fanfold.messages.events import RunEvent
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import Beat, Clock, Heartbeat, Targets

#: By the key of each target: what tells it.
Tellings = Mapping[str, Callable[[], None]]

#: Calls what tells each target; returns what went wrong, None where nothing did.
Patience = Callable[[Tellings], Mapping[str, Exception | None]]


def one_by_one(tellings: Tellings) -> Mapping[str, Exception | None]:
    """Tell one target after the other, however long each takes."""
    ended: dict[str, Exception | None] = {}
    for key, tell in tellings.items():
        try:
            tell()
            ended[key] = None
        except Exception as exc:  # noqa: BLE001 - given back
            ended[key] = exc
    return ended


@dataclass(frozen=True, slots=True)
class Notifier:
    """Tells events to targets. Holds the ports that it needs, and no state.

    ``targets`` returns the targets of a configuration. ``patience`` lets no target take for ever,
    nor wait for another.
    """

    ledger: Ledger
    clock: Clock
    targets: Callable[[Catalogue], Targets]
    patience: Patience = one_by_one

    def take(self, event: RunEvent, catalogue: Catalogue) -> str:
        """Tell *event* to each target that has no mark of it; return a sentence for the log.

        One target's trouble does not keep the others from being told.

        Raises:
            TargetAway: A target may take the event later. The others have their marks.
            TargetRefuses: A target will never take it, and none may take it later.
        """
        told: list[str] = []
        tellings = {
            key: partial(self._tell_once, event, key, tell, told)
            for key, tell in self._tellings(event, catalogue)
        }
        away, refused = [], []
        for exc in self.patience(tellings).values():
            if isinstance(exc, Permanent):
                refused.append(str(exc))
            elif isinstance(exc, Transient):
                away.append(str(exc))
            elif exc is not None:
                raise exc
        if away:
            raise TargetAway("; ".join([*away, *refused]))
        if refused:
            raise TargetRefuses("; ".join(refused))
        return f"told {plural(len(told), 'target')}" if told else "no target to tell"

    def _tell_once(
        self, event: RunEvent, key: str, tell: Callable[[], None], told: list[str]
    ) -> None:
        """Tell the target of *key* and mark that it was told, unless it has the mark."""
        mark = f"{event.event_id} {key}"
        if not self.ledger.is_told(event.run_id, mark):
            tell()
            self.ledger.mark_told(event.run_id, mark, self.clock.now())
            told.append(key)

    def _tellings(
        self, event: RunEvent, catalogue: Catalogue
    ) -> Iterator[tuple[str, Callable[[], None]]]:
        targets = self.targets(catalogue)
        beat = beat_of(event, self.ledger) if targets.heartbeats else None
        if beat is not None:
            for heartbeat in targets.heartbeats:
                yield heartbeat.key, partial(self._send, heartbeat, beat)
        if event.kind == events.RUN_STARTED:
            return
        if event.kind != events.PROOF_OF_LIFE:
            for machine in targets.machines:
                yield machine.key, partial(machine.tell, event.message)
        announcement = announcement_of(event, self.ledger, catalogue) if targets.people else None
        if announcement is not None:
            for people in targets.people:
                yield people.key, partial(people.say, announcement)

    def _send(self, heartbeat: Heartbeat, beat: Beat) -> None:
        heartbeat.send(beat)
        if beat.signal == "start" and (end := end_of(self.ledger.run(beat.run_id), self.ledger)):
            # It ended meanwhile. The monitor may have heard the start after the end, and would
            # wait for another one.
            heartbeat.send(end)
