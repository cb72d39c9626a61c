"""What a single value may be; everything else is explained."""

from __future__ import annotations

import pytest
from tests.config.cases import dvf, errors, of_dvf, read, refused


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ('" 5m "', 300), ("0h1m", 60)],
)
def test_a_duration_is_read(written: str, seconds: float) -> None:
    assert dvf(f"{{timeout: {written}}}").timeout_s == seconds


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("{timeout: 10 minutes}", "'10 minutes' is not a duration; write 90s, 10m, 2h or 1d"),
        ("{timeout: 600}", "600 of what?"),
        ("{timeout: 0s}", "out of range"),
        ("{timeout: 9999d}", "out of range"),
        ("{timeout: [1m]}", "a list is not a duration"),
        ("{timeout: true}", "true is not a duration"),
        ("{timeout: 1m1h}", "is not a duration"),
        ("{timeout: '-5m'}", "is not a duration"),
        ("{timeout: ''}", "'' is not a duration"),
        ("{timeout: \N{FULLWIDTH DIGIT FIVE}m}", "is not a duration"),
        ("{timeout: 99999999999999999999999s}", "is not a duration"),
        ("{retries: {max: 1.5}}", "1.5 is not a whole number"),
        ("{retries: {max: -1}}", "-1 is less than 0"),
        ("{retries: {max: " + "9" * 5000 + "}}", "9...' is too large"),
        ("{timeout: " + "9" * 5000 + "}", "is not a duration"),
        ("{timeout: " + "9" * 5000 + "s}", "is not a duration"),
        ("{expect: {max_drop: " + "9" * 5000 + "}}", "is not a percentage"),
        ("{schedule: '" + "9" * 5000 + " * * * *'}", "longer than 500 characters"),
        ("{retries: 3}", "3 is not a map"),
        ("{retries: {max: true}}", "true is not a whole number"),
        ("{enabled: maybe}", "'maybe' is neither true nor false"),
        ("{enabled: 2}", "neither true nor false"),
        ("{mode: asynch}", "'asynch' is not one of sync, async"),
        ("{criticality: optionel}", "is not one of required, optional"),
        ("{on_overlap: cancel_previous}", "is not one of skip, queue, allow"),
        ("{tags: ['a,b']}", "'a,b' is not a tag"),
        ("{tags: [{a: 1}]}", "a map is not a tag"),
        ("{params: [1]}", "a list is not a map"),
        ("{upstream: 5}", "5 is not text"),
        ('{upstream: "a\\nb"}', "line break"),
        ("{schedule: 5}", "5 is not text"),
        ("{schedule: '61 * * * *'}", "minute cannot be '61'"),
        ("{expect: {max_drop: 20}}", "20 is not a percentage"),
        ("{expect: {max_drop: 0%}}", "out of range"),
        ("{expect: {max_drop: 101%}}", "out of range"),
        ("{expect: {min_records: {severity: fail}}}", "value is missing"),
        ("{expect: {min_records: {value: 1, severity: bad}}}", "'bad' is not one of fail, warn"),
        ("{expect: {min_records: {value: x}}}", "'x' is not a whole number"),
        ("{expect: {not_exactly: {value: [x]}}}", "'x' is not a whole number"),
        ("{expect: {not_exactly: 10000}}", "10000 is not a list"),
        ("{depends_on: [x]}", "unknown key 'depends_on'"),
        ("[a]", "a list is not a map"),
        ("text", "'text' is not a map"),
    ],
)
def test_a_value_that_means_nothing_is_explained(settings: str, sentence: str) -> None:
    (only,) = errors(of_dvf(settings))
    assert sentence in only
    assert only.startswith("scheduler.collectors.dvf")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("timezone: Mars/Phobos", "is not a time zone"),
        ("timezone: localtime", "'localtime' is not the same on every machine"),
        ("timezone: right/Europe/Paris", "is not the same on every machine"),
        ("timezone: posixrules", "is not the same on every machine"),
        ("timezone: Factory", "is not the same on every machine"),
        ("name: a b", "cannot end a run's id"),
        ("name: " + "x" * 61, "cannot end a run's id"),
        ("max_concurrent_collectors: 0", "0 is less than 1"),
        ("tolerated_failures: 101%", "out of range"),
        ("tolerated_failures: some", "is not a whole number"),
        ("queue_name: a/b", "is not a queue's name"),
        ("service_account_email: me", "is not a service account"),
        ("use_cloud_task: true", "unknown key 'use_cloud_task'"),
        ("collector_urls: [x]", "a list is not a map"),
        ("defaults: 5", "5 is not a map"),
    ],
)
def test_so_is_one_of_the_scheduler(line: str, sentence: str) -> None:
    (only,) = errors(of_dvf(scheduler=line))
    assert sentence in only
    assert only.startswith("scheduler.")


def test_a_bare_number_is_seconds_in_the_old_dialect_only() -> None:
    text = "scheduler:\n  collectors:\n    dvf: {timeout: 90}\n"
    assert read(text).catalogue.collector("dvf").spec.timeout_s == 90
    assert "90 of what?" in errors(f"version: 2\n{text}")[0]


def test_the_version_is_one_that_is_known() -> None:
    for written in ("3", "'2'", "two", "true", "[2]"):
        (only,) = errors(of_dvf().replace("version: 2", f"version: {written}"))
        assert "is no version of the configuration" in only


@pytest.mark.parametrize("name", ["a b", "-a", "_a", "latest", "é", "x" * 64, "a/b", "..", "a.b"])
def test_a_collector_has_a_name_that_fits_everywhere(name: str) -> None:
    text = f"version: 2\nscheduler:\n  collectors:\n    {name}: {{}}\n"
    (only,) = errors(text)
    assert "a collector cannot be called" in only


def test_tolerated_failures_are_a_number_or_a_share() -> None:
    few = read(of_dvf(scheduler="tolerated_failures: 2")).catalogue
    assert (few.tolerated_failures, few.tolerated_is_fraction) == (2, False)
    share = read(of_dvf(scheduler="tolerated_failures: 10%")).catalogue
    assert (share.tolerated_failures, share.tolerated_is_fraction) == (0.1, True)


def test_tags_may_be_one_word_and_stand_once() -> None:
    assert dvf("{tags: daily}").tags == ("daily",)
    assert dvf("{tags: [b, a, b, 2026]}").tags == ("b", "a", "2026")


def test_params_are_small() -> None:
    assert "larger than 16 KiB" in errors(of_dvf(f"{{params: {{a: {'x' * 20_000}}}}}"))[0]


def test_params_keep_their_shape() -> None:
    params = dvf("{params: {a: [1, {b: null}], c: {d: '01'}, e: ~, 2024: x}}").params
    assert params == {"a": [1, {"b": None}], "c": {"d": "01"}, "e": None, "2024": "x"}


def test_the_smallest_file_is_one_line() -> None:
    catalogue = read("scheduler: {collectors: {dvf: }}").catalogue
    assert [each.name for each in catalogue.collectors] == ["dvf"]
    assert catalogue.version.startswith("sha256:")


@pytest.mark.parametrize(
    "text",
    ["version: 2", "scheduler:", "scheduler: {}", "scheduler: {collectors: }", "scheduler: 5"],
)
def test_a_file_without_collectors_is_refused_once(text: str) -> None:
    assert len(errors(text)) == 1


def test_the_version_of_the_catalogue_is_the_files_and_not_the_secrets() -> None:
    text = of_dvf('{auth: {bearer: "${T}"}}')
    first, second = read(text, T="a").catalogue, read(text, T="b").catalogue
    assert first.version == second.version
    assert read(text + "#", T="a").catalogue.version != first.version


@pytest.mark.parametrize(
    ("settings", "fix"),
    [
        ("{mode: asynch}", "did you mean 'async'?"),
        ("{on_overlap: skipp}", "did you mean 'skip'?"),
        ("{criticality: optionel}", "did you mean 'optional'?"),
        ("{expect: {min_records: {value: 1, severity: fails}}}", "did you mean 'fail'?"),
        ("{auth: oicd}", "did you mean 'oidc'?"),
        ("{expect: {max_drop: 20}}", "is it 20%?"),
        ("{expect: {max_drop: 0.2}}", "is it 20%?"),
        ("{expect: {max_drop: '0.07'}}", "is it 7%?"),
        ("{expect: {max_drop: 0.005}}", "is it 0.5%?"),
        ("{expect: {max_drop: 1}}", "write 1% or 100%"),
        ("{expect: {max_drop: 300}}", "write it such as 20%"),
        ("{expect: {max_drop: -0.2}}", "write it such as 20%"),
    ],
)
def test_a_word_is_suggested_as_it_is_written(settings: str, fix: str) -> None:
    assert refused(of_dvf(settings)).problems[0].fix == fix


def test_a_tolerated_fraction_is_taken_for_a_percentage() -> None:
    (only,) = refused(of_dvf(scheduler="tolerated_failures: 0.1")).problems
    assert (only.what, only.fix) == ("0.1 is not a whole number", "is it 10%?")


@pytest.mark.parametrize(
    ("written", "fix"),
    [
        ("Paris", "did you mean 'Europe/Paris'?"),
        ("europe/paris", "did you mean 'Europe/Paris'?"),
        ("New York", "did you mean 'America/New_York'?"),
        ("utc", "did you mean 'UTC'?"),
        ("UTC+2", "write one such as Europe/Paris or UTC"),
        ("localtime", "write one such as Europe/Paris or UTC"),
        ("posix/Europe/Paris", "write one such as Europe/Paris or UTC"),
    ],
)
def test_a_zone_is_proposed_where_one_place_has_the_name(written: str, fix: str) -> None:
    (only,) = refused(of_dvf(scheduler=f"timezone: {written}")).problems
    assert only.fix == fix


def test_no_variable_is_proposed_that_a_shell_cannot_set() -> None:
    text = "version: 2\nscheduler: {collectors: {2nd: {}, dvf: {}}}\n"
    by_name = {each.where: each.fix for each in refused(text, {}).problems}
    assert by_name == {
        "scheduler.collectors.2nd": "write url: below it",
        "scheduler.collectors.dvf": "set DVF_COLLECTOR_URL, or write url: below it",
    }
