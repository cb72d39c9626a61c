"""The Firestore ledger's memory of collectors: see :class:`fanfold.ports.ledger.History`.

``fanfold_state/latest`` holds the last figures of every collector, packed, so that planning a run
reads one document; ``fanfold_state/{collector}`` says the same of one collector, for people. Both
are written by one commit, on the condition that ``latest`` is as it was read: two runs that end
together are added one after the other, and a run that is there already adds nothing.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from google.api_core import exceptions as api

from fanfold.adapters.damage import of_past
from fanfold.adapters.google.ledger.size_limits import MAX_WORD_BYTES, storable, text
from fanfold.adapters.google.ledger.store import StaleRead, Store
from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.model.names import is_collector_name
from fanfold.domain.model.run import PastRun, RunFigures
from fanfold.domain.rules.history import KEPT_RUNS, SUCCESS, history_of, kept_of
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import plural
from fanfold.messages import records

#: Collectors of one part of ``latest``: at 30 runs, the longest revision and a line each, they
#: stay below a document's 1 MiB, and with a state document each below what a commit may hold.
MAX_PART = 400

#: A collector's figures of its last runs, with their runs' ids, oldest first.
_Memory = list[tuple[str, RunFigures]]


@dataclass
class _Part:
    """One of the documents that together are ``latest``: most installations have one."""

    reference: Any
    update_time: Any = None
    has_next: bool = False
    collectors: dict[str, _Memory] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    changed: bool = False


class FirestoreHistory:
    """See :class:`fanfold.ports.ledger.History`."""

    store: Store

    def histories(self, collectors: Sequence[str]) -> Mapping[str, CollectorHistory]:
        """See :meth:`fanfold.ports.ledger.History.histories`."""
        return {
            name: history_of([each.figures for each in past])
            for name, past in self.past_runs(collectors).items()
        }

    def past_runs(self, collectors: Sequence[str]) -> Mapping[str, Sequence[PastRun]]:
        """See :meth:`fanfold.ports.ledger.History.past_runs`."""
        if not collectors:
            return {}
        known = {name: each for part in self._parts() for name, each in part.collectors.items()}
        return {
            name: [PastRun(run_id, figures) for run_id, figures in known[name]]
            for name in collectors
            if name in known
        }

    def remember(self, run_id: str, figures: Sequence[RunFigures]) -> None:
        """See :meth:`fanfold.ports.ledger.History.remember`."""
        figures = [each for each in figures if is_collector_name(each.collector)]

        def add() -> None:
            parts = self._parts()
            added = [each for each in figures if _add(self._home(parts, each), run_id, each)]
            if added:
                self._store_parts(parts, {each.collector for each in added})

        if figures:
            self.store.contend("the memory of collectors", add)

    def _state(self) -> Any:
        return self.store.collection("fanfold_state")

    def _parts(self) -> list[_Part]:
        parts: list[_Part] = []
        while not parts or parts[-1].has_next:
            snapshot = self.store.read(self._part(len(parts)))
            parts.append(self._part_of(snapshot))
        return parts

    def _part_of(self, snapshot: Any) -> _Part:
        """Return the part in *snapshot*. Memory that cannot be read is begun anew."""
        part = _Part(snapshot.reference, snapshot.update_time)
        if not snapshot.exists:
            return part
        document = snapshot.to_dict()
        part.has_next = document.get("has_next") is True
        if isinstance(lines := document.get("collectors"), dict):
            part.lines = lines
        part.collectors = self.store.damage.read(
            of_past(f"the collectors in fanfold_state/{snapshot.id}"),
            lambda: _unpack(document["figures"]),
            lambda _: {},
        )
        return part

    def _part(self, number: int) -> Any:
        # No collector can be called so: a name holds no dot.
        return self._state().document("latest" if number == 0 else f"latest.{number + 1}")

    def _home(self, parts: list[_Part], figures: RunFigures) -> _Part:
        """Return the part that has the collector, or the last one, begun anew if it is full."""
        for part in parts:
            if figures.collector in part.collectors:
                return part
        if len(parts[-1].collectors) >= MAX_PART:
            parts[-1].has_next = parts[-1].changed = True
            parts.append(_Part(self._part(len(parts))))
        return parts[-1]

    def _store_parts(self, parts: Sequence[_Part], added: set[str]) -> None:
        """Write what changed, each part in a commit with the states of its collectors.

        All parts of a large installation are too much for one request. Whoever was beaten to one
        part, or dies, has stored the parts before it.
        """
        for part in parts:
            if not part.changed:
                continue
            states = {name: part.collectors[name] for name in part.collectors if name in added}
            batch = self.store.batch()
            self._write_part(batch, part, states)
            for name in sorted(states):
                batch.set(self._state().document(name), _state_document(name, states[name]))
            try:
                self.store.commit(batch)
            except (api.AlreadyExists, api.FailedPrecondition, api.NotFound) as exc:
                raise StaleRead from exc

    def _write_part(self, batch: Any, part: _Part, states: Mapping[str, _Memory]) -> None:
        lines = {name: _line(history_of([each for _, each in states[name]])) for name in states}
        part.lines.update((name, line) for name, line in lines.items() if name in part.collectors)
        document = {
            "about": f"the last {KEPT_RUNS} slots of each collector; `figures` is for fanfold",
            "collectors": part.lines,
            "figures": _pack(part.collectors),
            "has_next": part.has_next,
        }
        if part.update_time is None:
            batch.create(part.reference, document)
        else:
            condition = self.store.unchanged(part.update_time)
            batch.update(part.reference, document, option=condition)


def _add(part: _Part, run_id: str, figures: RunFigures) -> bool:
    """Add *figures* to the collector's memory; return whether that changed it."""
    memory = part.collectors.get(figures.collector, [])
    if any(known == run_id for known, _ in memory):
        return False
    grown = sorted([*memory, (run_id, figures)], key=lambda each: (each[1].end_time, each[0]))
    past = kept_of([PastRun(*each) for each in grown])
    grown = _lean([(each.run_id, each.figures) for each in past])
    if grown == memory:
        return False
    part.collectors[figures.collector] = grown
    part.changed = True
    return True


def _lean(memory: _Memory) -> _Memory:
    """Return *memory* with the one revision and schema that a past shows: the last success's."""
    lean: _Memory = []
    wanted = wants_schema = True
    for run_id, figures in reversed(memory):
        revision = figures.revision if wanted and figures.outcome == SUCCESS else None
        if revision is not None and len(text(revision).encode()) > MAX_WORD_BYTES:
            revision = None
        wanted = wanted and revision is None
        schema = figures.schema if wants_schema and figures.outcome == SUCCESS else None
        wants_schema = wants_schema and schema is None
        lean.append((run_id, replace(figures, revision=revision, schema=schema)))
    return lean[::-1]


def _pack(collectors: Mapping[str, _Memory]) -> bytes:
    rows = {
        name: [[run_id, *list(records.dump(each).values())[1:]] for run_id, each in memory]
        for name, memory in collectors.items()
    }
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode())


def _unpack(packed: bytes) -> dict[str, _Memory]:
    rows = json.loads(zlib.decompress(packed))
    return {name: [_row_of(name, row) for row in of_one] for name, of_one in rows.items()}


def _row_of(name: str, row: Sequence[Any]) -> tuple[str, RunFigures]:
    run_id, outcome, end_time, count, seconds, revision, *newer = row
    slot = records.instant(newer[0]) if newer and newer[0] else None
    schema = newer[1] if len(newer) > 1 else None
    ended = records.instant(end_time)
    return run_id, RunFigures(name, outcome, ended, count, seconds, revision, slot, schema)


def _line(past: CollectorHistory) -> str:
    parts = [past.outcomes]
    if past.last_success is not None:
        parts.append(f"last success {past.last_success:%Y-%m-%d %H:%M} UTC")
    if past.records and past.records[-1] is not None:
        parts.append(plural(past.records[-1], "record"))
    if past.seconds:
        parts.append(f"median {duration(median(past.seconds))}")
    return " · ".join(parts)


def _state_document(name: str, memory: _Memory) -> dict[str, Any]:
    past = history_of([figures for _, figures in memory])
    return {
        "about": _line(past),
        "collector": name,
        "last_end_time": memory[-1][1].end_time,
        "last_run_id": memory[-1][0],
        "last_success": past.last_success,
        "median_seconds": median(past.seconds) if past.seconds else None,
        "outcomes": past.outcomes,
        "records": storable(list(past.records)),
        "revision": None if past.revision is None else text(past.revision),
    }
