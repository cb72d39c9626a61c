"""Notify: tell the targets of the configuration that a run ended, was missed or was refused.

The events come from run-reports by a subscription of their own, so no target can hold up a run.
Each target is told at least once: after it took an event, a mark is stored, and an event with a
mark is not sent to that target again. Only a crash between the two repeats an event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import Permanent, TargetAway, TargetRefuses, Transient
from fanfold.domain.syntax.text import plural
from fanfold.messages.events import RunEvent
from fanfold.ports.ledger import Told
from fanfold.ports.outside import Clock, Target


@dataclass(frozen=True, slots=True)
class Notifier:
    """Tells events to targets. Holds the ports that it needs, and no state.

    ``targets`` returns the targets of a configuration.
    """

    ledger: Told
    clock: Clock
    targets: Callable[[Catalogue], Sequence[Target]]

    def take(self, event: RunEvent, catalogue: Catalogue) -> str:
        """Tell *event* to each target that has no mark of it; return a sentence for the log.

        One target's trouble does not keep the others from being told.

        Raises:
            TargetAway: A target may take the event later. The others have their marks.
            TargetRefuses: A target will never take it, and none may take it later.
        """
        told, away, refused = 0, [], []
        for target in self.targets(catalogue):
            mark = f"{event.event_id} {target.key}"
            try:
                if not self.ledger.is_told(event.run_id, mark):
                    target.tell(event.message)
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
