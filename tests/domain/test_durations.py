"""One grammar for lengths of time: in the file, on the command line, and where they are printed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.config.cases import errors, of_dvf, read

from fanfold.cli.exit_codes import CommandError
from fanfold.cli.output import words
from fanfold.config import ConfigError
from fanfold.domain.syntax.durations import (
    LONGEST_S,
    PATTERN,
    NotADuration,
    duration,
    seconds_of,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0s"), (0, "0s"), (0.0001, "1ms"), (0.12, "120ms"), (0.9994, "999ms"),
        (0.9996, "1s"), (1, "1s"), (4.24, "4.2s"), (9.96, "10s"), (39.4, "39s"),
        (59.6, "1m00s"), (149, "2m29s"), (3599.6, "1h00m"), (3900, "1h05m"),
        (86_399, "1d00h"), (273_600, "3d04h"),
    ],
)  # fmt: skip
def test_a_duration_has_two_units_at_most(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@settings(deadline=None)
@given(st.floats(0, 1e9))
def test_no_duration_reads_sixty_of_anything(seconds: float) -> None:
    assert not re.search(r"(?<!\d)60(s|m|h)(?!s)", duration(seconds))


@settings(deadline=None)
@given(st.floats(0, LONGEST_S))
def test_what_is_printed_is_read_and_printed_the_same(seconds: float) -> None:
    text = duration(seconds)
    assert duration(seconds_of(text)) == text
    assert re.fullmatch(PATTERN, text)
    step_s = 1800 if seconds > 86_000 else 30 if seconds > 3_500 else 0.5
    assert abs(seconds_of(text) - seconds) <= step_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("10m", 600), ("2h", 7200), ("7d", 604_800), ("1h30m", 5400), (" 5m ", 300),
        ("1d00h", 86_400), ("4.2s", 4.2), ("120ms", 0.12), ("1m0.5s", 60.5), ("0s", 0),
    ],
)  # fmt: skip
def test_a_text_is_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("1.5h", "did you mean 1h30m?"),
        ("0.5d", "did you mean 12h?"),
        ("1.25 hours", "did you mean 1h15m?"),
        ("10 minutes", "did you mean 10m?"),
        ("10M", "did you mean 10m?"),
        ("90", "is it seconds? write 90s"),
        ("1m1h", ""),
        ("-5m", ""),
        ("1s200ms", ""),
        ("1.5ms", ""),
        ("", ""),
        ("soon", ""),
        ("\N{FULLWIDTH DIGIT FIVE}m", ""),
        ("9" * 30 + "s", ""),
    ],
)
def test_a_text_that_is_none_is_explained(text: str, fix: str) -> None:
    with pytest.raises(NotADuration, match="is not a duration; write 90s, 10m, 2h or 1d") as caught:
        seconds_of(text)
    assert caught.value.fix == fix


TEXTS = st.from_regex(r"[0-9]{1,3}(\.[0-9])?(ms|s|m|h|d)?([0-9]{1,2}(m|s|h))?", fullmatch=True)


@settings(deadline=None)
@given(text=TEXTS | st.text("0123456789.dhms -", max_size=6))
def test_the_file_and_the_command_line_take_the_same(text: str) -> None:
    """Nothing but the range differs: a timeout is more than 0."""
    try:
        typed = words.seconds_of(text, "--wait-timeout")
    except CommandError:
        assert "is not a duration" in errors(of_dvf(f"{{timeout: {text!r}}}"))[0]
        return
    settings_of_dvf = f"{{mode: async, timeout: {text!r}}}"
    try:
        assert (
            read(of_dvf(settings_of_dvf, "run_timeout: 399d"))
            .catalogue.collector("dvf")
            .spec.timeout_s
            == typed
        )
    except ConfigError as exc:
        assert typed == 0 or typed > 399 * 86_400, exc  # noqa: PT017 - the range is the file's own


def test_a_command_says_what_was_meant() -> None:
    with pytest.raises(CommandError, match=r"--wait-timeout '1.5h': did you mean 1h30m"):
        words.seconds_of("1.5h", "--wait-timeout")
