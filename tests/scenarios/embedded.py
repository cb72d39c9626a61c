"""The stories' world on the embedded backend."""

from __future__ import annotations

import os
from pathlib import Path

from tests.scenarios.collectors import Collectors
from tests.scenarios.world import World

from fanfold.logs import silent
from fanfold.runtime import service
from fanfold.runtime.embedded import embedded_parts
from fanfold.settings import Settings


class EmbeddedWorld(World):
    """The service in this process, on a SQLite file of its own."""

    def __init__(self, folder: Path, collectors: Collectors) -> None:
        super().__init__(folder, collectors)
        self.settings = Settings(config=self.config, database=folder / "fanfold.db")
        self.parts, self.owner = embedded_parts(self.settings, os.environ, log=silent)
        self.running: service.Service | None = None

    def start(self) -> None:
        """See :meth:`World.start`."""
        self.running = service.embedded_service(
            self.parts,
            self.owner,
            max_concurrent=self.parts.catalogue().max_concurrent_collectors,
            schedules=False,
            listen=("127.0.0.1", 0),
        )
        self.running.start()

    def stop(self) -> None:
        """See :meth:`World.stop`."""
        if self.running is not None:
            self.running.stop(grace_s=0.5)
            self.running = None
            self.parts.ledger.close()
