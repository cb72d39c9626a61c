"""Names and ids: what may be one, and how a run's id is made."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanfold.domain.model import names
from fanfold.domain.model.collector import Mode

ALPHABET = re.compile(r"[A-Za-z0-9_-]+")
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        pytest.param("dvf", True, id="a word"),
        pytest.param("insee_contours-2", True, id="underscore and dash inside"),
        pytest.param("9lives", True, id="a digit first"),
        pytest.param("a" * 63, True, id="the longest"),
        pytest.param("a" * 64, False, id="one too long"),
        pytest.param("", False, id="nothing"),
        pytest.param("_x", False, id="Firestore keeps leading underscores"),
        pytest.param("-x", False, id="a dash first looks like an option"),
        pytest.param("a/b", False, id="a slash leaves its path"),
        pytest.param("..", False, id="dots leave their path"),
        pytest.param("é", False, id="not ASCII"),
        pytest.param("٣", False, id="a digit that is not ASCII"),
        pytest.param("dvf\n", False, id="a newline at the end"),
        pytest.param("latest", False, id="a word of the command"),
    ],
)
def test_collector_names(text: str, is_one: bool) -> None:
    assert names.is_collector_name(text) is is_one


@given(st.text())
def test_whatever_is_a_run_id_is_legal_everywhere(text: str) -> None:
    if names.is_run_id(text):
        assert ALPHABET.fullmatch(text)
        assert 1 <= len(text) <= 100
        assert text[0].isalnum()


@given(INSTANTS, st.text(min_size=1))
def test_an_ad_hoc_id_is_a_legal_run_id_made_of_the_message_alone(
    published_at: datetime, message_id: str
) -> None:
    run_id = names.ad_hoc_run_id(published_at, message_id)
    elsewhere = published_at.astimezone(timezone(timedelta(hours=5)))

    assert names.is_run_id(run_id)
    assert names.ad_hoc_run_id(elsewhere, message_id) == run_id


@given(INSTANTS, INSTANTS)
def test_ids_sort_by_time(one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))
    if (second - first) >= timedelta(minutes=1):
        assert names.scheduled_run_id(first, "n") < names.scheduled_run_id(second, "n")


def test_a_scheduled_id_is_in_utc() -> None:
    paris = timezone(timedelta(hours=1))
    slot = datetime(2026, 11, 23, 3, 15, tzinfo=paris)

    assert names.scheduled_run_id(slot, "nightly") == "2026-11-23T0215Z-nightly"


def test_another_message_in_the_same_minute_is_another_run() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)

    assert names.ad_hoc_run_id(at, "1") != names.ad_hoc_run_id(at, "2")


def test_the_nearest_known_word_is_suggested() -> None:
    assert names.did_you_mean("sirenne", ["dvf", "sirene"]) == ": did you mean 'sirene'?"
    assert names.did_you_mean("zzz", ["dvf", "sirene"]) == ""


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T0215Z-nightly",
        "2026-11-23T0215Z-weekly",
        "2026-11-23t0215z-nightly",
        "2026-11-23T0215Z-",
        "2026-11-23T0215Z-facade",
        "2026-11-23T0215Z-abcdef0",
        "mine-missed",
        "mine-Planned",
        "mine-rejected",
        "latest",
        "a/b",
    ],
)
def test_an_id_that_is_ours_to_give_is_not_chosen(text: str) -> None:
    assert names.why_not_chosen(text, "facade") is not None


@pytest.mark.parametrize(
    "text", ["mine", "2026-11-23", "2026-11-23-backfill", "missed", "2026-11-23T0215Z-a1b2c3"]
)
def test_any_other_id_is_chosen_freely(text: str) -> None:
    assert names.why_not_chosen(text, "facade") is None


def test_a_suggestion_is_a_word_even_among_enums() -> None:
    assert names.did_you_mean("asynch", Mode) == ": did you mean 'async'?"
