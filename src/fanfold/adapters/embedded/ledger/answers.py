"""The embedded ledger's answers: see :class:`fanfold.ports.ledger.Answers`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from fanfold.adapters.embedded.ledger.rows import (
    SELECT_ANSWER,
    OnDatabase,
    answer_of,
    as_json,
    entry_of,
    read_answer,
    require_member,
)
from fanfold.adapters.embedded.micros import from_micros_near, micros
from fanfold.domain.model.run import Answer, Entry, LateAnswer
from fanfold.domain.report.balance import Pair
from fanfold.messages import records

#: Pairs that are read at a time.
PART = 200


class SqliteAnswers(OnDatabase):
    """See :class:`fanfold.ports.ledger.Answers`."""

    def record(self, answer: Answer) -> Answer:
        """See :meth:`fanfold.ports.ledger.Answers.record`."""
        key = (answer.run_id, answer.collector)
        document = records.encode(answer)

        def create(connection: sqlite3.Connection) -> Answer:
            cursor = connection.execute(
                "INSERT INTO answer SELECT run_id, collector, ?, ? FROM manifest "
                "WHERE run_id = ? AND collector = ? AND asked ON CONFLICT DO NOTHING",
                (answer.writer, document, *key),
            )
            if cursor.rowcount == 0:
                require_member(connection, *key)
                return read_answer(connection, *key, self.damage) or answer
            return answer

        return self.database.write(create)

    def answer(self, run_id: str, collector: str) -> Answer | None:
        """See :meth:`fanfold.ports.ledger.Answers.answer`."""
        with self.database.connection() as connection:
            return read_answer(connection, run_id, collector, self.damage)

    def all_answered(self, run_id: str, asked: int) -> bool:
        """See :meth:`fanfold.ports.ledger.Answers.all_answered`."""
        # One open job says no at once; only when none is left is the set itself counted.
        waiting = self.database.row(
            "SELECT 1 FROM job INDEXED BY job_open WHERE run_id = ? AND answered = 0 LIMIT 1",
            (run_id,),
        )
        if waiting is not None:
            return False
        row = self.database.row("SELECT count(*) FROM answer WHERE run_id = ?", (run_id,))
        return bool(row[0] >= asked)

    def answers(self, run_id: str) -> Sequence[Answer]:
        """See :meth:`fanfold.ports.ledger.Answers.answers`."""
        rows = self.database.rows(
            SELECT_ANSWER + "WHERE answer.run_id = ? ORDER BY answer.collector", (run_id,)
        )
        return [answer_of(row, self.damage) for row in rows]

    def pairs(self, run_id: str) -> Iterator[Pair]:
        """See :meth:`fanfold.ports.ledger.Answers.pairs`."""
        names = self.database.rows(
            "SELECT collector FROM manifest WHERE run_id = ? ORDER BY position", (run_id,)
        )
        for start in range(0, len(names), PART):
            wanted = as_json([name for (name,) in names[start : start + PART]])
            # CROSS JOIN keeps the order of the names.
            rows = self.database.rows(
                "SELECT collector, asked, manifest.document, answer.writer, run.start_time, "
                "answer.document FROM json_each(?2) AS wanted CROSS JOIN manifest "
                "ON manifest.run_id = ?1 AND manifest.collector = wanted.value "
                "LEFT JOIN answer USING (run_id, collector) LEFT JOIN run USING (run_id) "
                "ORDER BY wanted.id",
                (run_id, wanted),
            )
            yield from (self._pair(run_id, *row) for row in rows)
        strangers = self.database.rows(
            SELECT_ANSWER + "WHERE answer.run_id = ?1 AND answer.collector NOT IN "
            "(SELECT collector FROM manifest WHERE run_id = ?1)",
            (run_id,),
        )
        yield from ((None, answer_of(row, self.damage)) for row in strangers)

    def _pair(
        self, run_id: str, collector: str, asked: int, entry: str, *answer: Any
    ) -> tuple[Entry, Answer | None]:
        is_answered = answer[-1] is not None
        return (
            entry_of((run_id, collector, asked, entry), self.damage),
            answer_of((run_id, collector, *answer), self.damage) if is_answered else None,
        )

    def keep_late(self, late: LateAnswer) -> None:
        """See :meth:`fanfold.ports.ledger.Answers.keep_late`."""
        answer = late.answer
        key = (answer.run_id, answer.collector)
        document = records.encode(answer)

        def keep(connection: sqlite3.Connection) -> None:
            require_member(connection, *key)
            connection.execute(
                "INSERT INTO late VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*key, answer.writer, micros(late.received_at), document),
            )

        self.database.write(keep)

    def lates(self, run_id: str) -> Sequence[LateAnswer]:
        """See :meth:`fanfold.ports.ledger.Answers.lates`."""
        rows = self.database.rows(
            "SELECT late.run_id, late.collector, late.writer, run.start_time, late.document, "
            "late.received_at FROM late LEFT JOIN run USING (run_id) WHERE late.run_id = ? "
            "ORDER BY late.received_at, late.collector, late.writer",
            (run_id,),
        )
        return [
            LateAnswer(
                answer_of(tuple(answer), self.damage, f"late answer (by {answer[2]})"),
                from_micros_near(received_at),
            )
            for *answer, received_at in rows
        ]
