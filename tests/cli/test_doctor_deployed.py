"""``fanfold doctor`` looks at what is deployed: who may call it, what wakes it, who is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.adapters.google.rest import FakeProject, bindings, refusal
from tests.cli.deployed_project import (
    AGENT,
    ALERTS,
    BUCKET,
    CATALOGUE,
    CRON,
    JOBS,
    PROJECT,
    PUBSUB,
    QUEUE,
    RUN,
    SERIES,
    SERVICES,
    bad,
    changed,
    found,
    healthy,
    job,
)

from fanfold.cli.findings.deployed import Deployed
from fanfold.cli.findings.finding import Level
from fanfold.messages.topology import topology


def test_where_all_is_well_each_thing_has_its_line() -> None:
    said = [(each.level, each.subject, each.text) for each in found(healthy())]
    subscriptions = sum(
        each.max_delivery_attempts is not None for each in topology().subscriptions.values()
    )
    ok = Level.OK
    assert said == [
        *((ok, f"fanfold-{name}", f"may be called by to-{name}@p.iam") for name in SERVICES),
        (ok, "dead letters", f"Pub/Sub may move them, from {subscriptions} subscriptions"),
        (ok, "Cloud Scheduler", "1 schedule and the sweep are there, in Europe/Paris"),
        (ok, "Cloud Tasks", "the queue jobs runs"),
        (ok, "gs://reports", "versions are kept: a report that is overwritten is not lost"),
        (ok, "alert no report", "armed"),
    ]


def test_dead_letters_that_pubsub_may_not_move() -> None:
    project = healthy()
    project.answers[f"{PUBSUB}/topics/dead-letters:getIamPolicy"] = bindings({})
    reading = {"roles/pubsub.viewer": [AGENT], "roles/pubsub.subscriber": ["user:a@b"]}
    project.answers[f"{PUBSUB}/subscriptions/collector-jobs:getIamPolicy"] = bindings(reading)
    first, second = bad(project)
    assert first.command == (
        "gcloud pubsub topics add-iam-policy-binding dead-letters --project=p "
        f"--member={AGENT} --role=roles/pubsub.publisher"
    )
    assert second.subject == "subscription collector-jobs"
    assert second.command.endswith("--role=roles/pubsub.subscriber")
    # A role in the whole project counts.
    project.answers[f"{PROJECT}:getIamPolicy"] = bindings({"roles/pubsub.editor": [AGENT]})
    assert bad(project) == []


@pytest.mark.parametrize(
    ("key", "value", "text", "level"),
    [
        ("state", "PAUSED", "it is PAUSED, so it never fires", Level.ERROR),
        ("schedule", "0 4 * * *", "it fires at '0 4 * * *', and the file says", Level.ERROR),
        ("timeZone", "UTC", "its zone is 'UTC', and the file says 'Europe/Paris'", Level.ERROR),
        ("status", {"code": 7, "message": "denied"}, "its last tick failed: denied", Level.WARNING),
    ],
)
def test_a_schedule_that_is_not_as_the_file_says(
    key: str, value: Any, text: str, level: Level
) -> None:
    (only,) = bad(changed(JOBS, "jobs", 0, key, to=value))
    assert (only.level, only.subject) == (level, "tick")
    assert text in only.text


def test_a_schedule_of_another_name_or_without_a_job() -> None:
    to = {"cron": CRON, "schedule": "weekly"}
    (only,) = bad(changed(JOBS, "jobs", 0, "pubsubTarget", "attributes", to=to))
    assert only.text == "it names the schedule 'weekly', and the file says 'nightly'"
    missing, sweep = bad(changed(JOBS, "jobs", to=[]))[::-1]
    assert missing.text.startswith("no job asks for '15 3 * * *'")
    assert sweep.text.startswith("no job sweeps")
    (extra,) = bad(changed(JOBS, "jobs", 2, to=job("more", "run-requests", "0 1 * * *")))
    assert (extra.level, extra.subject) == (Level.WARNING, "more")
    assert "which no enabled collector has" in extra.text
    (rare,) = bad(changed(JOBS, "jobs", 1, "schedule", to="*/5 * * * *"))
    assert "it sweeps at '*/5 * * * *'" in rare.text


def test_the_queue_where_it_is_used() -> None:
    (paused,) = bad(changed(QUEUE, "state", to="PAUSED"))
    assert paused.command == "gcloud tasks queues resume jobs --location=europe-west1 --project=p"
    project = healthy()
    del project.answers[QUEUE]
    (missing,) = bad(project)
    assert missing.text == "there is no queue jobs in europe-west1: no job reaches the relay"
    assert bad(project, replace(CATALOGUE, use_cloud_tasks=False)) == []


def test_the_bucket_of_reports() -> None:
    (lost,) = bad(changed(BUCKET, "versioning", to=None))
    assert lost.command == "gcloud storage buckets update gs://reports --versioning"
    project = changed(BUCKET, "versioning", to=None)
    project.answers[BUCKET][1]["retentionPolicy"] = {"retentionPeriod": "1"}
    assert bad(project) == []
    (early,) = bad(changed(BUCKET, "lifecycle", "rule", 0, "condition", "age", to=29))
    assert early.text == "it deletes reports after 29 days, and report.keep is longer"
    old = {"age": 1, "isLive": False}
    assert bad(changed(BUCKET, "lifecycle", "rule", 0, "condition", to=old)) == []
    public = changed(BUCKET, "iamConfiguration", to={})
    public.answers[f"{BUCKET}/iam"] = bindings({"roles/storage.objectViewer": ["allUsers"]})
    (open_to_all,) = bad(public)
    assert open_to_all.text.startswith(
        "OPEN TO THE WORLD: allUsers hold roles/storage.objectViewer"
    )
    project = healthy()
    del project.answers[BUCKET]
    assert [each.text for each in bad(project)] == ["there is no such bucket"]
    assert bad(project, replace(CATALOGUE, report_to="/reports")) == []


@pytest.mark.parametrize(
    ("path", "to", "text"),
    [
        (("enabled",), False, "it is switched off"),
        (("notificationChannels",), [], "it tells nobody: it has no notification channel"),
    ],
)
def test_an_alert_that_would_not_be_heard(path: tuple[str], to: Any, text: str) -> None:
    (only,) = bad(changed(ALERTS, "alertPolicies", 0, *path, to=to))
    assert (only.level, only.subject, only.text) == (Level.WARNING, "alert no report", text)


def test_an_absence_is_armed_by_its_first_point() -> None:
    (only,) = bad(changed(SERIES, "timeSeries", to=[]))
    assert only.text == (
        "not armed: 'no sweep' begins to count with a first point, and none came in 24 h"
    )
    (none,) = bad(changed(ALERTS, "alertPolicies", to=[]))
    assert "there is no alert policy fanfold: …" in none.text


def test_each_look_that_is_not_allowed_is_one_warning_and_the_others_go_on() -> None:
    whole = healthy()
    for key in whole.answers:
        project = healthy()
        project.answers[key] = refusal(403, "denied")
        warned = bad(project)
        assert warned, key
        assert all(each.level is Level.WARNING for each in warned), key
        assert all("not looked at: " in each.text for each in warned), key
    nothing = FakeProject({key: refusal(403, "denied") for key in whole.answers})
    assert {each.level for each in found(nothing)} == {Level.WARNING}


def test_without_a_service_the_region_comes_from_the_settings_or_is_said_to_be_missing() -> None:
    project = healthy()
    project.answers[f"{RUN}/-/services"] = refusal(403, "denied")
    unknown = [each.text for each in bad(project)]
    assert any("so the region is not known" in each for each in unknown)
    told = Deployed(project.looks(), "", CATALOGUE, "europe-west1").findings()
    assert "Cloud Scheduler" in [each.subject for each in told if each.level is Level.OK]


def test_without_a_configuration_the_rest_is_looked_at() -> None:
    subjects = {each.subject for each in found(healthy(), None)}
    assert subjects == {
        *(f"fanfold-{name}" for name in SERVICES),
        "dead letters",
        "alert no report",
    }


def test_names_carry_the_prefix() -> None:
    project = healthy()
    list(Deployed(project.looks(), "acc-", CATALOGUE).findings())
    assert f"GET {PUBSUB}/topics/acc-dead-letters:getIamPolicy" in project.asked
