"""What runs under ``make emulators-run``, put together."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from fanfold.adapters.google.bus.pubsub import PubSubBus
from fanfold.devstack import emulators as official
from fanfold.devstack import topics
from fanfold.devstack.processes import Child, Children
from fanfold.devstack.push_bridge import Bridge, BridgeRoute
from fanfold.devstack.ticks import Ticks
from fanfold.domain.model.errors import NotConfigured
from fanfold.runtime.parts import ConfigurationFile
from fanfold.settings import Settings

#: The functions: their folders under functions/, which are also their names in the topology.
FUNCTIONS = ("dispatcher", "collector_relay", "aggregator")

#: The example collectors, under examples/collectors/.
COLLECTORS = ("dvf", "insee_contours", "plu", "sirene")

#: Deliveries at a time to the functions that do not wait for collectors.
DISPATCHES, RESULTS = 4, 16

#: Threads that a function has beside its deliveries, for callbacks and probes.
SPARE_THREADS = 8


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What to run. ``with_examples`` starts the four example collectors too."""

    settings: Settings
    folder: Path
    sweep_every_s: float
    with_examples: bool


class DevStack:
    """Everything, from :meth:`start` to :meth:`stop`. One in a process: it sets its environment."""

    def __init__(self, wanted: StackOptions, say: Callable[[str], None]) -> None:
        for name in FUNCTIONS:
            if not Path("functions", name, "main.py").exists():
                raise NotConfigured(f"no functions/{name}/main.py here: start it in a checkout")
        self.wanted = wanted
        self.say = say
        self.children = Children(say)
        self.hosts = {
            "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{official.free_port()}",
            "FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{official.free_port()}",
            "GOOGLE_CLOUD_PROJECT": wanted.settings.project,
        }
        self._ports = {name: official.free_port() for name in (*FUNCTIONS, *COLLECTORS)}
        os.environ.update(self.hosts)
        if wanted.with_examples:
            os.environ.update(
                {f"{name.upper()}_COLLECTOR_URL": self._url(name) for name in COLLECTORS}
            )
        self._configuration = ConfigurationFile(wanted.settings, os.environ)
        self._ending = ExitStack()

    def start(self) -> None:
        """Return once a published run request would lead to a report.

        Raises:
            ConfigError: The configuration cannot be used; nothing was started.
            DidNotStart: A process did not come up; call :meth:`stop`.
        """
        limit = self._configuration().max_concurrent_collectors
        self._ending.callback(self.children.stop)
        pubsub, firestore = self._emulators()
        rooms = {"dispatcher": DISPATCHES, "collector_relay": limit, "aggregator": RESULTS}
        examples = [self._example(name) for name in COLLECTORS if self.wanted.with_examples]
        functions = [self._function(name, rooms[name]) for name in FUNCTIONS]
        self.children.start(pubsub, firestore, *functions, *examples)
        self._set_up()
        self.children.after_restart(pubsub, self._set_up)
        self.children.watch()
        settings = self.wanted.settings
        bridge = Bridge(
            settings.project,
            settings.topic_prefix,
            {name: BridgeRoute(self._url(name), rooms[name]) for name in FUNCTIONS},
            on_trouble=self.say,
        )
        bridge.start()
        self._ending.callback(bridge.stop)
        ticks = Ticks(
            PubSubBus(settings.project, settings.topic_prefix),
            self._configuration,
            sweep_every_s=self.wanted.sweep_every_s,
            say=self.say,
        )
        ticks.start()
        self._ending.callback(ticks.stop)

    def stop(self) -> None:
        """End all that was started."""
        self.children.stopping.set()
        self._ending.close()

    def _set_up(self) -> None:
        settings = self.wanted.settings
        made = topics.create_topology(settings.project, settings.topic_prefix)
        self.say(f"made {made} topics and subscriptions")

    def _url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._ports[name]}/"

    def _emulators(self) -> tuple[Child, Child]:
        pubsub, firestore = (
            self.hosts[name] for name in ("PUBSUB_EMULATOR_HOST", "FIRESTORE_EMULATOR_HOST")
        )
        command = official.pubsub_command(_port(pubsub), self.wanted.settings.project)
        return (
            self._child("pubsub", command, f"http://{pubsub}/", {}),
            self._child(
                "firestore",
                official.firestore_command(_port(firestore)),
                f"http://{firestore}/",
                {},
            ),
        )

    def _function(self, name: str, concurrency: int) -> Child:
        settings = self.wanted.settings
        env = {
            **self.hosts,
            "FANFOLD_BACKEND": "google",
            "FANFOLD_CONFIG": str(settings.config.absolute()),
            "FANFOLD_TOPIC_PREFIX": settings.topic_prefix,
            "FANFOLD_LOG_LEVEL": settings.log_level,
            "FANFOLD_CALLBACK_URL": self._url("collector_relay").rstrip("/"),
            "FANFOLD_CALLBACK_KEY": settings.callback_key,
            "THREADS": str(concurrency + SPARE_THREADS),
        }
        return self._served(name, f"functions/{name}/main.py", name, env)

    def _example(self, name: str) -> Child:
        env = {"COLLECTOR_SOURCE": os.environ.get("COLLECTOR_SOURCE") or "sample"}
        return self._served(name, f"examples/collectors/{name}/main.py", "collect", env)

    def _served(self, name: str, source: str, target: str, env: Mapping[str, str]) -> Child:
        """Return the process in which functions-framework serves *target* of the file *source*."""
        command = [
            *(sys.executable, "-m", "functions_framework", "--signature-type=http"),
            *(f"--source={source}", f"--target={target}"),
            *("--host=127.0.0.1", f"--port={self._ports[name]}"),
        ]
        return self._child(name, command, self._url(name), env)

    def _child(self, name: str, command: object, url: str, env: Mapping[str, str]) -> Child:
        assert isinstance(command, list)  # noqa: S101
        return Child(name, command, url, self.wanted.folder / f"{name}.log", env)


def with_defaults(settings: Settings) -> Settings:
    """Return *settings* with a project and a callback key, for those who named none."""
    return replace(
        settings,
        project=settings.project or "demo-fanfold",
        callback_key=settings.callback_key or secrets.token_hex(),
    )


def _port(host: str) -> int:
    return int(host.rpartition(":")[2])
