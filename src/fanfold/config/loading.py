"""Loads a configuration: reads it, checks all of it, and says where each value came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fanfold.config.catalogue import TOKEN, auth_of, catalogue_of, collector_of, in_group
from fanfold.config.checks import cross_checks
from fanfold.config.checks.clock_checks import check_clocks
from fanfold.config.checks.collectors import (
    Address,
    ConfiguredCollector,
    address_of,
    collectors_of,
)
from fanfold.config.checks.defaults import Settled, settle_defaults
from fanfold.config.checks.findings import Findings
from fanfold.config.checks.group_checks import groups_of
from fanfold.config.checks.substitution import substitute
from fanfold.config.checks.upstreams import check_upstreams, sources_of
from fanfold.config.checks.validate import fit
from fanfold.config.file.key_paths import KeyPath
from fanfold.config.file.nodes import Node
from fanfold.config.file.problems import Problem
from fanfold.config.file.reader import read_tree
from fanfold.config.file.source import Source, read_source
from fanfold.config.origins import Origin, Trace
from fanfold.config.schema.keys import AuthForms, File
from fanfold.domain.model.collector import Auth, AuthKind, Catalogue, Collector
from fanfold.domain.model.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used.

    ``origins`` maps each dotted key to its value, secrets masked, and where it came from.
    """

    catalogue: Catalogue
    warnings: tuple[Problem, ...]
    path: Path
    origins: Mapping[str, Origin]


def load(path: str | Path, env: Mapping[str, str], *, now: datetime | None = None) -> Loaded:
    """Return the configuration in the file at *path*.

    Args:
        path: The file.
        env: Where ``${NAME}`` is looked up.
        now: Clock changes are looked for in the two years after it; the present if absent.

    Raises:
        ConfigError: It cannot be used; everything that is wrong is in it.
    """
    return load_source(read_source(Path(path)), env, now or datetime.now(UTC))


def load_source(source: Source, env: Mapping[str, str], now: datetime) -> Loaded:
    """Return the configuration that *source* holds. See :func:`load`."""
    read = read_file(source, env)
    root, findings, settled = read.root, read.findings, read.settled
    file, entries = settled.file, settled.entries
    cross_checks.check_run(file, root, env, findings)
    cross_checks.check_urls(file, root, [entry.name for entry in entries], findings)
    cross_checks.check_secrets(file, root, env, findings)
    groups = groups_of(file, root, entries, findings)
    trace = Trace(source.short, root, settled.followed)
    collectors: list[Collector] = []
    used: dict[str, Address] = {}
    sources = sources_of(file, root, findings)
    behind: dict[str, Upstream | None] = {}
    for entry in entries:
        cross_checks.check_collector(entry, file, env, now, findings)
        check_clocks(entry, file, findings)
        address = address_of(entry, file, root, env, findings)
        auth = _auth(entry, file, env, findings)
        limits = sources.behind(entry, address)
        if entry.section.enabled:
            used[entry.name] = address
            behind[entry.name] = limits
            cross_checks.check_travel(entry, address, auth, findings)
            cross_checks.check_way_out(entry, address, file, env, findings)
            cross_checks.check_bearer(entry, auth, env, findings)
        trace.add(entry, address, auth)
        made = collector_of(entry, address.url, auth, file.network, limits)
        group = groups.get(entry.name)
        collectors.append(made if group is None else in_group(made, group))
    check_upstreams(file, root, entries, behind, findings)
    findings.settle(lambda keys: _needless(keys, root, file, used))
    return Loaded(
        catalogue=catalogue_of(file, tuple(collectors), source.version),
        warnings=findings.warnings_or_raise(),
        path=Path(source.name),
        origins=trace.origins(),
    )


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file as far as it can be read: what does not fit is left out, and is in ``findings``."""

    root: Node
    settled: Settled
    findings: Findings


def read_file(source: Source, env: Mapping[str, str]) -> ReadFile:
    """Return what *source* says, held against the models and nothing else.

    Raises:
        ConfigError: It is no YAML.
    """
    root = read_tree(source)
    findings = Findings(source)
    substitute(root, env, findings)
    version = root.get("version")
    context = {"version": 2 if version is not None and version.value == 2 else 1}
    file = fit(File, root, (), context, findings)
    settled = settle_defaults(file, root, collectors_of(root, context, findings))
    return ReadFile(root, settled, findings)


def _auth(
    entry: ConfiguredCollector, file: File, env: Mapping[str, str], findings: Findings
) -> Auth:
    """Return how to authenticate; a plain ``bearer`` without a token is added to *findings*."""
    forms: AuthForms | None = entry.section.auth
    node = entry.node.get("auth")
    auth = auth_of(forms, file, env)
    plain = node is not None and node.value == "bearer"
    if plain and node is not None and not file.scheduler.use_secret_manager and not env.get(TOKEN):
        path: KeyPath = ("scheduler", "collectors", entry.name, "auth")
        if node.from_defaults:
            path = ("scheduler", "defaults", "auth")
        findings.not_set(path, node.place, f"{TOKEN} is not set", f"set {TOKEN}")
    if node is not None and node.broken:
        return Auth(AuthKind.NONE)
    return auth


def _needless(keys: KeyPath, root: Node, file: File, used: Mapping[str, Address]) -> str:
    """Return the reason why the unset value at *keys* does not matter, or "" if it does.

    ``used`` are the enabled collectors' addresses, by name.
    """
    match keys:
        case ("scheduler", "service_account_email" | "queue_name"):
            return "" if _needs_queue(file) else "use_cloud_tasks is false"
        case ("scheduler", "base_function_url") | ("scheduler", "collector_urls", _):
            asked = root.get(*keys)
            if not any(address.node is asked for address in used.values()):
                return "no enabled collector takes its URL from it"
        case ("scheduler", "collectors", str(name), *_):
            # Whose ``enabled`` is itself not set counts as enabled, and is used.
            if name not in used:
                return f"{name} is not enabled"
    return ""


def _needs_queue(file: File) -> bool:
    scheduler = file.scheduler
    sections = [scheduler.defaults, *scheduler.collectors.values()]
    return scheduler.use_cloud_tasks or any(each.transport == "cloud_tasks" for each in sections)
