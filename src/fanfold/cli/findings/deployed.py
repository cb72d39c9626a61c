"""What is deployed on Google Cloud: who may call it, what wakes it, where reports go, who is told.

Each look is a right of its own. One that is missing is a warning which names the right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from fanfold.cli.findings.finding import Finding, Level
from fanfold.cli.findings.schedules import schedules
from fanfold.cli.output import words
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.syntax.text import listed, plural
from fanfold.messages.topology import DEAD_LETTERS, topology
from fanfold.ports.deployment import Deployment, NotSeen, Service

#: Members that stand for everybody with, or without, an account of Google's.
EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})

INVOKER = "roles/run.invoker"

#: Roles by which Pub/Sub's own account may publish a dead letter, or acknowledge what became one.
PUBLISHERS = frozenset({"roles/pubsub.publisher", "roles/pubsub.editor", "roles/pubsub.admin"})
SUBSCRIBERS = frozenset({"roles/pubsub.subscriber", "roles/pubsub.editor", "roles/pubsub.admin"})

#: An alert on absence fires only if a point came within this time before.
ARMED_WITHIN = timedelta(hours=24)

#: Most members that one line names.
MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Deployed:
    """What to look at: by *looks*, named with *prefix*, as *catalogue* wants it (None: unread).

    ``region`` is where the services are, as far as it is known without looking.
    """

    looks: Deployment
    prefix: str
    catalogue: Catalogue | None
    region: str = ""

    def findings(self) -> Iterator[Finding]:
        """Give all findings, as they are found."""
        services: list[Service] = []
        yield from _looked("Cloud Run", lambda: self._services(services))
        for each in services:
            yield from _looked(each.name, partial(self._callers, each))
        yield from _looked("project IAM", self._project)
        yield from _looked("dead letters", self._dead_letters)
        region = services[0].region if services else self.region
        catalogue = self.catalogue
        if catalogue is not None:
            yield from self._of_region(region, catalogue)
            if catalogue.report_to.startswith("gs://"):
                yield from _looked("report bucket", lambda: self._bucket(catalogue))
        yield from _looked("alerts", self._alerts)

    def _services(self, ours: list[Service]) -> Iterator[Finding]:
        found = self.looks.services()
        names = [f"{self.prefix}fanfold-{each}" for each in ("dispatcher", "collector-relay")]
        names += [f"{self.prefix}fanfold-{each}" for each in ("aggregator", "callbacks")]
        ours += [each for each in found if each.name in names]
        for name in names:
            # Callbacks are deployed for those collectors alone that answer later by HTTP.
            if not name.endswith("callbacks") and name not in {each.name for each in ours}:
                text = f"project {self.looks.project} has no Cloud Run service of this name"
                yield Finding(Level.ERROR, name, text, words.APPLY_INFRA)
        yield from self._unreachable(found)

    def _unreachable(self, services: Sequence[Service]) -> Iterator[Finding]:
        """Give each collector that lets nobody in from outside its network."""
        inside = {host: each for each in services if each.ingress != "all" for host in each.hosts}
        for collector in self.catalogue.collectors if self.catalogue else ():
            service = inside.get(_host(collector.spec.url)) if collector.enabled else None
            if service is not None:
                text = (
                    f"its ingress is {service.ingress}: the relay is answered 404, unless it calls "
                )
                text += "through a VPC (vpc_connector in infra/)"
                command = f"gcloud run services update {service.name} --region={service.region}"
                command += f" --project={self.looks.project} --ingress=all"
                yield Finding(Level.WARNING, collector.name, text, command)

    def _callers(self, service: Service) -> Iterator[Finding]:
        place = f"{service.name} --region={service.region} --project={self.looks.project}"
        if service.is_open:
            text = "OPEN TO THE WORLD: Cloud Run asks no caller who he is (its IAM check is off)"
            command = f"gcloud run services update {place} --invoker-iam-check"
            yield Finding(Level.ERROR, service.name, text, command)
        policy = self.looks.invokers(service)
        public = [(role, each) for role, held in policy.items() for each in held if _is_all(each)]
        for role, member in public:
            text = f"OPEN TO THE WORLD: {member} hold {role}, so anybody may post what it believes"
            command = f"gcloud run services remove-iam-policy-binding {place}"
            command += f" --member={member} --role={role}"
            yield Finding(Level.ERROR, service.name, text, command)
        if not service.is_open and not public:
            callers = policy.get(INVOKER, ())
            text = f"may be called by {_named(callers)}" if callers else "nobody may call it"
            level, command = (Level.OK, "") if callers else (Level.ERROR, words.APPLY_INFRA)
            yield Finding(level, service.name, text, command)

    def _project(self) -> Iterator[Finding]:
        policy = self.looks.project_policy()
        for role, held in policy.items():
            for member in filter(_is_all, held):
                text = f"OPEN TO THE WORLD: {member} hold {role} in the whole project"
                command = f"gcloud projects remove-iam-policy-binding {self.looks.project}"
                command += f" --member={member} --role={role}"
                yield Finding(Level.ERROR, "project IAM", text, command)
        if callers := [each for each in policy.get(INVOKER, ()) if not _is_all(each)]:
            text = f"{_named(callers)} may call every service of the project"
            yield Finding(Level.WARNING, "project IAM", text, words.policy_of(self.looks.project))

    def _dead_letters(self) -> Iterator[Finding]:
        number = self.looks.project_number()
        agent = f"serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"
        everywhere = _roles_of(agent, self.looks.project_policy())
        wanted = [("topic", f"{self.prefix}{DEAD_LETTERS}", PUBLISHERS)]
        wanted += [
            ("subscription", f"{self.prefix}{name}", SUBSCRIBERS)
            for name, each in topology().subscriptions.items()
            if each.max_delivery_attempts is not None
        ]
        is_whole = True
        for kind, name, roles in wanted:
            held = everywhere | _roles_of(agent, self.looks.pubsub_policy(kind, name))
            if not held & roles:
                is_whole = False
                role = next(each for each in sorted(roles) if each.endswith("er"))
                text = f"Pub/Sub's own account lacks {role}: what is given up on is not kept"
                command = f"gcloud pubsub {kind}s add-iam-policy-binding {name}"
                command += f" --project={self.looks.project} --member={agent} --role={role}"
                yield Finding(Level.ERROR, f"{kind} {name}", text, command)
        if is_whole:
            text = f"Pub/Sub may move them, from {plural(len(wanted) - 1, 'subscription')}"
            yield Finding(Level.OK, "dead letters", text)

    def _of_region(self, region: str, catalogue: Catalogue) -> Iterator[Finding]:
        """Give what is to be said of the schedules and the queue, which are in one region."""
        if not region:
            text = "not looked at: no service was found, so the region is not known"
            yield Finding(Level.WARNING, "Cloud Scheduler", text, words.APPLY_INFRA)
            return
        topics = f"projects/{self.looks.project}/topics/{self.prefix}"
        place = f"--location={region} --project={self.looks.project}"
        yield from _looked(
            "Cloud Scheduler",
            lambda: schedules(self.looks.scheduler_jobs(region), catalogue, topics, place),
        )
        if catalogue.needs_queue:
            yield from _looked("Cloud Tasks", lambda: self._queue(region, catalogue.queue_name))

    def _queue(self, region: str, name: str) -> Iterator[Finding]:
        place = f"{name} --location={region} --project={self.looks.project}"
        try:
            state = str(self.looks.queue(region, name).get("state") or "RUNNING")
        except NotSeen as exc:
            if not exc.is_missing:
                raise
            text = f"there is no queue {name} in {region}: no job reaches the relay"
            yield Finding(Level.ERROR, "Cloud Tasks", text, words.APPLY_INFRA)
            return
        if state == "RUNNING":
            yield Finding(Level.OK, "Cloud Tasks", f"the queue {name} runs")
            return
        text = f"the queue {name} is {state}: no job reaches the relay"
        yield Finding(Level.ERROR, "Cloud Tasks", text, f"gcloud tasks queues resume {place}")

    def _bucket(self, catalogue: Catalogue) -> Iterator[Finding]:
        name = catalogue.report_to.removeprefix("gs://").partition("/")[0]
        subject = f"gs://{name}"
        try:
            bucket = self.looks.bucket(name)
        except NotSeen as exc:
            if not exc.is_missing:
                raise
            yield Finding(Level.ERROR, subject, "there is no such bucket", words.APPLY_INFRA)
            return
        yield from _of_lifecycle(bucket, catalogue, subject)
        iam = bucket.get("iamConfiguration") or {}
        if iam.get("publicAccessPrevention") != "enforced":
            for role, held in self.looks.bucket_policy(name).items():
                for member in filter(_is_all, held):
                    text = f"OPEN TO THE WORLD: {member} hold {role}: anybody may read reports"
                    command = f"gcloud storage buckets update {subject} --public-access-prevention"
                    yield Finding(Level.ERROR, subject, text, command)
        is_kept = bool((bucket.get("versioning") or {}).get("enabled"))
        if is_kept or bucket.get("retentionPolicy"):
            how = "versions are kept" if is_kept else "objects are retained"
            yield Finding(Level.OK, subject, f"{how}: a report that is overwritten is not lost")
            return
        text = "no versioning and no retention: a report that somebody overwrites is lost"
        command = f"gcloud storage buckets update {subject} --versioning"
        yield Finding(Level.WARNING, subject, text, command)

    def _alerts(self) -> Iterator[Finding]:
        begin = f"{self.prefix}fanfold: "
        policies = [
            each
            for each in self.looks.alert_policies()
            if str(each.get("displayName", "")).startswith(begin)
        ]
        if not policies:
            text = f"there is no alert policy {begin}…: of what fanfold cannot say nobody hears"
            yield Finding(Level.WARNING, "alerts", text, words.APPLY_INFRA)
        for each in policies:
            yield self._alert(each, str(each["displayName"]).removeprefix(begin))

    def _alert(self, policy: Mapping[str, Any], name: str) -> Finding:
        subject = f"alert {name}"
        if policy.get("enabled") is False:
            return Finding(Level.WARNING, subject, "it is switched off", words.APPLY_INFRA)
        if not policy.get("notificationChannels"):
            text = "it tells nobody: it has no notification channel"
            return Finding(Level.WARNING, subject, text, words.APPLY_ALERTS)
        for condition in policy.get("conditions") or ():
            absent = condition.get("conditionAbsent")
            if absent and not self.looks.has_points(str(absent.get("filter", "")), ARMED_WITHIN):
                text = (
                    f"not armed: {condition.get('displayName', 'an absence')!r} begins to count "
                    "with a first point, and none came in 24 h"
                )
                return Finding(Level.WARNING, subject, text, words.SWEEP_BY_HAND)
        return Finding(Level.OK, subject, "armed")


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()


def _looked(subject: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Give what *look* finds, and a warning where it could not look."""
    try:
        yield from look()
    except NotSeen as exc:
        yield Finding(Level.WARNING, subject, f"not looked at: {exc}")


def _of_lifecycle(
    bucket: Mapping[str, Any], catalogue: Catalogue, subject: str
) -> Iterator[Finding]:
    for rule in (bucket.get("lifecycle") or {}).get("rule") or ():
        condition, action = rule.get("condition") or {}, rule.get("action") or {}
        age = condition.get("age")
        if action.get("type") != "Delete" or age is None or condition.get("isLive") is False:
            continue
        if age * 86_400 < catalogue.keep_s:
            text = f"it deletes reports after {age} days, and report.keep is longer"
            yield Finding(Level.WARNING, subject, text, words.APPLY_INFRA)


def _is_all(member: str) -> bool:
    return member in EVERYBODY


def _roles_of(member: str, policy: Mapping[str, Sequence[str]]) -> set[str]:
    return {role for role, held in policy.items() if member in held}


def _named(members: Sequence[str]) -> str:
    """Return *members* without their kinds, the first few of them."""
    names = [each.partition(":")[2] or each for each in members]
    return listed(names, MOST_NAMED)
