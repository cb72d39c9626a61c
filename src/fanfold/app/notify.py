"""Notify: tell the targets of the configuration that a run ended, was missed or was refused.

The events come from run-reports by a subscription of their own, so no target can hold up a run.
Each target is told at least once: after it took an event, a mark is stored, and an event with a
mark is not sent to that target again. Only a crash between the two repeats an event.

Machines are sent every event. People are told what changed, in one message for each event. A
monitor hears of the runs of slots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

#: The key of a target, and what tells it the event.
_Telling = tuple[str, Callable[[], None]]


@dataclass(frozen=True, slots=True)
class Notifier:
    """Tells events to targets. Holds the ports that it needs, and no state.

    ``targets`` returns the targets of a configuration. ``patience`` calls what tells the target of
    a key, and lets no target take for ever.
    """

    ledger: Ledger
    clock: Clock
    targets: Callable[[Catalogue], Targets]
    patience: Callable[[str, Callable[[], None]], None] = lambda _, tell: tell()

    def take(self, event: RunEvent, catalogue: Catalogue) -> str:
        """Tell *event* to each target that has no mark of it; return a sentence for the log.

        One target's trouble does not keep the others from being told.

        Raises:
            TargetAway: A target may take the event later. The others have their marks.
            TargetRefuses: A target will never take it, and none may take it later.
        """
        told, away, refused = 0, [], []
        for key, tell in self._tellings(event, catalogue):
            mark = f"{event.event_id} {key}"
            try:
                if not self.ledger.is_told(event.run_id, mark):
                    self.patience(key, tell)
                    self.ledger.mark_told(event.run_id, mark, self.clock.now())
                    told += 1
            except Transient as exc:
                away.append(str(exc))
            except Permanent as exc:
                refused.append(str(exc))
        if away:
            raise TargetAway("; ".join([*away, *refused]))
        if refused:
            raise TargetRefuses("; ".join(refused))
        return f"told {plural(told, 'target')}" if told else "no target to tell"

    def _tellings(self, event: RunEvent, catalogue: Catalogue) -> Iterator[_Telling]:
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
