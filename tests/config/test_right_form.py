"""What stands in the wrong form or place is shown as it would stand in this file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.config.cases import of_dvf, read, refused

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    ("written", "fix"),
    [
        ("{retries: 3}", "write retries: {max: 3}"),
        ("{retries: 5m}", "write retries: {backoff: 5m}"),
        ("{retries: lots}", "write retries: {max: 2}"),
        ("{expect: 40}", "write expect: {min_records: 40}"),
        ("{expect: 20%}", "write expect: {max_drop: 20%}"),
        ("https://h/run", "write dvf: {url: https://h/run}"),
        ("'15 3 * * *'", "write dvf: {schedule: 15 3 * * *}"),
        ("'*/5 * * * *'", 'write dvf: {schedule: "*/5 * * * *"}'),
        ("false", "write dvf: {enabled: false}"),
        ("'${X}'", 'write dvf: {mode: "${X}"}'),
        ("5", "write its keys below it, indented"),
    ],
)
def test_a_value_in_place_of_a_map_gets_its_key(written: str, fix: str) -> None:
    (only,) = refused(of_dvf(written), DVF_COLLECTOR_URL="https://h/", X="async").problems
    assert "is not a map" in only.what
    assert only.fix == fix


WRITTEN = st.sampled_from(
    [
        *("3", "5m", "40", "20%", "https://h/run", "'15 3 * * *'", "'*/5 * * * *'", "false"),
        *("async", "optional", "queue", "'a: b'", "'x, y'", "'#'", "0", "1.5", "2A"),
    ]
)


@given(key=st.sampled_from(["dvf", "retries", "expect"]), written=WRITTEN)
@settings(deadline=None)
def test_what_is_suggested_can_be_read(key: str, written: str) -> None:
    text = of_dvf(written) if key == "dvf" else of_dvf(f"{{{key}: {written}}}")
    fix = refused(text).problems[0].fix
    if fix.startswith("write its keys"):
        return
    form = fix.removeprefix(f"write {key}: ")
    text = of_dvf(form) if key == "dvf" else of_dvf(f"{{{key}: {form}}}")
    read(text)


def test_a_list_of_collectors_is_shown_with_its_names_as_keys() -> None:
    (only,) = refused("version: 2\nscheduler:\n  collectors: [dvf, plu]\n").problems
    assert only.fix == "write the names as keys:\n  collectors:\n    dvf: {}\n    plu: {}"
    assert only.render("config.yaml").splitlines()[4:] == [
        "   |   ^^^^^^^^^^  write the names as keys:",
        "   =   collectors:",
        "   =     dvf: {}",
        "   =     plu: {}",
    ]


def test_a_list_of_maps_is_shown_by_its_names_and_without_its_secrets() -> None:
    text = (
        "version: 2\nscheduler:\n  collectors:\n    - name: dvf\n      url: https://h/\n"
        f"      auth: {{bearer: {SECRET}}}\n    - plu:\n        url: https://p/\n"
    )
    error = refused(text)
    assert error.problems[0].fix.splitlines()[1:] == [
        "  collectors:",
        "    dvf: {url: https://h/, auth: …}",
        "    plu: …",
    ]
    assert SECRET not in error.render()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            f"collectors:\n  dvf:\n    auth: {{bearer: {SECRET}}}\n  plu:\n",
            ["scheduler:", "  collectors:", "    dvf: …", "    plu:"],
        ),
        ("collectors: [dvf]\n", ["scheduler:", "  collectors:", "    dvf: {}"]),
        ("timezone: UTC\n", ["scheduler:", "  timezone: UTC"]),
        ("timeout: 5m\n", ["scheduler:", "  defaults:", "    timeout: 5m"]),
        (f"proxy: http://u:{SECRET}@p:3128\n", ["network:", "  proxy: …"]),
        ("bucket: gs://abc\n", ["report:", "  bucket: gs://abc"]),
        (f"slack: https://hooks/{SECRET}\n", ["notify:", "  slack: …"]),
        (
            "plu: {url: https://h}\n",
            ["scheduler:", "  collectors:", "    plu:", "      url: https://h"],
        ),
    ],
)
def test_a_key_in_the_wrong_place_is_shown_in_the_right_one(text: str, lines: list[str]) -> None:
    (only,) = refused(f"version: 2\n{text}scheduler: {{collectors: {{dvf: }}}}\n").problems
    assert only.what.startswith("unknown key")
    first, *rest = only.fix.splitlines()
    assert first.startswith("it stands under ")
    assert rest == lines
    assert SECRET not in only.fix


def test_collectors_at_the_top_are_told_once() -> None:
    (only,) = refused("version: 2\ncollectors:\n  dvf: {}\n").problems
    assert only.where == "collectors"


@pytest.mark.parametrize(
    ("settings_of_dvf", "lines"),
    [
        ("{max: 3}", ["      retries:", "        max: 3"]),
        ("{min_records: 4}", ["      expect:", "        min_records: 4"]),
        (f"{{bearer: {SECRET}}}", ["      auth:", "        bearer: …"]),
    ],
)
def test_a_key_of_a_section_of_the_collector_is_shown_in_it(
    settings_of_dvf: str, lines: list[str]
) -> None:
    error = refused(of_dvf(settings_of_dvf))
    above = ["scheduler:", "  collectors:", "    dvf:"]
    assert error.problems[0].fix.splitlines()[1:] == [*above, *lines]
    assert SECRET not in error.render()


@pytest.mark.parametrize(
    "text",
    [
        of_dvf("{auth: '${TOKEN}'}"),
        of_dvf("{retries: '${TOKEN}'}"),
        of_dvf("{timeout: '${TOKEN}'}"),
        of_dvf("{timeout: 'a  ${TOKEN}'}"),
        of_dvf() + "notify: ${HOOK}\n",
        of_dvf() + "notify: {on: ['${HOOK}']}\n",
    ],
)
def test_a_variable_that_may_be_a_secret_is_told_by_its_reference(text: str) -> None:
    error = refused(text, TOKEN=SECRET, HOOK=f"https://hooks/{SECRET}")
    assert SECRET not in error.render()
    assert "${" in error.problems[0].what


def test_a_token_in_place_of_an_auth_is_shown_as_one() -> None:
    (only,) = refused(of_dvf("{auth: '${TOKEN}'}"), TOKEN=SECRET).problems
    assert only.fix == 'write auth: {bearer: "${TOKEN}"}'


@pytest.mark.parametrize(
    ("settings", "fix"),
    [
        ("{mode: Async}", "did you mean 'async'?"),
        ("{mode: asynchronous}", "did you mean 'async'?"),
        ("{mode: SYNC}", "did you mean 'sync'?"),
        ("{mode: later}", "write one of them"),
        ("{criticality: high}", "write one of them"),
        ("{on_overlap: Queue}", "did you mean 'queue'?"),
        ("{retries: no}", "write retries: {max: 0}"),
        ("{retries: none}", "write retries: {max: 0}"),
        ("{retries: {max: 3.0}}", "write 3"),
        ("{retries: {max: 3.5}}", "write a whole number"),
        ("{retries: {max: true}}", "write a whole number"),
        ("{expect: {min_records: 1_000}}", "write 1000"),
        ("{expect: {min_records: 1 000}}", "write 1000"),
        ("{expect: {min_records: '1,000,000'}}", "write 1000000"),
        ("{expect: {min_records: 4e1}}", "write 40"),
        ("{expect: {min_records: 0x28}}", "write a whole number"),
    ],
)
def test_what_is_proposed_means_what_was_written(settings: str, fix: str) -> None:
    (only,) = refused(of_dvf(settings)).problems
    assert only.fix == fix


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (of_dvf("{timeoutt: }"), "scheduler.collectors.dvf.timeoutt"),
        (of_dvf("{retries: {mox: ~}}"), "scheduler.collectors.dvf.retries.mox"),
        (of_dvf("{expect: {max_drop: ,2}}"), "scheduler.collectors.dvf.expect.2"),
        (of_dvf(scheduler="timezonee: "), "scheduler.timezonee"),
        (of_dvf(scheduler="defaults: {timeoutt: null}"), "scheduler.defaults.timeoutt"),
        (of_dvf() + "reports:\n", "reports"),
        (of_dvf() + "notify: {slak: }\n", "notify.slak"),
    ],
)
def test_an_unknown_key_without_a_value_is_unknown(text: str, where: str) -> None:
    (only,) = refused(text).problems
    assert (only.where, only.what) == (where, f"unknown key {where.rpartition('.')[2]!r}")


def test_a_known_key_without_a_value_and_null_in_params_are_nobodys_business() -> None:
    text = of_dvf("{timeout: , retries: , params: {a: , b: {c: }}}") + "report:\nnotify: ~\n"
    assert dict(read(text).catalogue.collector("dvf").spec.params) == {"a": None, "b": {"c": None}}
