"""The google backend's ledger, bus and report sink, put together.

Importing this module loads Google's libraries. :mod:`fanfold.runtime.google` imports it when the
backend is google, and not before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fanfold.adapters.google.bus.pubsub import PubSubBus
from fanfold.adapters.google.bus.task_route import JobRoute
from fanfold.adapters.google.bus.tasks import JobsByTasks
from fanfold.adapters.google.ledger import FirestoreLedger
from fanfold.adapters.google.ledger.store import connect
from fanfold.adapters.google.reports import GcsSink, ReportSinks
from fanfold.adapters.report_folder import FolderSink
from fanfold.domain.model.collector import Catalogue
from fanfold.ports.bus import Bus
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import ReportSink
from fanfold.settings import Settings


@dataclass(frozen=True, slots=True)
class GoogleAdapters:
    """What stands between fanfold and Google Cloud in one process.

    ``catalogue`` returns the configuration, if its jobs can travel as it says.
    """

    ledger: Ledger
    bus: Bus
    sink: ReportSink
    catalogue: Callable[[], Catalogue]


def open_adapters(
    settings: Settings, configuration: Callable[[], Catalogue], *, is_emulated: bool
) -> GoogleAdapters:
    """Return the adapters for *settings*. They say nothing to the network before their first call.

    Raises:
        NotConfigured: There are no credentials.
    """
    route = JobRoute(settings, configuration, is_emulated=is_emulated)
    return GoogleAdapters(
        ledger=FirestoreLedger(connect(settings.project), settings.topic_prefix),
        bus=JobsByTasks(PubSubBus(settings.project, settings.topic_prefix), route),
        sink=ReportSinks(GcsSink(settings.project), FolderSink()),
        catalogue=route.catalogue,
    )
