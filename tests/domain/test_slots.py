"""Which instant somebody means who writes a slot."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from fanfold.domain.rules.slots import read_instant


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T02:15Z",
        "2026-11-23T02:15:00Z",
        " 2026-11-23 02:15Z ",
        "2026-11-23T03:15+01:00",
        "2026-11-23T03:15[Europe/Paris]",
        "2026-11-23T03:15:00[Europe/Paris]",
        "2026-11-23 03:15 Europe/Paris",
    ],
)
def test_an_instant_is_written_in_utc_with_an_offset_or_with_a_zone(text: str) -> None:
    assert read_instant(text) == datetime(2026, 11, 23, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "2026-11-23T02:15",
            "names no zone: write 2026-11-23T02:15Z for UTC, or 2026-11-23T02:15[",
        ),
        ("2026-11-23", "has no time of day: write 2026-11-23T02:15Z"),
        ("yesterday", "'yesterday' is no time: write 2026-11-23T02:15Z"),
        ("", "'' is no time"),
        ("2026-02-30T02:15Z", "is no time"),
        ("9" * 5000, "is no time"),
        ("0001-01-01T00:00+14:00", "outside the calendar"),
        ("2026-11-23T02:15[Mars/Phobos]", "not a time zone"),
        ("2026-11-23T02:15 localtime", "not the same on every machine"),
        ("2026-13-23T02:15[UTC]", "is no time"),
        (
            "2027-03-28T02:30[Europe/Paris]",
            "clocks in Europe/Paris jump from 02:00 to 03:00 on 2027-03-28: no time between exists",
        ),
        (
            "2027-10-31 02:30 Europe/Paris",
            "happens twice in Europe/Paris: write 2027-10-31T02:30+02:00 or 2027-10-31T02:30+01:00",
        ),
    ],
)
def test_what_names_no_instant_is_refused_with_what_to_write(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        read_instant(text)
    assert len(str(caught.value)) < 300
