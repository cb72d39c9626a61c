"""How numbers, times and foreign text are written everywhere."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanfold.domain.syntax import text as figures

THIN = "\u202f"


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (4_100_000, "4.1 MB"), (38_000_000, "38 MB"),
     (999_600, "1.0 MB"), (2.5e15, f"2{THIN}500 TB")],
)  # fmt: skip
def test_a_size_is_decimal(size_bytes: float, text: str) -> None:
    assert figures.size(size_bytes) == text


@pytest.mark.parametrize(
    ("number", "before", "text"),
    [(0, 412, "\u2212100 %"), (24_160, 23_950, "+0.9 %"), (5, 5, "0 %"), (5, 0, ""), (5, None, ""),
     (None, 5, "")],
)  # fmt: skip
def test_a_change_is_a_signed_share(number: int | None, before: int | None, text: str) -> None:
    assert figures.change(number, before) == text


def test_counts_have_thin_spaces_and_nouns_agree() -> None:
    assert figures.count(31_874) == f"31{THIN}874"
    assert [figures.plural(n, "record") for n in (0, 1, 2)] == [
        "0 records",
        "1 record",
        "2 records",
    ]


def test_times_are_local_and_english() -> None:
    text = figures.instant(datetime(2026, 12, 1, 2, 15, tzinfo=UTC))
    assert text == "2026-12-01T02:15:00.000Z"
    moment = figures.local(text, "Europe/Paris")
    assert (figures.day(moment), figures.short(moment)) == ("Tue 1 Dec 2026", "1 Dec 03:15")


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "Europe", "\0"])
def test_a_zone_that_is_none_is_utc(name: str) -> None:
    assert str(figures.zone(name)) == "UTC"


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=80), st.integers(1, 40))
def test_one_line_is_one_line_and_stays_what_it_is(text: str, limit: int) -> None:
    line = figures.one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert figures.one_line(line, limit) == line
    line.encode()


def test_ordinary_text_is_left_alone() -> None:
    assert figures.one_line("déjà vu: 漢字, 31\u202f874 ✓") == "déjà vu: 漢字, 31\u202f874 ✓"
