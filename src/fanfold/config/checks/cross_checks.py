"""Checks that need more than one value: lengths of time, platforms, clock changes, credentials."""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Mapping
from datetime import datetime

from fanfold.config.checks.collectors import Address, ConfiguredCollector
from fanfold.config.checks.defaults import SWEEP_S
from fanfold.config.checks.findings import Findings
from fanfold.config.file.key_paths import KeyPath
from fanfold.config.file.nodes import Node
from fanfold.config.file.problems import shown
from fanfold.config.schema.keys import File
from fanfold.domain.model.collector import Auth, AuthKind
from fanfold.domain.model.names import did_you_mean
from fanfold.domain.rules.clock_nights import (
    ClockChange,
    clock_change_dates,
    night_sentences,
)
from fanfold.domain.rules.key_strength import MAKE_A_KEY
from fanfold.domain.rules.way_out import BadProxy, way_out
from fanfold.domain.syntax.references import Reference, fill, references, secret_variable
from fanfold.domain.syntax.urls import read_url

_TWICE = re.compile(r"bearer\s+bearer\b", re.IGNORECASE)

#: The variable of the key by which an asynchronous collector proves itself.
CALLBACK_KEY = "FANFOLD_CALLBACK_KEY"

#: The time of a push delivery runs before the call does: it may wait 10 s for a place, an instance
#: may have to start, and the job is claimed. So much is kept for that, in seconds.
START_S = 30.0

#: What is said of Cloud Tasks on the embedded backend.
NO_TASKS = "the embedded backend calls the collectors itself, without Cloud Tasks"

#: The longest call in a push delivery, which lasts at most 600 s …
PUSH_LIMIT_S = 600.0 - START_S

#: … and a Cloud Tasks request, in seconds.
TASKS_LIMIT_S = 1800.0


def check_run(file: File, root: Node, env: Mapping[str, str], findings: Findings) -> None:
    """Check what holds for a whole run."""
    scheduler, report = file.scheduler, file.report

    def wrong(path: KeyPath, what: str, fix: str) -> None:
        findings.error(root.nearest(path).place, ".".join(map(str, path)), what, fix)

    _check_lengths(file, wrong)
    if report.folder is not None and report.bucket is not None:
        wrong(("report", "folder"), "a folder and a bucket: which of the two?", "keep one")
    if "?" in scheduler.base_function_url:
        what = "the collector's name is put behind this URL, so it can have no query"
        wrong(("scheduler", "base_function_url"), what, "remove ? and what follows")
    on_google = env.get("FANFOLD_BACKEND") == "google" and "FIRESTORE_EMULATOR_HOST" not in env
    if on_google and report.bucket is None:
        what = "a folder on Cloud Run is lost with its instance"
        fix = "write report: {bucket: gs://name}"
        findings.warning(root.nearest(("report", "folder")).place, "report", what, fix)
    _check_needs_google(file, root, env, findings)
    ca_file = file.network.ca_file
    if ca_file and not on_google and not os.access(os.path.expanduser(ca_file), os.R_OK):  # noqa: PTH111 - never raise
        what, fix = "there is no such file here that could be read", "make it, or correct its path"
        findings.warning(root.nearest(("network", "ca_file")).place, "network.ca_file", what, fix)
    _check_webhook(file, root, findings)
    _check_people(file, root, findings)


def _check_needs_google(file: File, root: Node, env: Mapping[str, str], findings: Findings) -> None:
    """Warn of what is switched on and only the google backend has."""
    if env.get("FANFOLD_BACKEND") == "google":
        return
    on_google = "or set FANFOLD_BACKEND=google"
    if file.report.bucket is not None:
        what = "the embedded backend cannot write to a bucket, so it starts no run"
        fix = f"write report: {{folder: reports}}, {on_google}"
        findings.warning(root.nearest(("report", "bucket")).place, "report.bucket", what, fix)
    if file.scheduler.use_cloud_tasks:
        spot = root.nearest(("scheduler", "use_cloud_tasks")).place
        findings.warning(spot, "scheduler.use_cloud_tasks", NO_TASKS, f"remove it, {on_google}")


def _check_people(file: File, root: Node, findings: Findings) -> None:
    """Warn of what would be said to people where nobody is named."""
    if file.notify.to or file.notify.slack:
        return
    is_alive = file.notify.proof_of_life != "never"
    for key, is_set, nobody in (
        ("remind", "remind" in file.notify.model_fields_set, "nobody is reminded"),
        ("proof_of_life", is_alive, "nobody hears that fanfold lives"),
        ("links", bool(file.notify.links.base_url), "no message is sent that could hold a link"),
    ):
        if is_set:
            spot = root.nearest(("notify", key)).place
            what, fix = f"{nobody}: to and slack name nobody", "write notify.to"
            findings.warning(spot, f"notify.{key}", what, fix)


def _check_webhook(file: File, root: Node, findings: Findings) -> None:
    """Warn of a webhook that sends nothing, or what nobody can trust."""
    webhook = file.notify.webhook
    if webhook is None or (webhook.url is None and webhook.secret is None):
        return
    spot = root.nearest(("notify", "webhook")).place
    if webhook.url is None:
        what, fix = "a secret without a url: nothing is sent", "write notify.webhook.url"
        findings.warning(spot, "notify.webhook", what, fix)
    elif webhook.secret is None:
        what = "events are sent without a signature, and the receiver cannot tell who sent them"
        fix = "write notify.webhook: {url: …, secret: ${secret:name}}"
        findings.warning(spot, "notify.webhook", what, fix)


def _check_lengths(file: File, wrong: Callable[[KeyPath, str, str], None]) -> None:
    """Check the lengths of time of a run against each other."""
    scheduler, keep_s = file.scheduler, file.report.keep
    if keep_s <= SWEEP_S:
        wrong(("report", "keep"), "too short: the sweep looks once a minute", "write more than 1m")
        return
    if scheduler.max_trigger_age >= keep_s:
        what = "requests would be accepted after their run is forgotten, and start it again"
        wrong(("scheduler", "max_trigger_age"), what, "make it shorter than report.keep")
    if scheduler.run_timeout >= keep_s:
        what = "a run may last longer than its record is kept"
        wrong(("scheduler", "run_timeout"), what, "make it shorter than report.keep")
    if not SWEEP_S <= scheduler.missed_after < keep_s:
        what = "out of range: the sweep looks once a minute, and runs are kept for report.keep"
        wrong(("scheduler", "missed_after"), what, "write 1m or more, and less than report.keep")


def check_urls(file: File, root: Node, names: list[str], findings: Findings) -> None:
    """Check that URLs are listed of collectors that there are."""
    listed = root.get("scheduler", "collector_urls")
    for name, node in (listed.value if listed and isinstance(listed.value, dict) else {}).items():
        if name in names:
            continue
        what, spot = f"no collector is called {shown(name)}", node.key_spot or node.spot
        fix = did_you_mean(name, names).removeprefix(": ") or "remove it"
        tell = findings.warning if file.version == 1 else findings.error
        tell(spot, f"scheduler.collector_urls.{name}", what, fix)


def check_collector(
    entry: ConfiguredCollector,
    file: File,
    env: Mapping[str, str],
    now: datetime,
    findings: Findings,
) -> None:
    """Check what holds within one collector, and between it and the run."""
    section, expect = entry.section, entry.section.expect
    if section.retries.backoff > section.retries.max_backoff:
        path = ("retries", "backoff")
        what = "longer than max_backoff"
        findings.error(entry.spot(*path), entry.where(*path), what, "shorten it, or max_backoff")
    if section.timeout > file.scheduler.run_timeout:
        what = "longer than scheduler.run_timeout, so no attempt would ever start"
        fix = "shorten it, or lengthen run_timeout"
        findings.error(entry.spot("timeout"), entry.where("timeout"), what, fix)
    if expect.max_records and expect.max_records.value < expect.min_records.value:
        path = ("expect", "max_records")
        what = f"{expect.max_records.value} is less than min_records {expect.min_records.value}"
        fix = "no count is right: write a larger max_records"
        findings.error(entry.spot(*path), entry.where(*path), what, fix)
    if section.mode == "sync":
        _check_platform(entry, file, env, findings)
    elif section.enabled and env.get("FANFOLD_BACKEND") == "google":
        _check_callback_key(entry, env, findings)
    if section.enabled and section.schedule:
        changes = clock_change_dates(section.schedule, file.scheduler.timezone, now)
        if changes:
            what = _clock_sentence(changes, file.scheduler.timezone)
            fix = "use another hour, or timezone: UTC"
            nights = night_sentences(section.schedule, file.scheduler.timezone, changes)
            place = entry.spot("schedule"), entry.where("schedule")
            findings.warning(*place, what, fix, details=nights)


def _check_platform(
    entry: ConfiguredCollector, file: File, env: Mapping[str, str], findings: Findings
) -> None:
    if entry.section.transport == "cloud_tasks" and env.get("FANFOLD_BACKEND") != "google":
        fix = "remove it, or set FANFOLD_BACKEND=google"
        findings.warning(entry.spot("transport"), entry.where("transport"), NO_TASKS, fix)
    usual = "cloud_tasks" if file.scheduler.use_cloud_tasks else "pubsub"
    tasks = (entry.section.transport or usual) == "cloud_tasks"
    limit_s = TASKS_LIMIT_S if tasks else PUSH_LIMIT_S
    if entry.section.timeout <= limit_s:
        return
    limit = "Cloud Tasks ends a request after 30m"
    if not tasks:
        limit = (
            "a push delivery lasts at most 10m, and the start takes some of it: 9m30s is the most"
        )
    path = entry.spot("timeout"), entry.where("timeout")
    if env.get("FANFOLD_BACKEND") == "google":
        findings.error(*path, limit, "write mode: async and let the collector answer 202")
    else:
        findings.warning(*path, f"on Google Cloud {limit}", "mode: async works on both backends")


def _check_callback_key(
    entry: ConfiguredCollector, env: Mapping[str, str], findings: Findings
) -> None:
    """Warn of a collector that answers later, where nothing could prove that the answer is its."""
    if env.get(CALLBACK_KEY):
        return
    what = f"{CALLBACK_KEY} is not set: without it no later answer is believed, and each run waits"
    fix = f"set it for every function: export {CALLBACK_KEY}=$({MAKE_A_KEY})"
    findings.warning(entry.spot("mode"), entry.where("mode"), what, fix)


def _clock_sentence(changes: tuple[ClockChange, ...], zone: str) -> str:
    """Return which dates are odd: *02:xx in Europe/Paris does not exist on …*."""
    stretch = f"{changes[0].start:%H}:xx in {zone}"
    skipped = ", ".join(str(each.day) for each in changes if each.skipped)
    repeated = ", ".join(str(each.day) for each in changes if not each.skipped)
    what = [f"does not exist on {skipped}"] if skipped else []
    what += [f"happens twice on {repeated}"] if repeated else []
    return f"{stretch} {' and '.join(what)}"


def check_travel(
    entry: ConfiguredCollector, address: Address, auth: Auth, findings: Findings
) -> None:
    """Check that no credential travels in the clear."""
    if address.broken or not address.url or auth.kind is AuthKind.NONE:
        return
    if read_url(address.url).may_carry_credentials:
        return
    told = entry.node.get("auth") is not None
    how = f"auth: {auth.kind}" if told else f"auth, {auth.kind} here by default,"
    what = f"{how} would send a credential over plain http"
    spot = address.node.place if address.node else entry.spot()
    findings.error(spot, entry.where("url"), what, "use https, or auth: none")


def check_way_out(
    entry: ConfiguredCollector,
    address: Address,
    file: File,
    env: Mapping[str, str],
    findings: Findings,
) -> None:
    """Check that the collector can be reached as the host's settings say."""
    if address.broken or not address.url or file.network.proxy:
        return
    try:
        way_out(read_url(address.url), "", env)
    except BadProxy as exc:
        findings.error(entry.spot(), entry.where(), str(exc), "or list the host in NO_PROXY")


def check_bearer(
    entry: ConfiguredCollector, auth: Auth, env: Mapping[str, str], findings: Findings
) -> None:
    """Check that the word Bearer, which fanfold writes, is not in the token too."""
    for template in auth.headers.values():
        found = references(template)
        filled = fill(template, lambda each: each.value_in(env) or "")
        if _TWICE.match(filled):
            names = ", ".join(each.name for each in found) or "the value"
            what = f"the header would begin with Bearer Bearer: the second one is in {names}"
            fix = "fanfold writes the word itself: remove it there"
            findings.warning(entry.spot("auth"), entry.where("auth"), what, fix)


def check_secrets(file: File, root: Node, env: Mapping[str, str], findings: Findings) -> None:
    """Check that the variables which stand for secrets are set, without Secret Manager."""
    if file.scheduler.use_secret_manager:
        return
    for path, node in root.scalars():
        for name in node.secrets:
            variable = secret_variable(name)
            if not node.broken and Reference(name, "", secret=True).value_in(env) is None:
                what = f"secret {name} is read from {variable}, which is not set"
                fix = f"set {variable}, or use_secret_manager: true"
                findings.not_set(path, node.place, what, fix)
