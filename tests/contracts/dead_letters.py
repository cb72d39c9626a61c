"""The promises of :class:`fanfold.ports.ledger.DeadLetters`, as tests. See ``ledger.py``."""

from __future__ import annotations

from dataclasses import replace

from tests.contracts.ledger import Connect, LedgerContract
from tests.support import START, after

from fanfold.ports.ledger import DeadLetter, Ledger

LETTER = DeadLetter("m1", "collector-jobs", "no run 'x'", b"\x00\xff{", {"ce-id": "x/é"}, START)


class DeadLettersContract(LedgerContract):
    def test_kept_once_the_first_letter_stays(self, ledger: Ledger) -> None:
        ledger.park(LETTER)
        ledger.park(replace(LETTER, reason="again"))

        assert list(ledger.dead_letters(10)) == [LETTER]

    def test_a_letter_is_kept_byte_for_byte(self, connect: Connect) -> None:
        connect().park(LETTER)

        assert list(connect().dead_letters(10)) == [LETTER]

    def test_letters_come_newest_first_and_no_more_than_asked(self, ledger: Ledger) -> None:
        for number in (2, 1, 3):
            ledger.park(replace(LETTER, letter_id=f"m{number}", received_at=after(number)))

        assert [letter.letter_id for letter in ledger.dead_letters(2)] == ["m3", "m2"]

    def test_a_replayed_letter_says_when(self, ledger: Ledger) -> None:
        ledger.park(LETTER)
        ledger.mark_replayed("m1", after(9))
        ledger.mark_replayed("nobody", after(9))

        assert list(ledger.dead_letters(10)) == [replace(LETTER, replayed_at=after(9))]
