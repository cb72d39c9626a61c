"""What is deployed in a project, read by REST: services, schedules, queue, bucket, alert policies.

``fanfold doctor`` looks at it. Nothing is changed, and each look is one right of its own: whoever
may not look is told which right is missing, and the other looks go on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import google.auth
from google.auth import exceptions as auth
from google.auth.transport.requests import AuthorizedSession
from requests import RequestException

from fanfold.adapters.google.errors import MAX_TEXT
from fanfold.ports.deployment import NotSeen, Policy, Service

#: What the looks need; each service grants less.
SCOPE = "https://www.googleapis.com/auth/cloud-platform"

#: Longest wait for one answer, in seconds.
CALL_TIMEOUT_S = 10.0

#: Most pages that are read of one list.
MAX_PAGES = 20

RUN = "https://run.googleapis.com/v1"
SCHEDULER = "https://cloudscheduler.googleapis.com/v1"
TASKS = "https://cloudtasks.googleapis.com/v2"
STORAGE = "https://storage.googleapis.com/storage/v1"
MONITORING = "https://monitoring.googleapis.com/v3"
PUBSUB = "https://pubsub.googleapis.com/v1"
PROJECTS = "https://cloudresourcemanager.googleapis.com/v1"


@dataclass(frozen=True, slots=True)
class ProjectByRest:
    """See :class:`fanfold.ports.deployment.Deployment`.

    *session* is a session of requests that adds the credentials; no look begins, or goes on, after
    *until* on the monotonic clock.
    """

    project: str
    session: Any
    until: float

    def services(self) -> list[Service]:
        """See :meth:`fanfold.ports.deployment.Deployment.services`."""
        url = f"{RUN}/projects/{self.project}/locations/-/services"
        found = []
        for item in self._pages(url, "items", "run.services.list (roles/run.viewer)"):
            about = _map(item.get("metadata"))
            notes = _map(about.get("annotations"))
            region = str(_map(about.get("labels")).get("cloud.googleapis.com/location", ""))
            is_open = str(notes.get("run.googleapis.com/invoker-iam-disabled", "")) == "true"
            ingress = str(notes.get("run.googleapis.com/ingress") or "all")
            found.append(
                Service(str(about.get("name", "")), region, is_open, _hosts(item, notes), ingress)
            )
        return found

    def invokers(self, service: Service) -> Policy:
        """See :meth:`fanfold.ports.deployment.Deployment.invokers`."""
        place = f"projects/{self.project}/locations/{service.region}/services/{service.name}"
        right = "run.services.getIamPolicy (roles/iam.securityReviewer)"
        return _policy(self._get(f"{RUN}/{place}:getIamPolicy", right))

    def project_number(self) -> str:
        """See :meth:`fanfold.ports.deployment.Deployment.project_number`."""
        right = "resourcemanager.projects.get (roles/browser)"
        return str(self._get(f"{PROJECTS}/projects/{self.project}", right).get("projectNumber", ""))

    def project_policy(self) -> Policy:
        """See :meth:`fanfold.ports.deployment.Deployment.project_policy`."""
        right = "resourcemanager.projects.getIamPolicy (roles/iam.securityReviewer)"
        url = f"{PROJECTS}/projects/{self.project}:getIamPolicy"
        return _policy(self._ask("POST", url, right, json={}))

    def pubsub_policy(self, kind: str, name: str) -> Policy:
        """See :meth:`fanfold.ports.deployment.Deployment.pubsub_policy`."""
        right = f"pubsub.{kind}s.getIamPolicy (roles/iam.securityReviewer)"
        url = f"{PUBSUB}/projects/{self.project}/{kind}s/{quote(name)}:getIamPolicy"
        return _policy(self._get(url, right))

    def scheduler_jobs(self, region: str) -> list[Mapping[str, Any]]:
        """See :meth:`fanfold.ports.deployment.Deployment.scheduler_jobs`."""
        url = f"{SCHEDULER}/projects/{self.project}/locations/{region}/jobs"
        right = "cloudscheduler.jobs.list (roles/cloudscheduler.viewer)"
        return list(self._pages(url, "jobs", right))

    def queue(self, region: str, name: str) -> Mapping[str, Any]:
        """See :meth:`fanfold.ports.deployment.Deployment.queue`."""
        url = f"{TASKS}/projects/{self.project}/locations/{region}/queues/{quote(name)}"
        return self._get(url, "cloudtasks.queues.get (roles/cloudtasks.viewer)")

    def bucket(self, name: str) -> Mapping[str, Any]:
        """See :meth:`fanfold.ports.deployment.Deployment.bucket`."""
        return self._get(f"{STORAGE}/b/{quote(name, safe='')}", "storage.buckets.get")

    def bucket_policy(self, name: str) -> Policy:
        """See :meth:`fanfold.ports.deployment.Deployment.bucket_policy`."""
        url = f"{STORAGE}/b/{quote(name, safe='')}/iam"
        return _policy(self._get(url, "storage.buckets.getIamPolicy (roles/iam.securityReviewer)"))

    def alert_policies(self) -> list[Mapping[str, Any]]:
        """See :meth:`fanfold.ports.deployment.Deployment.alert_policies`."""
        url = f"{MONITORING}/projects/{self.project}/alertPolicies"
        right = "monitoring.alertPolicies.list (roles/monitoring.viewer)"
        return list(self._pages(url, "alertPolicies", right))

    def has_points(self, metric_filter: str, within: timedelta) -> bool:
        """See :meth:`fanfold.ports.deployment.Deployment.has_points`."""
        now = datetime.now(UTC)
        params = {
            "filter": metric_filter,
            "interval.startTime": (now - within).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "interval.endTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "view": "HEADERS",
            "pageSize": "1",
        }
        url = f"{MONITORING}/projects/{self.project}/timeSeries"
        right = "monitoring.timeSeries.list (roles/monitoring.viewer)"
        return bool(self._get(url, right, params).get("timeSeries"))

    def _pages(self, url: str, key: str, right: str) -> Iterator[Mapping[str, Any]]:
        params: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            page = self._get(url, right, params)
            found = page.get(key)
            yield from (each for each in found or () if isinstance(each, dict))
            if token := page.get("nextPageToken"):
                params = {"pageToken": str(token)}
            elif token := _map(page.get("metadata")).get("continue"):  # as Cloud Run's v1 says it
                params = {"continue": str(token)}
            else:
                return

    def _get(
        self, url: str, right: str, params: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        return self._ask("GET", url, right, params=params)

    def _ask(self, method: str, url: str, right: str, **more: Any) -> Mapping[str, Any]:
        """Return the JSON object that is answered; *right* is named where it is missing."""
        host = url.split("/")[2]
        left_s = self.until - time.monotonic()
        if left_s <= 0:
            raise NotSeen(f"no time was left to ask {host}: give --timeout more")
        timeout_s = min(left_s, CALL_TIMEOUT_S)
        try:
            answer = self.session.request(
                method, url, timeout=timeout_s, max_allowed_time=timeout_s, **more
            )
            document = answer.json() if answer.content else {}
        except (auth.GoogleAuthError, RequestException, OSError, ValueError) as exc:
            raise NotSeen(f"{host} did not answer ({type(exc).__name__})") from exc
        if answer.status_code == 200 and isinstance(document, dict):
            return document
        raise _refusal(answer.status_code, document, host, right, self.project)


def deployment(project: str, timeout_s: float) -> ProjectByRest:
    """Return the looks at *project*, all of them within *timeout_s*.

    Raises:
        NotSeen: There are no credentials.
    """
    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
    except auth.GoogleAuthError as exc:
        raise NotSeen("there are no credentials that work") from exc
    make: Callable[..., Any] = AuthorizedSession
    session = make(credentials, refresh_timeout=CALL_TIMEOUT_S)
    return ProjectByRest(project, session, time.monotonic() + timeout_s)


def _refusal(status: int, document: Any, host: str, right: str, project: str) -> NotSeen:
    error = _map(_map(document).get("error")) if isinstance(document, dict) else {}
    text = " ".join(str(error.get("message", "")).split())[:MAX_TEXT]
    if status == 403 and ("has not been used" in text or "disabled" in text):
        return NotSeen(f"{host} is switched off: gcloud services enable {host} --project={project}")
    if status == 401:
        return NotSeen(f"{host} does not take these credentials: log in again")
    if status == 403:
        return NotSeen(f"you may not look: it needs {right}")
    if status == 404:
        return NotSeen(f"{host} has no such thing: {text}", is_missing=True)
    return NotSeen(f"{host} answered HTTP {status}: {text or 'no reason given'}")


def _policy(document: Mapping[str, Any]) -> Policy:
    held: dict[str, list[str]] = {}
    for each in document.get("bindings") or ():
        role, members = str(_map(each).get("role", "")), _map(each).get("members")
        held.setdefault(role, []).extend(str(member) for member in members or ())
    return held


def _hosts(item: Mapping[str, Any], notes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the hosts of a service's addresses: the usual one, and those of its annotation."""
    urls = [_map(item.get("status")).get("url")]
    try:
        others = json.loads(str(notes.get("run.googleapis.com/urls", "[]")))
    except ValueError:
        others = []
    urls += others if isinstance(others, list) else []
    hosts = {str(each).removeprefix("https://").partition("/")[0].lower() for each in urls if each}
    return tuple(sorted(hosts))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
