"""How jobs travel: by Pub/Sub, or by Cloud Tasks where the configuration says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import NotConfigured
from fanfold.messages.topology import COLLECTOR_JOBS
from fanfold.settings import Settings

#: Where a token may go without TLS.
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class TaskRoute:
    """Which queue of Cloud Tasks takes the jobs, and where its tasks go.

    Args:
        project: The Google Cloud project.
        location: The queue's region.
        queue: The queue's name.
        relay_url: The relay's address, which is also the audience of the tasks' id tokens.
        account: The service account as which tasks call the relay.
        subscription: The name of the subscription whose place the tasks take.
        takes: Tells whether the job of a collector, by name, goes this way.
    """

    project: str
    location: str
    queue: str
    relay_url: str
    account: str
    subscription: str = COLLECTOR_JOBS
    takes: Callable[[str], bool] = field(default=lambda _: True, compare=False)

    @property
    def path(self) -> str:
        """The queue's full name."""
        return f"projects/{self.project}/locations/{self.location}/queues/{self.queue}"


@dataclass(frozen=True, slots=True)
class JobRoute:
    """The way of the jobs, as the configuration now wants it.

    Names that the environment gives come before the configuration's: infra/ may have added a
    prefix. There is no Cloud Tasks on the emulators: where ``is_emulated``, Pub/Sub has the jobs.
    """

    settings: Settings
    configuration: Callable[[], Catalogue]
    is_emulated: bool = False

    def __call__(self) -> TaskRoute | None:
        """Return the route, None for Pub/Sub; raises as :meth:`catalogue` does."""
        return None if self.is_emulated else self._of(self.configuration())

    def catalogue(self) -> Catalogue:
        """Return the configuration, if its jobs can travel as far as can be told from here.

        Raises:
            NotConfigured: The library, an address or a name is missing.
        """
        wanted = self.configuration()
        self._of(wanted)
        return wanted

    def _of(self, wanted: Catalogue) -> TaskRoute | None:
        if self.is_emulated or not (wanted.use_cloud_tasks or wanted.needs_queue):
            return None
        load_library()
        settings = self.settings
        route = TaskRoute(
            project=settings.project,
            location=settings.tasks_location,
            queue=settings.tasks_queue or wanted.queue_name,
            relay_url=settings.relay_url,
            account=settings.tasks_account or wanted.service_account_email,
            subscription=f"{settings.topic_prefix}{COLLECTOR_JOBS}",
            takes=wanted.travels_by_tasks(),
        )
        _check(route)
        return route


def load_library() -> Any:
    """Return the client library of Cloud Tasks.

    Raises:
        NotConfigured: It is not installed.
    """
    try:
        from google.cloud import tasks_v2  # an optional library
    except ImportError as exc:
        raise NotConfigured(
            'Cloud Tasks needs google-cloud-tasks: pip install "fanfold[tasks]"'
        ) from exc
    return tasks_v2


def _check(route: TaskRoute) -> None:
    wanted = {
        "queue_name": route.queue,
        "service_account_email": route.account,
        "FANFOLD_TASKS_LOCATION": route.location,
        "FANFOLD_RELAY_URL": route.relay_url,
    }
    missing = [name for name, value in wanted.items() if not value]
    if missing:
        raise NotConfigured(
            f"Cloud Tasks needs {', '.join(missing)} as well: apply infra/, or set "
            "them, names in capitals in the environment of the dispatcher and the aggregator"
        )
    address = urlsplit(route.relay_url)
    if address.scheme != "https" and address.hostname not in LOOPBACK:
        raise NotConfigured(
            f"FANFOLD_RELAY_URL={route.relay_url!r}: tasks carry an id token: write https://…"
        )
