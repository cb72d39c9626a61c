"""What must hold between the values, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.config.cases import dvf, errors, of_dvf, read, refused, warnings

from fanfold.config.checks.cross_checks import PUSH_LIMIT_S, START_S
from fanfold.domain.model.collector import Expect, Mode, Severity
from fanfold.domain.rules.claim import LEASE_MARGIN_S
from fanfold.messages.topology import COLLECTOR_JOBS, topology

CLOUD = {"FANFOLD_BACKEND": "google", "DVF_COLLECTOR_URL": "https://h/"}
GOOGLE = {**CLOUD, "FIRESTORE_EMULATOR_HOST": "localhost:8080"}


@pytest.mark.parametrize(
    ("timeout", "scheduler", "sentence"),
    [
        ("9m30s", "", ""),
        ("571s", "", "a push delivery lasts at most 10m, and the start takes some of it: 9m30s"),
        ("10m", "", "a push delivery lasts at most 10m"),
        ("30m", "use_cloud_tasks: true", ""),
        ("31m", "use_cloud_tasks: true", "Cloud Tasks ends a request after 30m"),
    ],
)
def test_no_call_is_longer_than_the_platform_allows(
    timeout: str, scheduler: str, sentence: str
) -> None:
    text = of_dvf(f"{{timeout: {timeout}}}", scheduler)
    if not sentence:
        assert warnings(text, GOOGLE) == []
        assert [each for each in warnings(text) if "Cloud Tasks" not in each] == []
        return
    (only,) = refused(text, GOOGLE).problems
    assert sentence in only.what
    assert "mode: async" in only.fix
    assert f"on Google Cloud {sentence}" in "\n".join(warnings(text))
    patient = text.replace("{timeout", "{mode: async, timeout")
    assert read(patient, GOOGLE).catalogue.collector("dvf").spec.mode is Mode.ASYNC


def test_the_usual_timeout_fits_into_a_push_and_its_lease_covers_the_start() -> None:
    usual = read(of_dvf(), GOOGLE).catalogue.collector("dvf").spec.timeout_s

    assert usual == 540 <= PUSH_LIMIT_S
    # A push that began with a slow start has hung up while the call goes on: nobody else may call.
    assert (
        LEASE_MARGIN_S
        >= START_S
        == topology().subscriptions[COLLECTOR_JOBS].ack_deadline_s - (PUSH_LIMIT_S)
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            of_dvf("{timeout: 3h, mode: async}", "run_timeout: 2h"),
            "dvf.timeout: longer than scheduler.run_timeout",
        ),
        (of_dvf("{retries: {backoff: 11m}}"), "dvf.retries.backoff: longer than max_backoff"),
        (
            of_dvf("{expect: {max_records: 0, min_records: 1}}"),
            "max_records: 0 is less than min_records 1",
        ),
        (of_dvf(scheduler="max_trigger_age: 400d"), "after their run is forgotten"),
        (of_dvf(scheduler="missed_after: 59s"), "missed_after: out of range"),
        (of_dvf(scheduler="missed_after: 400d"), "missed_after: out of range"),
        (
            of_dvf(scheduler="max_trigger_age: 24h") + "report: {keep: 1d}\n",
            "after their run is forgotten",
        ),
        (
            of_dvf(scheduler="run_timeout: 2h") + "report: {keep: 2h}\n",
            "last longer than its record",
        ),
        (of_dvf() + "report: {keep: 1m}\n", "report.keep: too short"),
        (of_dvf() + "report: {folder: a, bucket: gs://abc}\n", "a folder and a bucket"),
        (of_dvf() + "report: {folder: gs://abc}\n", "is a bucket"),
        (of_dvf() + "report: {bucket: gs://Abc}\n", "is not a bucket"),
        (of_dvf() + "report: {bucket: gs://abc/../x}\n", "is not a bucket"),
        (of_dvf("{url: https://x}", "base_function_url: 'https://h/?a'"), "can have no query"),
    ],
)
def test_what_cannot_hold_together_is_refused(text: str, sentence: str) -> None:
    assert any(sentence in each for each in errors(text))


def test_times_that_a_clock_change_touches_are_a_warning_with_the_dates() -> None:
    (only,) = warnings(of_dvf('{schedule: "30 2 * * *"}', "timezone: Europe/Paris"))
    assert only == (
        "scheduler.collectors.dvf.schedule: 02:xx in Europe/Paris does not exist on "
        "2027-03-28, 2028-03-26 and happens twice on 2027-10-31, 2028-10-29"
    )
    for fine in ('{schedule: "15 3 * * *"}', '{schedule: "30 2 * * *", enabled: false}'):
        assert warnings(of_dvf(fine, "timezone: Europe/Paris")) == []
    assert warnings(of_dvf('{schedule: "30 2 * * *"}')) == []


def test_a_warning_of_a_clock_change_has_what_runs_in_the_next_nights() -> None:
    text = of_dvf('{schedule: "*/30 2 * * *"}', "timezone: Europe/Paris")
    (only,) = read(text).warnings
    jump, repeat = only.details
    assert "2027, clocks jump from 02:00 to 03:00: until 04:00 it does not run" in jump
    assert "it runs at 02:00+02:00, 02:30+02:00, 02:00+01:00, 02:30+01:00" in repeat
    assert only.render_with_details("c.yaml").endswith(f"\n   = {jump}\n   = {repeat}")
    assert jump not in only.render("c.yaml")


def test_reports_go_to_a_folder_from_here_or_to_a_bucket() -> None:
    def report_to(report: str) -> str:
        return read(of_dvf() + f"report: {report}\n").catalogue.report_to

    assert report_to("{}") == str(Path.cwd() / "reports")
    assert report_to("{folder: ../out}") == str(Path.cwd().parent / "out")
    assert report_to("{folder: /var/out/}") == "/var/out"
    assert report_to("{bucket: my-bucket}") == "gs://my-bucket"
    assert report_to("{bucket: 'gs://my-bucket/a/b/'}") == "gs://my-bucket/a/b"
    assert report_to('{bucket: "${B:-}", folder: /x}') == "/x"


def test_a_folder_on_cloud_run_is_a_warning() -> None:
    assert warnings(of_dvf(), CLOUD) == ["report: a folder on Cloud Run is lost with its instance"]
    assert warnings(of_dvf() + "report: {bucket: gs://abc}\n", CLOUD) == []


def test_expectations_fail_or_warn_as_they_should() -> None:
    assert dvf().expect == (Expect("min_records", 1, Severity.FAIL),)
    settings = (
        "{expect: {min_records: {value: 5, severity: warn}, max_records: 9, max_drop: 20%,"
        " not_exactly: [7, 8], max_age: 210d, max_duration: {value: 1m, severity: fail}}}"
    )
    assert dvf(settings).expect == (
        Expect("min_records", 5, Severity.WARN, written=True),
        Expect("max_records", 9, Severity.WARN, written=True),
        Expect("max_drop", 0.2, Severity.WARN, written=True),
        Expect("not_exactly", (7, 8), Severity.WARN, written=True),
        Expect("max_age", 210 * 86_400, Severity.WARN, written=True),
        Expect("max_duration", 60, Severity.FAIL, written=True),
    )


def test_the_runs_settings_reach_the_catalogue() -> None:
    lines = (
        "{name: nightly, run_timeout: 3h, missed_after: 1h, max_trigger_age: 6h,"
        " use_cloud_tasks: on, queue_name: q, service_account_email: a@b,"
        " max_concurrent_collectors: 9, timezone: Asia/Tokyo, collectors: {dvf: {}}}"
    )
    made = read(f"version: 2\nscheduler: {lines}\nreport: {{keep: 30d}}\n").catalogue
    assert (made.schedule, made.timezone, made.queue_name) == ("nightly", "Asia/Tokyo", "q")
    assert (made.run_timeout_s, made.missed_after_s, made.max_trigger_age_s) == (10800, 3600, 21600)
    assert (made.use_cloud_tasks, made.max_concurrent_collectors) == (True, 9)
    assert (made.service_account_email, made.keep_s) == ("a@b", 30 * 86_400)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (of_dvf(scheduler="run_timeout: 20s"), {"timeout_s": 20, "run_timeout_s": 20}),
        (of_dvf("{timeout: 3h, mode: async}"), {"timeout_s": 10_800, "run_timeout_s": 10_800}),
        (of_dvf(scheduler="defaults: {timeout: 3h, mode: async}"), {"run_timeout_s": 10_800}),
        (of_dvf("{retries: {max_backoff: 10s}}"), {"backoff_s": 10, "max_backoff_s": 10}),
        (
            of_dvf("{expect: {max_records: 0}}"),
            {"expect": (Expect("max_records", 0, Severity.WARN, written=True),)},
        ),
        (of_dvf() + "report: {keep: 1d}\n", {"max_trigger_age_s": 43_200, "run_timeout_s": 7200}),
        (
            of_dvf() + "report: {keep: 10m}\n",
            {
                "timeout_s": 300,
                "run_timeout_s": 300,
                "missed_after_s": 300,
                "max_trigger_age_s": 300,
            },
        ),
        (of_dvf() + "report: {keep: 90s}\n", {"missed_after_s": 60, "run_timeout_s": 45}),
        (of_dvf("{timeout: 5m}", "run_timeout: 5m"), {"timeout_s": 300, "run_timeout_s": 300}),
    ],
)
def test_a_default_follows_what_is_written(text: str, made: dict[str, object]) -> None:
    catalogue = read(text).catalogue
    spec = catalogue.collector("dvf").spec
    found = {name: getattr(spec if hasattr(spec, name) else catalogue, name) for name in made}
    assert {name: found[name] for name in made} == made


def test_config_show_knows_the_defaults_that_follow() -> None:
    origins = read(of_dvf("{retries: {max_backoff: 10s}}", "run_timeout: 20s")).origins
    shown = {key: (each.value, each.where) for key, each in origins.items()}
    assert shown["dvf.timeout"] == ("20s", "default")
    assert shown["dvf.retries.backoff"] == ("10s", "default")


LENGTHS = ["20s", "1m", "5m", "10m", "45m", "2h", "3h", "24h", "2d"]
KEYS = [
    "run_timeout",
    "max_trigger_age",
    "missed_after",
    "timeout",
    "keep",
    "backoff",
    "max_backoff",
]


@given(key=st.sampled_from(KEYS), length=st.sampled_from(LENGTHS))
@settings(deadline=None)
def test_one_written_length_contradicts_no_default(key: str, length: str) -> None:
    """But for ``backoff`` above ``max_backoff``, and for less than the sweep's minute."""
    scheduler = f"{key}: {length}" if key in KEYS[:3] else ""
    one = {"timeout": f"{{mode: async, timeout: {length}}}"}.get(
        key, f"{{retries: {{{key}: {length}}}}}" if "backoff" in key else "{}"
    )
    text = of_dvf(one, scheduler) + (f"report: {{keep: {length}}}\n" if key == "keep" else "")
    too_long = key == "backoff" and LENGTHS.index(length) > LENGTHS.index("10m")
    too_short = (key, length) in {("missed_after", "20s"), ("keep", "20s"), ("keep", "1m")}
    if too_long or too_short:
        assert len(errors(text)) == 1
    else:
        assert read(text).warnings == ()


@pytest.mark.parametrize(
    ("written", "scheduler", "is_allowed"),
    [
        ("{timeout: 20m, transport: cloud_tasks}", "", True),
        ("{timeout: 20m, transport: pubsub}", "use_cloud_tasks: true", False),
    ],
)
def test_a_collectors_own_transport_decides_how_long_its_call_may_be(
    written: str, scheduler: str, *, is_allowed: bool
) -> None:
    text = of_dvf(written, scheduler)
    if is_allowed:
        assert warnings(text, GOOGLE) == []
    else:
        assert "a push delivery lasts at most 10m" in refused(text, GOOGLE).problems[0].what


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (of_dvf() + "report: {bucket: gs://abc}\n", "report.bucket: the embedded backend cannot"),
        (of_dvf("{}", "use_cloud_tasks: true"), "scheduler.use_cloud_tasks: the embedded backend"),
        (of_dvf("{transport: cloud_tasks}"), "transport: the embedded backend calls"),
    ],
)
def test_what_only_google_cloud_has_is_a_warning_on_the_embedded_backend(
    text: str, sentence: str
) -> None:
    (said,) = warnings(text)
    assert sentence in said
    assert warnings(text, GOOGLE) == []


@pytest.mark.parametrize(
    ("written", "env", "is_warned"),
    [
        ("{mode: async}", GOOGLE, True),
        ("{mode: async}", GOOGLE | {"FANFOLD_CALLBACK_KEY": ""}, True),
        ("{mode: async}", GOOGLE | {"FANFOLD_CALLBACK_KEY": "k" * 32}, False),
        ("{mode: async, enabled: false}", GOOGLE, False),
        ("{mode: sync}", GOOGLE, False),
        ("{mode: async}", {"DVF_COLLECTOR_URL": "https://h/"}, False),
    ],
)
def test_a_later_answer_needs_the_key_that_proves_it(
    written: str, env: dict[str, str], *, is_warned: bool
) -> None:
    found = [each for each in read(of_dvf(written), env).warnings if "CALLBACK_KEY" in each.what]
    assert [each.where for each in found] == ["scheduler.collectors.dvf.mode"] * is_warned
    assert all("export FANFOLD_CALLBACK_KEY=$(openssl rand" in each.fix for each in found)
