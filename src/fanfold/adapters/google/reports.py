"""Reports in a Cloud Storage bucket: see :class:`fanfold.ports.outside.ReportSink`.

Created only: each object is uploaded on the condition that its name is free, so that it makes no
difference who writes a report, how often, or whether the reply to an upload was lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from google.api_core import exceptions

from fanfold.adapters.google import errors
from fanfold.adapters.report_pieces import Digest, Pieces, digest_of
from fanfold.domain.model.errors import NotConfigured, ReportDiffers
from fanfold.ports.outside import Chunks, ReportSink

T = TypeVar("T")

#: What begins a place that is a bucket.
SCHEME = "gs://"

#: Longest waits for a connection and for the next bytes of an answer, in seconds.
TIMEOUTS_S = (3.0, 8.0)

#: A document of more than 8 MiB is uploaded in parts of so many bytes.
PART_BYTES = 8 * 1024 * 1024

#: Reports are create-only: a name always means the same bytes, so clients may cache them.
CACHE_CONTROL = "private, max-age=86400, immutable"

_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
}


class ReportSinks:
    """Keeps reports in *bucket* where their place is one, else in *folder*."""

    def __init__(self, bucket: ReportSink, folder: ReportSink) -> None:
        self.bucket = bucket
        self.folder = folder

    def write(self, report_to: str, run_id: str, documents: Mapping[str, Chunks]) -> str:
        """See :meth:`fanfold.ports.outside.ReportSink.write`."""
        return self._sink(report_to).write(report_to, run_id, documents)

    def read(self, report_to: str, run_id: str, name: str) -> bytes | None:
        """See :meth:`fanfold.ports.outside.ReportSink.read`."""
        return self._sink(report_to).read(report_to, run_id, name)

    def _sink(self, report_to: str) -> ReportSink:
        return self.bucket if report_to.startswith(SCHEME) else self.folder


class GcsSink:
    """Keeps each run's report under ``gs://<bucket>/<prefix>/<run id>/``.

    Safe to share between threads.

    Args:
        project: The Google Cloud project that pays for the calls.
        client: The storage client; absent, one is made at the first report.
    """

    def __init__(self, project: str, client: Any = None) -> None:
        self.project = project
        self._client = client

    def write(self, report_to: str, run_id: str, documents: Mapping[str, Chunks]) -> str:
        """See :meth:`fanfold.ports.outside.ReportSink.write`."""
        differing = [
            name
            for name, content in documents.items()
            if not self._create(report_to, run_id, name, content)
        ]
        folder = f"{report_to.rstrip('/')}/{run_id}"
        if differing:
            raise ReportDiffers(folder, differing)
        return f"{folder}/{next(iter(documents))}"

    def read(self, report_to: str, run_id: str, name: str) -> bytes | None:
        """See :meth:`fanfold.ports.outside.ReportSink.read`."""

        def download() -> bytes:
            blob = self._blob(report_to, run_id, name)
            content: bytes = blob.download_as_bytes(retry=None, timeout=TIMEOUTS_S)
            return content

        try:
            return self._call(report_to, download, (exceptions.NotFound,))
        except exceptions.NotFound:
            return None

    def _create(self, report_to: str, run_id: str, name: str, content: Chunks) -> bool:
        """Upload *content* if the name is free; return whether the object then holds it."""
        content_type = _CONTENT_TYPES.get(name[name.rfind(".") :], "application/octet-stream")
        size_bytes = sum(map(len, content))

        def upload() -> None:
            blob = self._blob(report_to, run_id, name)
            blob.cache_control = CACHE_CONTROL
            blob.chunk_size = PART_BYTES
            blob.upload_from_file(
                Pieces(content),
                size=size_bytes,
                content_type=content_type,
                if_generation_match=0,
                retry=None,
                timeout=TIMEOUTS_S,
            )

        try:
            self._call(report_to, upload, (exceptions.PreconditionFailed, exceptions.Forbidden))
        except (exceptions.PreconditionFailed, exceptions.Forbidden) as exc:
            # Whoever may create and not delete can be refused for a name that is taken.
            stored = self._digest(report_to, run_id, name)
            if stored is None and isinstance(exc, exceptions.Forbidden):
                place = _place(self.project, report_to)
                raise errors.ours(errors.STORAGE, report_to, exc, place) from exc
            return stored == digest_of(content)
        return True

    def _digest(self, report_to: str, run_id: str, name: str) -> bytes | None:
        """Return the digest of the object, None if there is none."""

        def download() -> bytes:
            digest = Digest()
            blob = self._blob(report_to, run_id, name)
            blob.download_to_file(digest, retry=None, timeout=TIMEOUTS_S)
            return digest.digest()

        try:
            return self._call(report_to, download, (exceptions.NotFound,))
        except exceptions.NotFound:
            return None

    def _call(
        self, report_to: str, target: Callable[[], T], expected: tuple[type[Exception], ...]
    ) -> T:
        place = _place(self.project, report_to)
        return errors.call(errors.STORAGE, report_to, target, place, expected=expected)

    def _blob(self, report_to: str, run_id: str, name: str) -> Any:
        """Return the object that keeps a document."""
        bucket, _, prefix = report_to.removeprefix(SCHEME).strip("/").partition("/")
        if not bucket:
            raise NotConfigured(f"reports go to {report_to}, which names no bucket: gs://BUCKET")
        if self._client is None:
            # Two threads may make one each at the start. The one that is kept serves both.
            self._client = _storage(report_to).Client(project=self.project)
        path = "/".join(part for part in (prefix, run_id, name) if part)
        return self._client.bucket(bucket).blob(path)


def _storage(report_to: str) -> Any:
    """Return the client library of Cloud Storage.

    Raises:
        NotConfigured: It is not installed.
    """
    try:
        from google.cloud import storage  # type: ignore[attr-defined,unused-ignore]
    except ImportError as exc:
        raise NotConfigured(
            f"reports go to {report_to}, which needs google-cloud-storage: "
            'pip install "fanfold[storage]"'
        ) from exc
    return storage


def _place(project: str, report_to: str) -> dict[str, str]:
    """Return what fills the hints of :data:`fanfold.adapters.google.errors.STORAGE`."""
    return {"project": project, "bucket": report_to.removeprefix(SCHEME).partition("/")[0]}
