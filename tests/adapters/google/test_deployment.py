"""What is deployed is read by REST: page by page, in time, and with the right that is missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import google.auth
import pytest
import requests
from google.auth import exceptions
from tests.adapters.google.rest import FakeProject, bindings, refusal

from fanfold.adapters.google import deployment as module
from fanfold.adapters.google.deployment import ProjectByRest
from fanfold.ports.deployment import NotSeen, Service

SERVICES = "run.googleapis.com/v1/projects/p/locations/-/services"

#: google-auth has no types.
auth: Any = exceptions

#: Each look, by the right that it needs.
LOOKS: dict[str, Callable[[ProjectByRest], Any]] = {
    "run.services.list": lambda p: p.services(),
    "run.services.getIamPolicy": lambda p: p.invokers(Service("s", "r", is_open=False)),
    "resourcemanager.projects.get": lambda p: p.project_number(),
    "resourcemanager.projects.getIamPolicy": lambda p: p.project_policy(),
    "pubsub.topics.getIamPolicy": lambda p: p.pubsub_policy("topic", "t"),
    "pubsub.subscriptions.getIamPolicy": lambda p: p.pubsub_policy("subscription", "s"),
    "cloudscheduler.jobs.list": lambda p: p.scheduler_jobs("r"),
    "cloudtasks.queues.get": lambda p: p.queue("r", "q"),
    "storage.buckets.get": lambda p: p.bucket("b"),
    "storage.buckets.getIamPolicy": lambda p: p.bucket_policy("b"),
    "monitoring.alertPolicies.list": lambda p: p.alert_policies(),
    "monitoring.timeSeries.list": lambda p: p.has_points("x", timedelta(hours=1)),
}


class Always(FakeProject):
    """Answers one thing, whatever is asked."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__()
        self.status, self.body = status, body

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        self.answers = {str(request.url).removeprefix("https://"): (self.status, self.body)}
        return super().send(request, **options)


def why(project: FakeProject, look: Callable[[ProjectByRest], Any], **more: Any) -> NotSeen:
    with pytest.raises(NotSeen) as caught:
        look(project.looks(**more))
    return caught.value


@pytest.mark.parametrize("right", LOOKS)
def test_who_may_not_look_is_told_the_right(right: str) -> None:
    error = why(Always(*refusal(403, "denied")), LOOKS[right])
    assert str(error).partition(" (")[0] == f"you may not look: it needs {right}"
    assert not error.is_missing
    unknown = why(Always(*refusal(401, "who are you?")), LOOKS[right])
    assert "does not take these credentials: log in again" in str(unknown)


@pytest.mark.parametrize("right", LOOKS)
@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (500, {}, "answered HTTP 500: no reason given"),
        (503, {"error": {"message": "try\nlater"}}, "answered HTTP 503: try later"),
        (200, b"<html>", "did not answer"),
        (200, b"[1]", "answered HTTP 200"),
        (302, b"", "answered HTTP 302"),
        (400, {"error": "a text"}, "answered HTTP 400: no reason given"),
        (0, requests.ConnectionError("no way"), "did not answer (ConnectionError)"),
        (0, requests.Timeout(), "did not answer (Timeout)"),
        (0, OSError("gone"), "did not answer (OSError)"),
        (0, auth.TransportError("no token"), "did not answer (TransportError)"),
        (0, auth.RefreshError("no token"), "did not answer (RefreshError)"),
    ],
)
def test_whatever_comes_is_a_sentence(right: str, status: int, body: Any, sentence: str) -> None:
    error = why(Always(status, body), LOOKS[right])
    assert sentence in str(error)
    assert "googleapis.com" in str(error)
    assert not error.is_missing


def test_what_is_not_there_and_what_is_switched_off_are_told_apart() -> None:
    missing = why(FakeProject(), LOOKS["cloudtasks.queues.get"])
    assert missing.is_missing
    off = why(
        Always(*refusal(403, "Cloud Tasks API has not been used in project p before")),
        LOOKS["cloudtasks.queues.get"],
    )
    assert "gcloud services enable cloudtasks.googleapis.com --project=p" in str(off)
    assert not off.is_missing


def test_a_list_is_read_page_by_page() -> None:
    one = {"metadata": {"name": "a", "labels": {"cloud.googleapis.com/location": "r1"}}}
    notes = {"run.googleapis.com/invoker-iam-disabled": "true"}
    two = {"metadata": {"name": "b", "annotations": notes}}
    project = FakeProject(
        {
            SERVICES: (200, {"items": [one, "none"], "metadata": {"continue": "x"}}),
            f"{SERVICES}?continue=x": (200, {"items": [two], "nextPageToken": "y"}),
            f"{SERVICES}?pageToken=y": (200, {}),
        }
    )
    assert project.looks().services() == [
        Service("a", "r1", is_open=False),
        Service("b", "", is_open=True),
    ]


def test_a_list_without_an_end_is_read_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PAGES", 3)
    project = Always(200, {"jobs": [{"name": "j"}], "nextPageToken": "again"})
    assert len(project.looks().scheduler_jobs("r")) == 3
    assert len(project.asked) == 3


def test_a_policy_is_by_role_whatever_it_holds() -> None:
    held = {"bindings": [{"role": "a", "members": ["x"]}, {"role": "a", "members": ["y"]}, 5, {}]}
    policy = Always(200, held).looks().project_policy()
    assert policy == {"a": ["x", "y"], "": []}
    assert Always(200, {}).looks().project_policy() == {}
    project = FakeProject(
        {"cloudresourcemanager.googleapis.com/v1/projects/p:getIamPolicy": bindings({"r": ["m"]})}
    )
    assert project.looks().project_policy() == {"r": ["m"]}
    assert project.asked[0].startswith("POST ")


def test_points_are_asked_for_within_their_time() -> None:
    series = "monitoring.googleapis.com/v3/projects/p/timeSeries"
    project = FakeProject({series: (200, {"timeSeries": [{}]})})
    assert project.looks().has_points('metric.type = "x"', timedelta(hours=24))
    assert "filter=metric.type+%3D+%22x%22" in project.asked[0]
    assert "view=HEADERS" in project.asked[0]
    assert not FakeProject({series: (200, {})}).looks().has_points("x", timedelta(hours=1))


def test_no_look_goes_on_when_the_time_is_up() -> None:
    project = Always(200, {})
    assert "no time was left to ask run.googleapis.com" in str(
        why(project, LOOKS["run.services.list"], timeout_s=0.0)
    )
    assert project.asked == []
    project.looks(timeout_s=3.0).services()
    (given,) = project.timeouts
    assert given == pytest.approx(3.0, abs=0.5)
    project.looks(timeout_s=300.0).services()
    assert project.timeouts[1] == module.CALL_TIMEOUT_S


def test_without_credentials_nothing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(**_: Any) -> Any:
        raise auth.DefaultCredentialsError("none")

    monkeypatch.setattr(google.auth, "default", none)
    with pytest.raises(NotSeen, match="no credentials"):
        module.deployment("p", 1.0)
    monkeypatch.setattr(google.auth, "default", lambda **_: (object(), "p"))
    begun = time.monotonic()
    assert module.deployment("p", 7.0).until == pytest.approx(begun + 7.0, abs=0.5)
