"""A project in which all is as the configuration says, and what the doctor finds in it."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from tests.adapters.google.rest import FakeProject, bindings
from tests.support import catalogue, collector

from fanfold.cli.findings.deployed import Deployed
from fanfold.cli.findings.finding import Finding, Level
from fanfold.domain.model.collector import Catalogue
from fanfold.messages.topology import topology

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
