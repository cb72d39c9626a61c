"""What is printed is shown as it is, and nothing in it is obeyed by a terminal."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.conftest import Folder

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.cli.output.words import json_text
from fanfold.domain.syntax.text import printable, printable_line
from fanfold.ports.ledger import DeadLetter

#: What a terminal obeys, or what makes a line read otherwise than it is: ESC, BEL, CSI of C1, DEL,
#: bidirectional embedding, override and isolate, zero width, line separators, a tag, no character.
EVIL = "\x1b[31m\x07\x9b2J\x7f\u202a\u202e\u2066\u200b\u200f\u2028\u2029\U000e0041\ufeff\ufffe"

#: Spaces that are no control characters: no-break, thin, narrow no-break, em, ideographic.
SPACES = "\u00a0\u2009\u202f\u2003\u3000"


def is_shown(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def obeyed(text: str) -> str:
    """Return what of *text* a terminal would not simply show."""
    return "".join(each for each in text if each != "\n" and not is_shown(each))


def test_counts_are_readable_off_a_terminal(folder: Folder) -> None:
    folder.configure({f"c{number}": "ok" for number in range(3)})
    folder.collectors.records = 1234567
    try:
        ran = folder.run("run")
    finally:
        folder.collectors.records = 42
    assert "1\u202f234\u202f567 records" in ran.err
    assert "1\u202f234\u202f567 records" in ran.out
    assert "\ufffd" not in ran.err + ran.out


@pytest.mark.parametrize("space", SPACES)
def test_a_space_of_any_width_is_a_space(space: str) -> None:
    assert printable(f"1{space}234") == f"1{space}234"


@given(st.text())
def test_printable_text_holds_nothing_to_obey_and_loses_nothing_that_shows(text: str) -> None:
    shown = printable(text)
    assert obeyed(shown) == ""
    assert len(shown) == len(text)
    assert all(a == b or not is_shown(a) for a, b in zip(text, shown, strict=True))
    line = printable_line(text)
    assert line == shown.replace("\n", "\ufffd")
    assert "\t" not in line


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_json_is_the_same_document_and_holds_nothing_to_obey(document: dict[str, object]) -> None:
    text = json_text(document)
    assert json.loads(text) == document
    assert obeyed(text) == ""


@pytest.mark.parametrize("form", ["table", "json", "markdown"])
def test_letters_are_printed_clean_in_every_format(folder: Folder, form: str) -> None:
    ledger = SqliteLedger(Database(folder.path / "fanfold.db"))
    at = datetime(2026, 11, 23, tzinfo=UTC)
    evil = f"a{EVIL}\nfanfold run   # {EVIL}z"
    ledger.park(DeadLetter("id" + EVIL, evil, evil, evil.encode(), {evil: evil}, at))
    ledger.close()
    listed = folder.run("dead-letters", "list", "--format", form)
    assert listed.code == 0, listed.err
    # Markdown breaks a mention with a word joiner of its own, which nothing obeys.
    assert obeyed(listed.out).replace("\u2060", "") == ""
    if form == "json":
        (letter,) = json.loads(listed.out)
        assert letter["reason"] == evil
    else:
        assert len(listed.out.splitlines()) == (2 if form == "table" else 1)


def test_what_is_typed_is_not_obeyed_when_it_is_echoed(folder: Folder) -> None:
    folder.run("run")
    for arguments in (
        ["status", EVIL],
        ["report", EVIL],
        ["cancel", EVIL],
        ["retry", EVIL],
        ["run", EVIL],
        ["run", "--reason", EVIL, "--run-id", EVIL],
        ["dead-letters", "replay", EVIL],
        ["dead-letters", "replay", "--all", "--topic", EVIL],
        ["check", EVIL],
        [EVIL],
        ["--color", EVIL, "status"],
    ):
        answered = folder.run(*arguments)
        assert answered.code == 2, arguments
        assert obeyed(answered.err + answered.out) == ""


def test_json_for_people_keeps_their_letters() -> None:
    assert json_text({"région": "Île-de-France\u202f€"}) == (
        '{\n  "région": "Île-de-France\u202f€"\n}'
    )
