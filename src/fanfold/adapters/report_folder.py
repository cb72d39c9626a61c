"""Reports in a folder: see :class:`fanfold.ports.outside.ReportSink`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from fanfold.domain.model.errors import NotConfigured, SinkUnavailable


class FolderSink:
    """Keeps each run's report in a folder of its own: ``<report_to>/<run id>/report.html``."""

    def write(self, report_to: str, run_id: str, documents: Mapping[str, bytes]) -> str:
        """See :meth:`fanfold.ports.outside.ReportSink.write`."""
        folder = _folder(report_to, run_id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in documents.items():
                _create(folder / name, content)
        except OSError as exc:
            raise SinkUnavailable(
                f"cannot write the report to {folder}: {exc.strerror or exc}"
            ) from exc
        return str(folder / next(iter(documents)))

    def read(self, report_to: str, run_id: str, name: str) -> bytes | None:
        """See :meth:`fanfold.ports.outside.ReportSink.read`."""
        try:
            return (_folder(report_to, run_id) / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise SinkUnavailable(f"cannot read the report: {exc.strerror or exc}") from exc


def _folder(report_to: str, run_id: str) -> Path:
    if report_to.startswith("gs://"):
        raise NotConfigured(
            f"reports go to {report_to}, which the embedded backend cannot write: "
            "set report.folder, or FANFOLD_BACKEND=google"
        )
    return Path(report_to) / run_id


def _create(path: Path, content: bytes) -> None:
    """Write *content* to *path* whole, unless it is there: a reader never sees half a report."""
    descriptor, unnamed = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(unnamed).chmod(0o644)
        os.link(unnamed, path)
    except FileExistsError:
        return
    finally:
        Path(unnamed).unlink(missing_ok=True)
