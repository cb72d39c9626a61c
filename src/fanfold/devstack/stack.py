"""What runs under ``make emulators-run``, put together."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from fanfold.adapters.google.bus.pubsub import PubSubBus
from fanfold.devstack import emulators, topics
from fanfold.devstack.example_collectors import example_collectors, examples_root, url_variable
from fanfold.devstack.processes import Child, Children, Served, free_ports
from fanfold.devstack.push_bridge import Bridge, BridgeRoute
from fanfold.devstack.ticks import Ticks
from fanfold.domain.model.errors import NotConfigured
from fanfold.domain.rules.push import Assumptions
from fanfold.runtime.parts import ConfigurationFile
from fanfold.settings import Settings

#: What is served, by its name, and its file: the three functions of the topology, and the
#: callbacks, for which the relay's bundle is deployed a second time.
FUNCTIONS = {
    "dispatcher": "functions/dispatcher/main.py",
    "collector_relay": "functions/collector_relay/main.py",
    "aggregator": "functions/aggregator/main.py",
    "callbacks": "functions/collector_relay/main.py",
}

#: Requests at a time to the functions that do not wait for collectors.
DISPATCHES, RESULTS, CALLBACKS = 4, 16, 8

#: Threads that a function has beside its deliveries, for probes.
SPARE_THREADS = 8


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What to run. ``with_examples`` starts the four example collectors too.

    ``push`` delivers as Google Cloud may; see :mod:`fanfold.devstack.push_gate`.
    """

    settings: Settings
    folder: Path
    sweep_every_s: float
    with_examples: bool
    push: Assumptions | None = None


class DevStack:
    """Everything, from :meth:`start` to :meth:`stop`. One in a process: it sets its environment.

    Args:
        options: What to run.
        say: Told in a sentence what happens.
        is_interrupted: Whether somebody asked to stop; a start in progress then ends.

    Raises:
        NotConfigured: This is no checkout.
    """

    def __init__(
        self,
        options: StackOptions,
        say: Callable[[str], None],
        is_interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        for source in FUNCTIONS.values():
            if not Path(source).exists():
                raise NotConfigured(f"no {source} here: start it in a checkout")
        self.options = options
        self.say = say
        self.children = Children(say, is_interrupted)
        pubsub, firestore, *ports = free_ports(2 + len(FUNCTIONS))
        self._ports = dict(zip(FUNCTIONS, ports, strict=True))
        self.hosts = {
            "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{pubsub}",
            "FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{firestore}",
            "GOOGLE_CLOUD_PROJECT": options.settings.project,
        }
        os.environ.update(self.hosts)
        self._examples = example_collectors(examples_root()) if options.with_examples else ()
        os.environ.update({url_variable(each.name): each.url for each in self._examples})
        self._configuration = ConfigurationFile(options.settings, os.environ)
        self._ending = ExitStack()

    def start(self) -> None:
        """Return once a published run request would lead to a report.

        Raises:
            ConfigError: The configuration cannot be used; nothing was started.
            DidNotStart: A process did not come up; call :meth:`stop`.
            StartInterrupted: Somebody asked to stop; call :meth:`stop`.
        """
        settings, folder = self.options.settings, self.options.folder
        limit = self._configuration().max_concurrent_collectors
        concurrency = {
            "dispatcher": DISPATCHES,
            "collector_relay": limit,
            "aggregator": RESULTS,
            "callbacks": CALLBACKS,
        }
        self._ending.callback(self.children.stop)
        pubsub, firestore = self._emulators()
        functions = [self._function(name, concurrency[name]) for name in FUNCTIONS]
        served = [each.child(folder) for each in (*functions, *self._examples)]
        self.children.start(pubsub, firestore, *served)
        self._set_up()
        self.children.after_restart(pubsub, self._set_up)
        self.children.watch()
        bridge = Bridge(
            settings.project,
            settings.topic_prefix,
            {each.name: BridgeRoute(each.url, concurrency[each.name]) for each in functions},
            push=self.options.push,
            on_trouble=self.say,
        )
        bridge.start()
        self._ending.callback(bridge.stop)
        ticks = Ticks(
            PubSubBus(settings.project, settings.topic_prefix),
            self._configuration,
            sweep_every_s=self.options.sweep_every_s,
            say=self.say,
        )
        ticks.start()
        self._ending.callback(ticks.stop)

    def for_gcloud(self) -> dict[str, str]:
        """Return the variables with which ``gcloud`` addresses the emulators, and nobody's account.

        gcloud reads none of the variables that the client libraries read.
        """
        return {
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://{self.hosts['PUBSUB_EMULATOR_HOST']}/",
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            "CLOUDSDK_CORE_PROJECT": self.hosts["GOOGLE_CLOUD_PROJECT"],
        }

    def stop(self) -> None:
        """End all that was started."""
        self._ending.close()

    def _set_up(self) -> None:
        settings = self.options.settings
        made = topics.create_topology(settings.project, settings.topic_prefix)
        self.say(f"made {made} topics and subscriptions")

    def _emulators(self) -> tuple[Child, Child]:
        pubsub, firestore = (
            self.hosts[name] for name in ("PUBSUB_EMULATOR_HOST", "FIRESTORE_EMULATOR_HOST")
        )
        project = self.options.settings.project
        return (
            self._emulator("pubsub", emulators.pubsub_command(_port(pubsub), project), pubsub),
            self._emulator("firestore", emulators.firestore_command(_port(firestore)), firestore),
        )

    def _emulator(self, name: str, command: Sequence[str], host: str) -> Child:
        return Child(name, command, f"http://{host}/", self.options.folder / f"{name}.log")

    def _function(self, name: str, concurrency: int) -> Served:
        settings = self.options.settings
        env = {
            **self.hosts,
            "FANFOLD_BACKEND": "google",
            "FANFOLD_CONFIG": str(settings.config.absolute()),
            "FANFOLD_TOPIC_PREFIX": settings.topic_prefix,
            "FANFOLD_LOG_LEVEL": settings.log_level,
            "FANFOLD_CALLBACK_URL": f"http://127.0.0.1:{self._ports['callbacks']}",
            "FANFOLD_CALLBACK_KEY": settings.callback_key,
            "THREADS": str(concurrency + SPARE_THREADS),
        }
        return Served(name, Path(FUNCTIONS[name]), name, self._ports[name], env)


def with_defaults(settings: Settings) -> Settings:
    """Return *settings* with a project and a callback key, for those who named none."""
    return replace(
        settings,
        project=settings.project or "demo-fanfold",
        callback_key=settings.callback_key or secrets.token_hex(),
    )


def _port(host: str) -> int:
    return int(host.rpartition(":")[2])
