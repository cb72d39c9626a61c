"""References stand for the environment's values, and only where they may."""

from __future__ import annotations

import pytest
from tests.config.cases import dvf, errors, of_dvf, read, refused

from fanfold.domain.syntax.references import BadTemplate, pieces


def param(written: str, **env: str) -> object:
    return dvf(f"{{params: {{p: {written}}}}}", **env).params["p"]


@pytest.mark.parametrize(
    ("written", "env", "value"),
    [
        ('"${X}"', {"X": "a"}, "a"),
        ('"${X:-b}"', {}, "b"),
        ('"${X:-b}"', {"X": ""}, "b"),
        ('"${X:-}"', {}, ""),
        ('"${X:?say it}"', {"X": "a"}, "a"),
        ('"a${X}b${Y}c"', {"X": "1", "Y": "2"}, "a1b2c"),
        ('"$$"', {}, "$"),
        ('"$${X}"', {}, "${X}"),
        ('"$5 and $"', {}, "$5 and $"),
        ('"${X}"', {"X": "${Y}"}, "${Y}"),
        ('"${X:-$Y}"', {}, "$Y"),
        ('"${X}"', {"X": "a\n"}, "a"),
    ],
)
def test_a_reference_stands_for_its_value(written: str, env: dict[str, str], value: str) -> None:
    assert param(written, **env) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("null", None),
        ("01", "01"),
        ("2A", "2A"),
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("2026-11-23", "2026-11-23"),
        (".nan", ".nan"),
        ("1.0e999", "1.0e999"),
        ("1234567890123456789", "1234567890123456789"),
        ("35200000000000", 35200000000000),
    ],
)
def test_a_word_means_the_same_in_the_file_and_in_a_variable(text: str, value: object) -> None:
    block = "version: 2\nscheduler:\n  collectors:\n    dvf:\n      params:\n        p: "
    for file, env in ((block + text, {}), (block + "${X}", {"X": text})):
        found = read(file, **env).catalogue.collector("dvf").spec.params["p"]
        assert (found, type(found)) == (value, type(value))


def test_quotes_keep_text_text() -> None:
    assert param('"12"') == "12"
    assert param('"${X}"', X="true") == "true"


@pytest.mark.parametrize("word", ["true", "yes", "on", "1", "True"])
def test_a_flag_understands_the_words_of_a_shell(word: str) -> None:
    text = of_dvf('{enabled: "${ON}"}')
    assert read(text, ON=word).catalogue.collector("dvf").enabled
    opposite = {"true": "false", "yes": "no", "on": "off", "1": "0", "True": "FALSE"}[word]
    assert not read(text, ON=opposite).catalogue.collector("dvf").enabled


def test_every_missing_variable_is_told_with_its_caret() -> None:
    found = refused(
        of_dvf('{params: {a: "${A}", b: "x${B}y"}, upstream: "${C:?the source}"}')
    ).problems
    assert [(each.what, each.column, each.width) for each in found] == [
        ("A is not set", 24, 4),
        ("B is not set", 36, 4),
        ("C is not set", 56, 16),
    ]
    assert found[0].fix == "set A, or write ${A:-default}"
    assert found[2].fix == "the source"


def test_a_switch_that_is_not_set_is_an_error_and_not_off() -> None:
    assert errors(of_dvf('{enabled: "${ON}"}')) == [
        "scheduler.collectors.dvf.enabled: ON is not set"
    ]


def test_a_variable_that_must_say_something_cannot_be_empty() -> None:
    assert "C is empty" in errors(of_dvf('{upstream: "${C:?the source}"}'), C="")[0]


@pytest.mark.parametrize(
    "written",
    ["${", "${}", "${1X}", "${X", "${X-y}", "${X:y}", "${secret:}", "${A:-${B}}", "${a b}"],
)
def test_a_broken_reference_is_explained(written: str) -> None:
    (only,) = refused(of_dvf(f'{{upstream: "a {written}"}}')).problems
    assert "is not a reference" in only.what
    assert "${NAME:-default}" in only.fix


def test_a_secret_stands_where_it_is_not_stored_only() -> None:
    for settings in ('{params: {k: "${secret:x}"}}', '{url: "https://h/${secret:x}"}'):
        (only,) = refused(of_dvf(settings)).problems
        assert "secrets can stand under auth and notify only" in only.what
        assert "auth" in only.fix


def test_a_variable_in_params_that_sounds_like_a_secret_is_a_warning() -> None:
    loaded = read(of_dvf('{params: {k: "${INSEE_API_KEY}"}}'), INSEE_API_KEY="hush")
    assert "sounds like a secret" in loaded.warnings[0].what
    assert "hush" not in str(loaded.origins)


def test_keys_are_never_substituted() -> None:
    assert errors(of_dvf('{"${X}": 1}'), X="enabled")[0].startswith(
        "scheduler.collectors.dvf.${X}: unknown key"
    )


def test_many_braces_take_no_time() -> None:
    with pytest.raises(BadTemplate):
        list(pieces("${" * 300_000))
