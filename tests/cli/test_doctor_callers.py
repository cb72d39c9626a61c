"""``fanfold doctor`` looks at who may call what is deployed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.adapters.google.rest import bindings
from tests.cli.deployed_project import CATALOGUE, CRON, PROJECT, RUN, bad, found, healthy, service
from tests.support import collector

from fanfold.cli.findings.finding import Level
from fanfold.domain.model.collector import Collector, CollectorSpec


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
