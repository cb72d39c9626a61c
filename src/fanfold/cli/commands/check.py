"""``fanfold check``: is the configuration right, and what would it do?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from fanfold.adapters.clock import SystemClock
from fanfold.cli.completions import TABLE_OR_JSON, TableOrJson
from fanfold.cli.exit_codes import OK
from fanfold.cli.output import nights
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import DRY_RUN, form_of, json_text, next_row
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue, Collector, CollectorSpec
from fanfold.domain.rules import schedule
from fanfold.domain.rules.upstream_words import limits_words, source_lines
from fanfold.domain.rules.way_out import NETWORK_PROXY, BadProxy, way_out
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.references import fill
from fanfold.domain.syntax.text import instant, plural, weekday
from fanfold.domain.syntax.urls import BadUrl, read_url

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def check(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Instead of the usual file.")
    ] = None,
    *,
    output: TableOrJson = "table",
) -> int:
    """Check the configuration: every error and warning at once, then what it would do.

    Examples:
      fanfold check
      fanfold check config/config.yaml && git commit -am "two more collectors"

    Exit codes: 0 it can be used, perhaps with warnings · 2 it cannot
    """
    session = Session.of(context)
    form = form_of(output, TABLE_OR_JSON)
    if file is not None:
        session.settings = replace(session.settings, config=file)
    loaded = session.load()
    now = SystemClock().now()
    if form == "json":
        out(json_text(_document(loaded.catalogue, now, session.env)))
        return OK
    untold = [each.where for each in loaded.warnings if each.untold]
    for line in _lines(session, loaded.catalogue, now, untold):
        out(line)
    return OK


def _lines(
    session: Session, catalogue: Catalogue, now: datetime, untold: Sequence[str]
) -> list[str]:
    enabled = [each for each in catalogue.collectors if each.enabled]
    named = min(max((len(each.name) for each in catalogue.collectors), default=0), 30)
    at_most = f"at most {catalogue.max_concurrent_collectors} at a time"
    lasting = f"{duration(catalogue.run_timeout_s)} for a run"
    return [
        f"{session.settings.config} · {catalogue.timezone} · {at_most}, {lasting}",
        *(_collector(each, catalogue, now, named, session.env) for each in catalogue.collectors),
        _slots(catalogue, now),
        *source_lines(catalogue.sources),
        *_told(catalogue, untold),
        *_nights(session, catalogue),
        f"✓ {plural(len(catalogue.collectors), 'collector')}, {len(enabled)} enabled",
        next_row(DRY_RUN),
    ]


def way_of(spec: CollectorSpec, env: Mapping[str, str]) -> str:
    """Return how a collector is called from here: ``direct``, or through which proxy."""
    try:
        proxy = fill(spec.proxy, lambda each: each.value_in(env) or "")
        way = way_out(read_url(spec.url), proxy, env)
    except (BadProxy, BadUrl):
        # What stands for a secret of Secret Manager is not looked up for a look.
        return f"through {NETWORK_PROXY}"
    return f"through {way.place} ({way.source})" if way.proxy else "direct"


def _collector(
    one: Collector, catalogue: Catalogue, now: datetime, named: int, env: Mapping[str, str]
) -> str:
    spec = one.spec
    parts = [spec.mode.value, spec.auth.kind.value, f"timeout {duration(spec.timeout_s)}"]
    if not spec.required:
        parts.append("optional")
    if spec.tags:
        parts.append(",".join(spec.tags))
    if one.enabled and spec.url:
        parts.append(way_of(spec, env))
    fire = schedule.next_fire(one.cron, catalogue.timezone, now) if one.cron else None
    when = f"{one.cron}, next {weekday(fire, catalogue.timezone)}" if fire else "by hand only"
    mark = "✓" if one.enabled else "\N{EN DASH}"
    return f"  {mark} {one.name.ljust(named)}  {when if one.enabled else 'disabled':<36}  " + (
        " · ".join(parts)
    )


def _slots(catalogue: Catalogue, now: datetime) -> str:
    slots = schedule.next_slots(catalogue, now, 3)
    words = " · ".join(weekday(slot, catalogue.timezone) for slot in slots)
    return f"next runs: {words or 'none is scheduled'}"


def _nights(session: Session, catalogue: Catalogue) -> Sequence[str]:
    if session.settings.backend != "google":
        return []
    return nights.night_lines(
        nights.lengths_by_timeout(catalogue), catalogue, basis="that uses every timeout"
    )


def _told(catalogue: Catalogue, untold: Sequence[str]) -> list[str]:
    """Return who is told what, and when; the keys in *untold* have warnings of their own."""
    notify = catalogue.notify
    people = len(notify.get("to", ())) + ("slack" in notify)
    people -= sum(each.startswith(("notify.to[", "notify.slack")) for each in untold)
    lines = [f"not told: {each}, see its warning" for each in untold]
    if people:
        after, every_s = notify["remind"]
        words = ", ".join(notify["on"])
        again = f"again on slot {after} and every {duration(every_s)}"
        lines.append(f"told: {plural(people, 'target')} of what changed ({words}), {again}")
    if "webhook" in notify and not any(each.startswith("notify.webhook") for each in untold):
        signed = "signed" if notify["webhook"]["secret"] else "not signed"
        lines.append(f"told: notify.webhook of every finished, missed and refused run, {signed}")
    if "heartbeat" in notify and "notify.heartbeat" not in untold:
        lines.append("told: notify.heartbeat when the run of a slot starts, succeeds or fails")
    if people and "proof_of_life" in notify:
        lines.append(f"told: {plural(people, 'target')} on Mondays at 08:00 that fanfold is alive")
    return lines


def _document(catalogue: Catalogue, now: datetime, env: Mapping[str, str]) -> dict[str, Any]:
    return {
        "timezone": catalogue.timezone,
        "max_concurrent_collectors": catalogue.max_concurrent_collectors,
        "run_timeout_seconds": catalogue.run_timeout_s,
        "version": catalogue.version,
        "collectors": {
            each.name: {
                "enabled": each.enabled,
                "schedule": each.cron,
                "mode": each.spec.mode.value,
                "timeout_seconds": each.spec.timeout_s,
                "required": each.spec.required,
                "upstream": each.spec.upstream,
                "tags": list(each.spec.tags),
                "way_out": way_of(each.spec, env) if each.enabled and each.spec.url else None,
            }
            for each in catalogue.collectors
        },
        "upstreams": {
            limits.name: {"collectors": number, "limits": limits_words(limits)}
            for limits, number in catalogue.sources.items()
        },
        "next": [instant(slot) for slot in schedule.next_slots(catalogue, now, 3)],
    }
