"""Makes the catalogue of what was read: authentication chosen, templates kept."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fanfold.config.checks.collectors import ConfiguredCollector
from fanfold.config.schema.keys import AuthForms, Expectations, File, NetworkSection
from fanfold.domain.model.collector import (
    Auth,
    AuthKind,
    Catalogue,
    Collector,
    CollectorSpec,
    Expect,
    Group,
    Mode,
    Overlap,
    Severity,
    Transport,
)
from fanfold.domain.model.console_rules import ConsoleRules
from fanfold.domain.model.upstream import Upstream

#: The variable, or secret, of the token for collectors without an auth of their own.
TOKEN = "FUNCTION_AUTH_TOKEN"  # noqa: S105 - the name of one

#: Set where the ledger is an emulator's; the official client reads it too.
EMULATOR = "FIRESTORE_EMULATOR_HOST"

#: Where reports go that are told nothing else.
DEFAULT_FOLDER = "reports"


def auth_of(forms: AuthForms | None, file: File, env: Mapping[str, str]) -> Auth:
    """Return how to authenticate; *forms* is None where the file does not say."""
    secret = file.scheduler.use_secret_manager
    if forms is None:
        if env.get(TOKEN):
            return _bearer(f"${{{TOKEN}}}")
        if secret:
            return _bearer(f"${{secret:{TOKEN}}}")
        # On the emulators nobody makes id tokens, and the collectors are this machine's.
        on_google = env.get("FANFOLD_BACKEND") == "google" and not env.get(EMULATOR)
        return Auth(AuthKind.OIDC if on_google else AuthKind.NONE)
    if forms.bearer is not None:
        plain = f"${{secret:{TOKEN}}}" if secret else f"${{{TOKEN}}}"
        return _bearer(forms.bearer or plain)
    if forms.header is not None:
        return Auth(AuthKind.HEADER, dict(forms.header))
    if forms.oidc is not None:
        return Auth(AuthKind.OIDC, audience=forms.oidc.audience)
    return Auth(AuthKind.NONE)


def _bearer(template: str) -> Auth:
    return Auth(AuthKind.BEARER, {"Authorization": f"Bearer {template}"})


def collector_of(
    entry: ConfiguredCollector,
    url: str,
    auth: Auth,
    network: NetworkSection,
    limits: Upstream | None = None,
) -> Collector:
    """Return *entry* as a collector; *limits* are those of the source behind it."""
    section = entry.section
    slow_after_s, slow_factor = section.slow_after or (None, None)
    spec = CollectorSpec(
        name=entry.name,
        url=url,
        timeout_s=section.timeout,
        max_attempts=section.retries.max + 1,
        backoff_s=section.retries.backoff,
        max_backoff_s=section.retries.max_backoff,
        auth=auth,
        mode=Mode(section.mode),
        params=section.params,
        tags=section.tags,
        required=section.criticality == "required",
        expect=_expects(section.expect),
        upstream=section.upstream or None if limits is None else limits.name,
        proxy=network.proxy or "",
        ca_file=_absolute(network.ca_file) if network.ca_file else "",
        limits=limits,
        wait_timeout_s=section.wait_timeout,
        heartbeat_s=section.heartbeat if section.mode == "async" else None,
        slow_after_s=slow_after_s,
        slow_factor=slow_factor,
    )
    overlap = Overlap(section.on_overlap)
    transport = Transport(section.transport) if section.transport else None
    return Collector(spec, section.enabled, section.schedule, overlap, transport)


def in_group(collector: Collector, group: Group) -> Collector:
    """Return *collector* as a member of *group*."""
    return replace(collector, spec=replace(collector.spec, group=group))


def _expects(section: Expectations) -> tuple[Expect, ...]:
    """Return the expectations that can fail: at least 0 records always holds."""
    found = []
    for name, limit in section:
        if limit is None or (name == "min_records" and limit.value == 0):
            continue
        usual = Severity.FAIL if name == "min_records" else Severity.WARN
        severity = Severity(limit.severity) if limit.severity else usual
        written = name in section.model_fields_set
        value = limit.value
        if name == "schema":
            # Its value is a word: what it is held against is the last success.
            word = severity if limit.value == "unchanged" else Severity(limit.value)
            severity, value = Severity(limit.severity or word), 0
        found.append(Expect(name, value, severity, written=written))
    return tuple(found)


def catalogue_of(file: File, collectors: tuple[Collector, ...], version: str) -> Catalogue:
    """Return the whole configuration."""
    scheduler, report = file.scheduler, file.report
    tolerated, is_fraction = scheduler.tolerated_failures
    return Catalogue(
        collectors=collectors,
        timezone=scheduler.timezone,
        schedule=scheduler.name,
        run_timeout_s=scheduler.run_timeout,
        missed_after_s=scheduler.missed_after,
        max_trigger_age_s=scheduler.max_trigger_age,
        tolerated_failures=tolerated,
        tolerated_is_fraction=is_fraction,
        max_concurrent_collectors=scheduler.max_concurrent_collectors,
        report_to=report.bucket or _absolute(report.folder or DEFAULT_FOLDER),
        keep_s=report.keep,
        version=version,
        use_cloud_tasks=scheduler.use_cloud_tasks,
        queue_name=scheduler.queue_name,
        service_account_email=scheduler.service_account_email,
        use_secret_manager=scheduler.use_secret_manager,
        notify=_notify(file),
        console=ConsoleRules(
            file.console.open, tuple(file.console.hosts), tuple(file.console.trusted_proxies)
        ),
    )


def _absolute(folder: str) -> str:
    return os.path.abspath(os.path.expanduser(folder))  # noqa: PTH100, PTH111 - never raise


def _notify(file: File) -> dict[str, Any]:
    targets: dict[str, Any] = {}
    if file.notify.slack is not None:
        targets["slack"] = file.notify.slack
    if file.notify.heartbeat is not None:
        targets["heartbeat"] = file.notify.heartbeat
    if file.notify.to:
        targets["to"] = tuple(file.notify.to)
    webhook = file.notify.webhook
    if webhook is not None and webhook.url is not None:
        targets["webhook"] = {"url": webhook.url, "secret": webhook.secret}
    if not targets:
        return {}
    remind = file.notify.remind
    if file.notify.proof_of_life != "never":
        targets["proof_of_life"] = file.notify.proof_of_life
    if file.notify.links.base_url:
        targets["links"] = file.notify.links.base_url.rstrip("/")
    return {"on": tuple(file.notify.on), "remind": (remind.after, remind.every), **targets}
