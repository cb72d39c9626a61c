"""Every collector inherits ``scheduler.defaults``: maps merge, lists and scalars replace."""

from __future__ import annotations

from tests.config.cases import errors, read

from fanfold.domain.model.collector import AuthKind, Collector, Expect, Mode, Overlap, Severity

TEXT = """
version: 2
scheduler:
  defaults:
    timeout: 5m
    schedule: "0 4 * * *"
    retries: {max: 4, backoff: 10s}
    auth: {bearer: "${TOKEN}"}
    params: {area: {code: "35", kind: dep}, years: [2023]}
    tags: [nightly]
    criticality: optional
    on_overlap: queue
    expect: {min_records: 10, max_drop: {value: 20%, severity: fail}}
  collectors:
    dvf: SETTINGS
"""


def made(settings: str = "") -> Collector:
    return read(TEXT.replace("SETTINGS", settings), TOKEN="t").catalogue.collector("dvf")


def test_a_collector_that_says_nothing_has_the_defaults() -> None:
    collector = made()
    spec = collector.spec
    assert (spec.timeout_s, spec.max_attempts, spec.backoff_s, spec.max_backoff_s) == (
        300,
        5,
        10,
        600,
    )
    assert collector.cron == "0 4 * * *"
    assert spec.auth.kind is AuthKind.BEARER
    assert spec.params == {"area": {"code": "35", "kind": "dep"}, "years": [2023]}
    assert spec.tags == ("nightly",)
    assert not spec.required
    assert collector.on_overlap is Overlap.QUEUE


def test_maps_merge_and_lists_and_scalars_replace() -> None:
    spec = made("{timeout: 1m, retries: {max: 0}, params: {area: {code: '56'}, years: []}}").spec
    assert (spec.timeout_s, spec.max_attempts, spec.backoff_s) == (60, 1, 10)
    assert spec.params == {"area": {"code": "56", "kind": "dep"}, "years": []}
    assert made("{tags: [x]}").spec.tags == ("x",)
    assert made("{criticality: required, mode: async}").spec.mode is Mode.ASYNC


def test_expectations_merge_one_by_one() -> None:
    assert made("{expect: {max_drop: 5%, not_exactly: [5000]}}").spec.expect == (
        Expect("min_records", 10, Severity.FAIL, written=True),
        Expect("max_drop", 0.05, Severity.WARN, written=True),
        Expect("not_exactly", (5000,), Severity.WARN, written=True),
    )
    assert made("{expect: {max_drop: {value: 5%}}}").spec.expect[1] == (
        Expect("max_drop", 0.05, Severity.FAIL, written=True)
    )


def test_zero_records_says_that_empty_is_fine() -> None:
    assert made("{expect: {min_records: 0, max_drop: }}").spec.expect == ()


def test_null_takes_an_inherited_value_away() -> None:
    collector = made("{schedule: , timeout: ~, tags: null, auth: }")
    assert collector.cron is None
    assert collector.spec.timeout_s == 540
    assert collector.spec.tags == ()
    assert collector.spec.auth.kind is AuthKind.NONE


def test_one_way_to_authenticate_replaces_another() -> None:
    assert made('{auth: {header: {X-Key: "${TOKEN}"}}}').spec.auth.headers == {"X-Key": "${TOKEN}"}
    assert made("{auth: none}").spec.auth.kind is AuthKind.NONE


def test_the_collectors_stay_in_the_files_order() -> None:
    text = "scheduler: {collectors: {c: {}, a: {}, b: {}}}"
    env = {f"{name}_COLLECTOR_URL": "https://h" for name in "CAB"}
    assert [each.name for each in read(text, env).catalogue.collectors] == ["c", "a", "b"]


def test_a_mistake_in_the_defaults_is_told_without_any_collector_repeating_it() -> None:
    wrong = TEXT.replace("timeout: 5m", "timeout: 5 minutes").replace("SETTINGS", "{}")
    (only,) = errors(wrong, TOKEN="t")
    assert only.startswith("scheduler.defaults.timeout: '5 minutes' is not a duration")
