"""The google ledger: :class:`fanfold.ports.ledger.Ledger` on Firestore, from its parts."""

from __future__ import annotations

from collections.abc import Sequence

from google.cloud import firestore

from fanfold.adapters.google.ledger.answers import FirestoreAnswers
from fanfold.adapters.google.ledger.claims import Claiming
from fanfold.adapters.google.ledger.console_lines import EVERY_S, Projection
from fanfold.adapters.google.ledger.counting import Counting
from fanfold.adapters.google.ledger.dead_letters import FirestoreDeadLetters
from fanfold.adapters.google.ledger.history import FirestoreHistory
from fanfold.adapters.google.ledger.jobs import FirestoreJobs
from fanfold.adapters.google.ledger.pauses import FirestorePauses
from fanfold.adapters.google.ledger.run_cache import RunCache
from fanfold.adapters.google.ledger.runs import FirestoreRuns
from fanfold.adapters.google.ledger.schedules import FirestoreSchedules
from fanfold.adapters.google.ledger.store import Store
from fanfold.adapters.google.ledger.told import FirestoreTold
from fanfold.adapters.google.ledger.upstreams import FirestoreUpstreams
from fanfold.adapters.single_flight import SingleFlight
from fanfold.domain.model.run import Answer, Run


class FirestoreLedger(
    FirestoreRuns,
    FirestoreJobs,
    FirestoreAnswers,
    FirestoreHistory,
    FirestoreDeadLetters,
    FirestoreTold,
    FirestoreSchedules,
    FirestorePauses,
    FirestoreUpstreams,
):
    """See :class:`fanfold.ports.ledger.Ledger`. Any number may be open on one database.

    Args:
        client: From :func:`fanfold.adapters.google.ledger.store.connect`. Closed with the ledger.
        prefix: Stands before every collection's name, to name an environment.
        project_every_s: The shortest time between two writes of a run's lines, in seconds.
    """

    def __init__(
        self, client: firestore.Client, prefix: str = "", *, project_every_s: float = EVERY_S
    ) -> None:
        self.store = Store(client, prefix)
        self.cache = RunCache(self.store)
        self.projection = Projection(self.store, self.cache, project_every_s)
        self.claiming = Claiming(self.store, self.cache, self.projection)
        self.counting = Counting(self.store, self.cache)
        self._readers = SingleFlight[Run | None]()
        self._lists = SingleFlight[Sequence[Answer]]()

    def project(self, run_id: str) -> None:
        """Show what this process learned of the run, if it did not do so a moment ago.

        For people: ``about`` and the line of each collector in the run's document. It never
        fails, and nothing depends on it.
        """
        self.projection.write(run_id)

    def unreadable(self) -> Sequence[str]:
        """See :meth:`fanfold.ports.ledger.Ledger.unreadable`."""
        return self.store.damage.sentences()

    def close(self) -> None:
        """See :meth:`fanfold.ports.ledger.Ledger.close`."""
        self.store.client.close()
