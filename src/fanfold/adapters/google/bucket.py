"""Reports in a Cloud Storage bucket: see :class:`fanfold.ports.ReportSink`.

Created only: each object is uploaded on the condition that its name is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from fanfold.domain.errors import NotConfigured, SinkUnavailable
from fanfold.ports import ReportSink

#: Longest wait for one upload or download, in seconds.
CALL_TIMEOUT_S = 20.0

#: What begins a place that is a bucket.
SCHEME = "gs://"

_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
}


class BucketSink:
    """Keeps each run's report under ``<bucket>/<prefix>/<run id>/``; other places go *elsewhere*.

    Args:
        elsewhere: Keeps reports whose place is no bucket.
        client: The storage client; absent, one is made at the first report.
    """

    def __init__(self, elsewhere: ReportSink, client: Any = None) -> None:
        self.elsewhere = elsewhere
        self._client = client

    def write(self, report_to: str, run_id: str, documents: Mapping[str, bytes]) -> str:
        """See :meth:`fanfold.ports.ReportSink.write`."""
        if not report_to.startswith(SCHEME):
            return self.elsewhere.write(report_to, run_id, documents)
        for name, content in documents.items():
            try:
                self._blob(report_to, run_id, name).upload_from_string(
                    content,
                    content_type=_CONTENT_TYPES.get(name[name.rfind(".") :]),
                    if_generation_match=0,
                    retry=None,
                    timeout=CALL_TIMEOUT_S,
                )
            except exceptions.PreconditionFailed:
                continue  # it is there already
            except (exceptions.GoogleAPIError, GoogleAuthError, OSError) as exc:
                raise SinkUnavailable(_trouble(report_to, exc)) from exc
        return f"{report_to.rstrip('/')}/{run_id}/{next(iter(documents))}"

    def read(self, report_to: str, run_id: str, name: str) -> bytes | None:
        """See :meth:`fanfold.ports.ReportSink.read`."""
        if not report_to.startswith(SCHEME):
            return self.elsewhere.read(report_to, run_id, name)
        try:
            content: bytes = self._blob(report_to, run_id, name).download_as_bytes(
                retry=None, timeout=CALL_TIMEOUT_S
            )
        except exceptions.NotFound:
            return None
        except (exceptions.GoogleAPIError, GoogleAuthError, OSError) as exc:
            raise SinkUnavailable(_trouble(report_to, exc)) from exc
        return content

    def _blob(self, report_to: str, run_id: str, name: str) -> Any:
        bucket, _, prefix = report_to.removeprefix(SCHEME).strip("/").partition("/")
        path = "/".join(part for part in (prefix, run_id, name) if part)
        return self._connected(report_to).bucket(bucket).blob(path)

    def _connected(self, report_to: str) -> Any:
        if self._client is None:
            try:
                from google.cloud import storage  # type: ignore[attr-defined,unused-ignore] # noqa: PLC0415, E501 - an optional library
            except ImportError as exc:
                raise NotConfigured(
                    f"reports go to {report_to}, which needs google-cloud-storage: "
                    'pip install "fanfold[storage]"'
                ) from exc
            self._client = storage.Client()
        return self._client


def _trouble(report_to: str, exc: Exception) -> str:
    said = f"{report_to}: {type(exc).__name__}: {' '.join(str(exc).split())[:300]}"
    bucket = report_to.removeprefix(SCHEME).partition("/")[0]
    if isinstance(exc, exceptions.NotFound):
        return f"{said}; apply infra/, or `gcloud storage buckets create gs://{bucket}`"
    if isinstance(exc, exceptions.Forbidden):
        return (
            f"{said}; apply infra/, or `gcloud storage buckets add-iam-policy-binding "
            f"gs://{bucket} --member=serviceAccount:EMAIL --role=roles/storage.objectUser`"
        )
    return said
