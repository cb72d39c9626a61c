"""What the embedded backend stores, without the parts that work on it."""

from __future__ import annotations

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.report_folder import FolderSink
from fanfold.settings import Settings


def embedded_store(settings: Settings) -> tuple[SqliteLedger, FolderSink]:
    """Return what is stored, for looking only: nothing is written, and no process is counted.

    Raises:
        StoreUnavailable: The file cannot be read.
    """
    database = Database(settings.database, looking=True)
    return SqliteLedger(database), FolderSink(settings.report_mode)
