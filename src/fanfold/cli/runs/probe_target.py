"""Whom ``fanfold probe`` calls: a collector of the configuration, or any URL without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fanfold.cli.exit_codes import CommandError
from fanfold.cli.output.words import CHECK_LISTS, PROBE_URL
from fanfold.cli.run_options import params_of
from fanfold.cli.runs.store import has_store, open_store
from fanfold.cli.session import Session
from fanfold.domain.model.collector import (
    Catalogue,
    Collector,
    CollectorHistory,
    CollectorSpec,
    Expect,
    Severity,
)
from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.model.names import did_you_mean
from fanfold.domain.syntax.urls import BadUrl, read_url

#: What a collector is called that the configuration does not know, and its longest answer, in
#: seconds.
UNNAMED, UNNAMED_TIMEOUT_S = "probe", 60.0


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to call, and what earlier runs know of it; ``run_timeout_s`` is that of a run."""

    spec: CollectorSpec
    past: CollectorHistory = field(default_factory=CollectorHistory)
    run_timeout_s: float = 7200.0
    is_configured: bool = True


def target_of(
    session: Session,
    named: str,
    *,
    param: Sequence[str] = (),
    params_json: str | None = None,
    timeout_s: float | None = None,
) -> Target:
    """Return the collector *named*, a name or a URL.

    A URL that a collector of the configuration has is that collector. Without a configuration, or
    with one that cannot be read, a URL stands for itself.

    Raises:
        CommandError: There is no such collector, or the URL is none.
        ConfigError: A name is given, and the configuration cannot be read.
    """
    target = _of_url(session, named) if "://" in named else _of_name(session, named)
    # Whatever the target is called in --params-json, its own parameters are meant.
    given: Mapping[str, Mapping[str, Any]] = params_of([target.spec.name], param, params_json)
    unknown = sorted(given.keys() - {target.spec.name})
    for name in unknown:
        what = f"--params-json names {name!r:.80}, and {target.spec.name} is called"
        raise CommandError(what, PROBE_URL)
    spec = replace(target.spec, params={**target.spec.params, **given.get(target.spec.name, {})})
    if timeout_s is not None:
        spec = replace(spec, timeout_s=timeout_s)
    return replace(target, spec=spec)


def _of_url(session: Session, url: str) -> Target:
    try:
        read_url(url)
    except BadUrl as exc:
        raise CommandError(f"the URL {exc}: {exc.fix}", PROBE_URL) from exc
    catalogue = None
    if session.settings.config.exists():
        catalogue = session.catalogue_or_none("the URL is called as it stands, without one")
    known = [each for each in catalogue.collectors if each.spec.url == url] if catalogue else []
    if known and catalogue:
        session.note(f"{url.partition('?')[0]} is {known[0].name} in {session.settings.config}")
        return _configured(session, known[0], catalogue)
    network = catalogue.collectors[0].spec if catalogue and catalogue.collectors else None
    spec = CollectorSpec(
        UNNAMED,
        url,
        timeout_s=UNNAMED_TIMEOUT_S,
        expect=(Expect("min_records", 1, Severity.FAIL),),
        proxy=network.proxy if network else "",
        ca_file=network.ca_file if network else "",
    )
    return Target(spec, is_configured=False)


def _of_name(session: Session, name: str) -> Target:
    if not session.settings.config.exists() and ("." in name or ":" in name or "/" in name):
        raise CommandError(f"{name!r:.100} is no URL: write http:// before it", PROBE_URL)
    catalogue = session.load().catalogue
    for each in catalogue.collectors:
        if each.name == name:
            return _configured(session, each, catalogue)
    near = did_you_mean(name, [each.name for each in catalogue.collectors])
    hint = near or (": write http:// before a URL" if "." in name or ":" in name else "")
    raise CommandError(f"there is no collector {name!r:.100}{hint}", CHECK_LISTS)


def _configured(session: Session, collector: Collector, catalogue: Catalogue) -> Target:
    if not collector.spec.url:
        raise CommandError(f"{collector.name} has no URL: set one", CHECK_LISTS)
    past = _past(session, collector.name)
    return Target(collector.spec, past, catalogue.run_timeout_s)


def _past(session: Session, name: str) -> CollectorHistory:
    """Return what earlier runs know of the collector; nothing where they cannot be read."""
    if not has_store(session):
        return CollectorHistory()
    try:
        with open_store(session, names_unreadable=False) as (ledger, _):
            return ledger.histories([name]).get(name, CollectorHistory())
    except (FanfoldError, CommandError) as exc:
        session.note(f"warning: earlier runs cannot be read, so none are compared with: {exc}")
        return CollectorHistory()
