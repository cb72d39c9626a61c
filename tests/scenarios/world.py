"""A whole fanfold for one story: configuration file, backend, service, and scripted collectors.

Stories speak only to this, so that each one runs on every backend. A backend says how to build its
parts and how deliveries reach the functions; nothing else.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from tests.scenarios.collectors import Collectors

from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import Run
from fanfold.domain.report import fold
from fanfold.messages import events, run_request, topology
from fanfold.ports.bus import Message
from fanfold.runtime.parts import Parts

#: Longest wait for a run to end, in seconds: far above what any story takes on a busy machine.
PATIENCE_S = 60.0


class World(ABC):
    """One backend with its service, driven from outside as a user would."""

    parts: Parts

    def __init__(self, folder: Path, collectors: Collectors) -> None:
        self.folder = folder
        self.collectors = collectors
        self.config = folder / "config.yaml"

    @abstractmethod
    def start(self) -> None:
        """Begin to deliver messages to the functions, and to keep time."""

    @abstractmethod
    def stop(self) -> None:
        """Stop gracefully."""

    def configure(self, names: Sequence[str], /, **scheduler: Any) -> None:
        """Write the configuration: see :meth:`configure_in`."""
        self.configure_in(self.folder, self.collectors, names, **scheduler)

    @staticmethod
    def configure_in(
        folder: Path, collectors: Collectors, names: Sequence[str], /, **scheduler: Any
    ) -> None:
        """Write *folder*'s configuration: *names* on the scripted server, and *scheduler*.

        Nothing is retried unless *scheduler* says so; its ``collectors`` adds keys to single ones.
        """
        extra: Mapping[str, Any] = scheduler.pop("collectors", {})
        defaults = {"timeout": "5s", "retries": {"max": 0}} | scheduler.pop("defaults", {})
        document = {
            "version": 2,
            "scheduler": {
                "run_timeout": "30s",
                "max_concurrent_collectors": 16,
                "defaults": defaults,
                "collectors": {
                    name: {"url": collectors.url(name)} | dict(extra.get(name, {}))
                    for name in names
                },
            }
            | scheduler,
            "report": {"folder": str(folder / "reports")},
        }
        text = yaml.safe_dump(document, sort_keys=False)
        (folder / "config.yaml").write_text(text, encoding="utf-8")

    def ask(self, request: RunRequest) -> None:
        """Publish a run request."""
        self.publish(topology.RUN_REQUESTS, run_request.encode_run_request(request))

    def publish(self, topic: str, *messages: Message) -> None:
        """Publish *messages* as anybody may."""
        self.parts.bus.publish(topic, messages)

    def sweep(self) -> None:
        """Publish a sweep tick."""
        self.publish(topology.SWEEP_TICKS, events.encode_tick(at=self.parts.clock.now()))

    def run(self, run_id: str) -> Run | None:
        """Return the run as it stands."""
        return self.parts.ledger.run(run_id)

    def wait_for(self, run_id: str, *, revision: int = 1) -> Run:
        """Return the run once its report of *revision* is announced."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            run = self.run(run_id)
            if run is not None and run.announced_at is not None and run.revision >= revision:
                return run
            time.sleep(0.02)
        raise AssertionError(f"{run_id} did not end: {self.run(run_id)}")

    def wait_for_notice(self, suffix: str) -> Run:
        """Return the newest record whose id ends in *suffix*."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            for run in self.parts.ledger.recent_runs(20):
                if run.run_id.endswith(suffix):
                    return run
            time.sleep(0.02)
        raise AssertionError(f"no record ends in {suffix}")

    def wait_until_asked(self, name: str, times: int = 1) -> None:
        """Return once the collector called *name* was asked *times*."""
        until = time.monotonic() + PATIENCE_S
        while len(self.collectors.calls(name)) < times:
            assert time.monotonic() < until, f"{name} was not asked {times} times"
            time.sleep(0.01)

    def report(self, run_id: str, *, revision: int = 1) -> dict[str, Any]:
        """Return the report as it was written, once it balances."""
        import json  # noqa: PLC0415

        run = self.wait_for(run_id, revision=revision)
        name = "report.json" if revision == 1 else f"report.r{revision}.json"
        content = self.parts.sink.read(run.report_to, run_id, name)
        assert content is not None, f"{name} of {run_id} was not written"
        report: dict[str, Any] = json.loads(content)
        check_balance(report)
        return report

    def finished_events(self, run_id: str) -> int:
        """Return how many finished events of *run_id* are on the topic for its readers."""
        raise NotImplementedError


def check_balance(report: Mapping[str, Any]) -> None:
    """Fail unless the report balances: promise 8."""
    summary, collectors = report["summary"], report["collectors"]
    counted = [one["status"] for one in collectors.values()]
    parts = ("succeeded", "failed", "timed_out", "cancelled", "skipped")
    assert summary["total"] == len(collectors) == sum(summary[part] for part in parts)
    for part in parts:
        assert summary[part] == counted.count(part)


def statuses(report: Mapping[str, Any]) -> dict[str, str]:
    """Return each collector's status in *report*."""
    return {name: one["status"] for name, one in report["collectors"].items()}


def folded(parts: Parts, run_id: str) -> dict[str, Any]:
    """Return the report folded anew from what is stored: the same for whoever computes it."""
    run = parts.ledger.run(run_id)
    assert run is not None
    return fold.fold(run, parts.ledger.manifest(run_id), parts.ledger.answers(run_id))
