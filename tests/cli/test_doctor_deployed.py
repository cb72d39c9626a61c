"""``fanfold doctor`` looks at what is deployed: who may call it, what wakes it, who is told."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from google.api_core import exceptions as api_exceptions
from google.auth import exceptions as auth_exceptions
from tests.adapters.google.rest import FakeProject, bindings, refusal
from tests.cli.conftest import Folder
from tests.support import catalogue, collector

from fanfold.adapters.google.bus import channels
from fanfold.cli.findings import google
from fanfold.cli.findings.deployed import Deployed
from fanfold.cli.findings.finding import Finding, Level
from fanfold.domain.model.collector import Catalogue, Collector, CollectorSpec
from fanfold.messages.topology import topology
from fanfold.ports.deployment import NotSeen
from fanfold.runtime import google as runtime

#: Google's libraries have no types.
api: Any = api_exceptions
auth: Any = auth_exceptions

RUN, PUBSUB = "run.googleapis.com/v1/projects/p/locations", "pubsub.googleapis.com/v1/projects/p"
PROJECT = "cloudresourcemanager.googleapis.com/v1/projects/p"
JOBS = "cloudscheduler.googleapis.com/v1/projects/p/locations/europe-west1/jobs"
QUEUE = "cloudtasks.googleapis.com/v2/projects/p/locations/europe-west1/queues/jobs"
BUCKET = "storage.googleapis.com/storage/v1/b/reports"
ALERTS = "monitoring.googleapis.com/v3/projects/p/alertPolicies"
SERIES = "monitoring.googleapis.com/v3/projects/p/timeSeries"
AGENT = "serviceAccount:service-77@gcp-sa-pubsub.iam.gserviceaccount.com"
SERVICES = ("dispatcher", "collector-relay", "aggregator")

CRON = "15 3 * * *"
CATALOGUE: Catalogue = replace(
    catalogue(collector("dvf", cron=CRON), collector("old", cron="0 1 * * *", enabled=False)),
    timezone="Europe/Paris",
    schedule="nightly",
    report_to="gs://reports/nightly",
    use_cloud_tasks=True,
    queue_name="jobs",
    keep_s=30 * 86_400.0,
)


def job(name: str, topic: str, cron: str, **more: Any) -> dict[str, Any]:
    target = {"topicName": f"projects/p/topics/{topic}", "attributes": {}}
    if topic == "run-requests":
        target["attributes"] = {"cron": cron, "schedule": "nightly"}
    full = f"projects/p/locations/europe-west1/jobs/{name}"
    zone = {"timeZone": "Europe/Paris", "state": "ENABLED"}
    return {"name": full, "schedule": cron, "pubsubTarget": target, **zone, **more}


def service(name: str, **notes: str) -> dict[str, Any]:
    labels = {"cloud.googleapis.com/location": "europe-west1"}
    return {"metadata": {"name": f"fanfold-{name}", "labels": labels, "annotations": notes}}


def healthy() -> FakeProject:
    policies = [
        f"{PUBSUB}/topics/dead-letters",
        *(
            f"{PUBSUB}/subscriptions/{name}"
            for name, each in topology().subscriptions.items()
            if each.max_delivery_attempts is not None
        ),
    ]
    may = {"roles/pubsub.publisher": [AGENT], "roles/pubsub.subscriber": [AGENT]}
    absent = {"displayName": "no sweep", "conditionAbsent": {"filter": "f", "duration": "900s"}}
    return FakeProject(
        {
            f"{RUN}/-/services": (200, {"items": [service(name) for name in SERVICES]}),
            **{
                f"{RUN}/europe-west1/services/fanfold-{name}:getIamPolicy": bindings(
                    {"roles/run.invoker": [f"serviceAccount:to-{name}@p.iam"]}
                )
                for name in SERVICES
            },
            PROJECT: (200, {"projectNumber": "77"}),
            f"{PROJECT}:getIamPolicy": bindings({"roles/owner": ["user:a@b"]}),
            **{f"{each}:getIamPolicy": bindings(may) for each in policies},
            JOBS: (
                200,
                {
                    "jobs": [
                        job("tick", "run-requests", CRON),
                        job("sweep", "sweep-ticks", "* * * * *"),
                        job("foreign", "something-else", "1 1 1 1 *", state="PAUSED"),
                    ]
                },
            ),
            QUEUE: (200, {"state": "RUNNING"}),
            BUCKET: (
                200,
                {
                    "versioning": {"enabled": True},
                    "iamConfiguration": {"publicAccessPrevention": "enforced"},
                    "lifecycle": {
                        "rule": [{"action": {"type": "Delete"}, "condition": {"age": 30}}]
                    },
                },
            ),
            ALERTS: (
                200,
                {
                    "alertPolicies": [
                        {
                            "displayName": "fanfold: no report",
                            "notificationChannels": ["c"],
                            "conditions": [{"conditionThreshold": {}}, absent],
                        },
                        {"displayName": "somebody else's", "enabled": False},
                    ]
                },
            ),
            SERIES: (200, {"timeSeries": [{}]}),
        }
    )


def found(project: FakeProject, configured: Catalogue | None = CATALOGUE) -> list[Finding]:
    return list(Deployed(project.looks(), "", configured).findings())


def bad(project: FakeProject, configured: Catalogue | None = CATALOGUE) -> list[Finding]:
    return [each for each in found(project, configured) if each.level is not Level.OK]


def changed(key: str, *path: Any, to: Any) -> FakeProject:
    """Return the healthy project with one value of one answer changed; None takes it away."""
    project = healthy()
    status, document = project.answers[key]
    document = copy.deepcopy(document)
    inner = document
    for each in path[:-1]:
        inner = inner[each]
    if to is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    project.answers[key] = status, document
    return project


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


@pytest.mark.parametrize("member", ["allUsers", "allAuthenticatedUsers"])
@pytest.mark.parametrize("role", ["roles/run.invoker", "roles/run.admin", "projects/p/roles/own"])
def test_a_service_that_everybody_may_call_is_said_loudly(member: str, role: str) -> None:
    project = healthy()
    key = f"{RUN}/europe-west1/services/fanfold-collector-relay:getIamPolicy"
    project.answers[key] = bindings({"roles/run.invoker": ["serviceAccount:x"], role: [member]})
    (only,) = bad(project)
    assert (only.level, only.subject) == (Level.ERROR, "fanfold-collector-relay")
    assert only.text.startswith(f"OPEN TO THE WORLD: {member} hold {role}")
    assert only.command == (
        "gcloud run services remove-iam-policy-binding fanfold-collector-relay "
        f"--region=europe-west1 --project=p --member={member} --role={role}"
    )


def test_a_service_that_asks_nobody_who_he_is_is_open_whatever_its_policy_says() -> None:
    note = {"run.googleapis.com/invoker-iam-disabled": "true"}
    project = healthy()
    items = [service("dispatcher", **note), service("collector-relay"), service("aggregator")]
    project.answers[f"{RUN}/-/services"] = 200, {"items": items}
    (only,) = bad(project)
    assert only.text.startswith("OPEN TO THE WORLD: Cloud Run asks no caller")
    assert only.command.endswith("--region=europe-west1 --project=p --invoker-iam-check")


@pytest.mark.parametrize("ingress", ["internal", "internal-and-cloud-load-balancing"])
def test_a_collector_that_only_the_inside_reaches_is_told(ingress: str) -> None:
    project = healthy()
    open_one, closed = service("x"), service("x", **{"run.googleapis.com/ingress": ingress})
    for item, host in ((open_one, "other"), (closed, "dvf")):
        item["metadata"]["name"] = host
        item["status"] = {"url": f"https://{host}-abc-ew.a.run.app"}
    closed["metadata"]["annotations"]["run.googleapis.com/urls"] = f'["{URL}"]'
    project.answers[f"{RUN}/-/services"][1]["items"] += [open_one, closed]
    named = replace(collector("dvf", cron=CRON).spec, url=f"{URL}/collect")
    (only,) = bad(project, replace(CATALOGUE, collectors=(_with_spec(named),)))

    assert (only.level, only.subject) == (Level.WARNING, "dvf")
    assert f"its ingress is {ingress}: the relay is answered 404" in only.text
    assert only.command.startswith("gcloud run services update dvf --region=europe-west1")


#: Another address of the collector than the one that its status names.
URL = "https://dvf-77.europe-west1.run.app"


def _with_spec(spec: CollectorSpec) -> Collector:
    return replace(collector("dvf", cron=CRON), spec=spec)


def test_who_may_call_in_the_whole_project_is_told() -> None:
    project = healthy()
    held = {
        "roles/run.invoker": ["user:a@b", "allUsers"],
        "roles/viewer": ["allAuthenticatedUsers"],
    }
    project.answers[f"{PROJECT}:getIamPolicy"] = bindings(held)
    levels = {each.text: each.level for each in bad(project)}
    assert levels == {
        "OPEN TO THE WORLD: allUsers hold roles/run.invoker in the whole project": Level.ERROR,
        "OPEN TO THE WORLD: allAuthenticatedUsers hold roles/viewer in the whole project": (
            Level.ERROR
        ),
        "a@b may call every service of the project": Level.WARNING,
    }


def test_a_service_that_is_missing_or_that_nobody_may_call() -> None:
    project = healthy()
    project.answers[f"{RUN}/-/services"] = 200, {"items": [service("dispatcher")]}
    project.answers[f"{RUN}/europe-west1/services/fanfold-dispatcher:getIamPolicy"] = bindings({})
    texts = {each.subject: each.text for each in bad(project)}
    assert texts == {
        "fanfold-collector-relay": "project p has no Cloud Run service of this name",
        "fanfold-aggregator": "project p has no Cloud Run service of this name",
        "fanfold-dispatcher": "nobody may call it",
    }


def test_callers_are_named_up_to_a_bound() -> None:
    project = healthy()
    key = f"{RUN}/europe-west1/services/fanfold-dispatcher:getIamPolicy"
    project.answers[key] = bindings({"roles/run.invoker": [f"user:u{n}" for n in range(6)]})
    assert found(project)[0].text == "may be called by u0, u1, u2, u3 and 2 more"


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


def test_google_that_is_away_takes_no_longer_than_it_may() -> None:
    never = threading.Event()

    def look() -> Iterator[Finding]:
        yield Finding(Level.OK, "x", "seen")
        never.wait()

    begun = time.monotonic()
    seen, late = google.within(begun + 0.3, "Firestore", look)
    never.set()
    assert time.monotonic() - begun < 3
    assert seen.text == "seen"
    assert (late.level, late.subject) == (Level.ERROR, "Firestore")
    assert late.text.startswith("no answer in 3")

    def broken() -> Iterator[Finding]:
        raise NotSeen("really")

    (unasked,) = google.within(time.monotonic() - 1, "x", broken)
    assert unasked.text == "not looked at: no time was left"
    with pytest.raises(NotSeen, match="really"):
        list(google.within(time.monotonic() + 5, "x", broken))


def test_the_command_prints_it_and_ends_in_time(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, given = healthy(), []

    def deployment(_: object, timeout_s: float) -> Any:
        given.append(timeout_s)
        return project.looks(timeout_s)

    monkeypatch.setattr(google, "deployment", deployment)
    monkeypatch.setattr(google, "inventory", lambda _: iter(()))
    for name in runtime.EMULATORS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    # Of Firestore there is nothing here: it is given up when the time is up.
    monkeypatch.setattr("fanfold.cli.findings.machine.newest_run", lambda _: time.sleep(30))

    begun = time.monotonic()
    said = folder.run("--backend", "google", "doctor", "--timeout", "1s")

    assert time.monotonic() - begun < 25
    assert said.code == 1
    assert "✗ Firestore" in said.out
    assert "no answer in 1" in said.out
    assert folder.run("doctor", "--timeout", "soon").code == 2


@pytest.mark.parametrize(
    ("error", "subject_says", "command"),
    [
        (
            auth.DefaultCredentialsError("none found"),
            "no way into Pub/Sub: none found",
            "gcloud auth",
        ),
        (OSError("no such file"), "no way into Pub/Sub: no such file", "gcloud auth"),
    ],
)
def test_who_is_not_logged_in_is_told_so_of_pubsub_too(
    folder: Folder,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    subject_says: str,
    command: str,
) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    monkeypatch.setattr(channels, "publisher_client", refuse)
    monkeypatch.setattr(google, "deployment", lambda *_: healthy().looks())
    monkeypatch.setattr("fanfold.cli.findings.machine.newest_run", lambda _: None)
    said = folder.run("--backend", "google", "doctor")
    assert said.code == 1
    lines = said.out.splitlines()
    number = next(n for n, line in enumerate(lines) if "Pub/Sub " in line)
    assert subject_says in lines[number]
    assert lines[number + 1].startswith(f"  next    {command}")


def test_a_service_that_is_away_is_said_once(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Away:
        def get_topic(self, **_: Any) -> None:
            asked.append("topic")
            raise api.ServiceUnavailable("errors resolving pubsub.googleapis.com")

    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    monkeypatch.setattr("fanfold.adapters.google.errors.PATIENCE_S", 0.0)
    monkeypatch.setattr(channels, "publisher_client", Away)
    monkeypatch.setattr(channels, "subscriber_client", Away)
    monkeypatch.setattr(google, "deployment", lambda *_: healthy().looks())
    monkeypatch.setattr("fanfold.cli.findings.machine.newest_run", lambda _: None)
    said = folder.run("--backend", "google", "doctor")
    assert said.code == 1
    assert said.out.count("errors resolving") == 1
    assert "next    curl -sS -m 10 -o /dev/null https://firestore.googleapis.com" in said.out
