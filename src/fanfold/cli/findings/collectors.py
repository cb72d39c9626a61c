"""Each enabled collector: could it be called now? Nothing is sent to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from fanfold.adapters.http.probe import Probed, Step
from fanfold.cli.findings.finding import Finding, Level
from fanfold.cli.output import words
from fanfold.domain.model.collector import AuthKind, Catalogue, Collector
from fanfold.domain.syntax.durations import duration
from fanfold.runtime.collector_client import collector_probe

#: Longest time for one collector, in seconds.
TIMEOUT_S = 10.0

#: Most collectors that are looked at at a time.
AT_A_TIME = 16


def collectors(catalogue: Catalogue, env: Mapping[str, str]) -> Iterator[Finding]:
    """Give a finding for each enabled collector, in the order of the configuration."""
    probe = collector_probe(env)
    enabled = [each for each in catalogue.collectors if each.enabled]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        probed = pool.map(lambda each: probe.probe(each.spec, TIMEOUT_S), enabled)
        for each, one in zip(enabled, probed, strict=True):
            yield finding_of(each, one)


def finding_of(collector: Collector, probed: Probed) -> Finding:
    """Return what is to be said of a collector that was probed."""
    way = f" through {probed.proxy}" if probed.proxy else ""
    if probed.step is Step.DONE:
        text = f"{probed.place} takes connections{way} ({duration(probed.seconds)})"
        return Finding(Level.OK, collector.name, text)
    if probed.step is Step.BEHIND_PROXY:
        text = (
            f"the proxy {probed.proxy} is there; only a call would show whether {probed.place} is"
        )
        return Finding(Level.WARNING, collector.name, text, words.SHOW_PROXIES)
    command = {
        Step.PREPARED: words.LOG_IN
        if collector.spec.auth.kind is AuthKind.OIDC
        else words.SHOW_ORIGINS,
        Step.NAME: words.look_up(probed.place),
        Step.PROXY: words.SHOW_PROXIES,
        Step.CONNECTION: words.connect_to(probed.place),
        Step.TLS: words.show_certificates(probed.place),
    }[probed.step]
    return Finding(Level.ERROR, collector.name, probed.problem, command)
