"""The balance: a run's manifest and its answers, side by side, and whether they belong together.

A report that misses a collector must never be written as green, so what does not balance is not
folded at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fanfold.domain.model.errors import Permanent
from fanfold.domain.model.run import Answer, Entry, Run
from fanfold.domain.syntax.text import one_line

#: A collector of the manifest with its answer. An answer without a place in the manifest comes
#: alone.
Pair = tuple[Entry | None, Answer | None]


class Unbalanced(Permanent):
    """A report would not balance: a collector is missing, counted twice or does not belong."""


class Balance:
    """Checks the pairs of a run, one by one. It keeps their names, and nothing else of them."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._asked = 0
        self._names: set[str] = set()
        self._problems: dict[str, list[str]] = {
            "named twice": [],
            "answered twice": [],
            "asked without an answer": [],
            "answered without being asked": [],
            "answered in another run": [],
        }

    def take(self, entry: Entry | None, answer: Answer | None) -> None:
        """Note a pair; :meth:`check` says what is wrong with any of them."""
        if self.run.is_notice:
            return
        is_asked = entry is not None and entry.skip is None
        if entry is not None:
            if entry.name in self._names:
                self._problems["named twice"].append(entry.name)
            self._names.add(entry.name)
            self._asked += is_asked
        if answer is None:
            if is_asked and entry is not None:
                self._problems["asked without an answer"].append(entry.name)
            return
        if entry is None and answer.collector in self._names:
            self._problems["answered twice"].append(answer.collector)
        elif not is_asked:
            self._problems["answered without being asked"].append(answer.collector)
        if answer.run_id != self.run.run_id:
            self._problems["answered in another run"].append(answer.collector)

    def check(self) -> None:
        """Return if every collector that was asked has its answer, and nobody else has one.

        Raises:
            Unbalanced: The text names the first few that are wrong.
        """
        run = self.run
        if run.is_notice:
            return
        for what, who in self._problems.items():
            if who:
                listed = ", ".join(one_line(name, 63) for name in sorted(who)[:3])
                raise Unbalanced(f"run {run.run_id!r} does not balance: {listed} {what}")
        if (run.total, run.asked) != (len(self._names), self._asked):
            raise Unbalanced(
                f"run {run.run_id!r} does not balance: it says {run.asked} of {run.total} asked,"
                f" its manifest {self._asked} of {len(self._names)}"
            )


def paired(manifest: Iterable[Entry], answers: Iterable[Answer]) -> Iterator[Pair]:
    """Give the pairs of a run whose *manifest* and *answers* are at hand, in the manifest's order.

    Of several answers of one collector the first has its place.
    """
    given: dict[str, Answer] = {}
    left = [each for each in answers if given.setdefault(each.collector, each) is not each]
    for entry in manifest:
        yield entry, given.pop(entry.name, None)
    yield from ((None, answer) for answer in [*given.values(), *left])
