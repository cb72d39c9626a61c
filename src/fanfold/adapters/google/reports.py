"""Reports in a Cloud Storage bucket: see :class:`fanfold.ports.outside.ReportSink`.

Created only: each object is uploaded on the condition that its name is free, so that it makes no
difference who writes a report, how often, or whether the reply to an upload was lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError

from fanfold.domain.model.errors import NotConfigured, SinkUnavailable
from fanfold.ports.outside import ReportSink

#: What begins a place that is a bucket.
SCHEME = "gs://"

#: Longest waits for a connection and for the next bytes of an answer, in seconds.
CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S = 3.0, 8.0

#: No upload or download is tried again after this long, in seconds.
PATIENCE_S = 6.0

#: What a document's name is never given twice for: anybody who read it may keep it.
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

    def write(self, report_to: str, run_id: str, documents: Mapping[str, bytes]) -> str:
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

    def write(self, report_to: str, run_id: str, documents: Mapping[str, bytes]) -> str:
        """See :meth:`fanfold.ports.outside.ReportSink.write`."""
        for name, content in documents.items():
            self._create(report_to, run_id, name, content)
        return f"{report_to.rstrip('/')}/{run_id}/{next(iter(documents))}"

    def read(self, report_to: str, run_id: str, name: str) -> bytes | None:
        """See :meth:`fanfold.ports.outside.ReportSink.read`."""
        blob, options = self._blob(report_to, run_id, name)
        try:
            content: bytes = blob.download_as_bytes(**options)
        except exceptions.NotFound:
            return None
        except (exceptions.GoogleAPIError, GoogleAuthError, OSError) as exc:
            raise _ours(report_to, exc) from exc
        return content

    def _create(self, report_to: str, run_id: str, name: str, content: bytes) -> None:
        blob, options = self._blob(report_to, run_id, name)
        blob.cache_control = CACHE_CONTROL
        content_type = _CONTENT_TYPES.get(name[name.rfind(".") :], "application/octet-stream")
        try:
            blob.upload_from_string(
                content, content_type=content_type, if_generation_match=0, **options
            )
        except exceptions.PreconditionFailed:
            return  # it is there already
        except exceptions.Forbidden as exc:
            # Whoever may create and not delete can be refused for a name that is taken.
            if self.read(report_to, run_id, name) is None:
                raise _ours(report_to, exc) from exc
        except (exceptions.GoogleAPIError, GoogleAuthError, OSError) as exc:
            raise _ours(report_to, exc) from exc

    def _blob(self, report_to: str, run_id: str, name: str) -> tuple[Any, dict[str, Any]]:
        """Return the object, and how long each call about it may take."""
        bucket, _, prefix = report_to.removeprefix(SCHEME).strip("/").partition("/")
        if not bucket:
            raise NotConfigured(f"reports go to {report_to}, which names no bucket: gs://BUCKET")
        try:
            # An optional library, loaded by whoever finishes a run.
            from google.cloud import storage  # type: ignore[attr-defined,unused-ignore] # noqa: PLC0415
            from google.cloud.storage.retry import DEFAULT_RETRY  # noqa: PLC0415
        except ImportError as exc:
            raise NotConfigured(
                f"reports go to {report_to}, which needs google-cloud-storage: "
                'pip install "fanfold[storage]"'
            ) from exc
        try:
            if self._client is None:
                # Two threads may make one each at the start; the one that is kept serves both.
                self._client = storage.Client(project=self.project)
        except GoogleAuthError as exc:
            raise _ours(report_to, exc) from exc
        options = {
            "retry": DEFAULT_RETRY.with_delay(0.2, 1.0, 2.0).with_timeout(PATIENCE_S),
            "timeout": (CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
        }
        path = "/".join(part for part in (prefix, run_id, name) if part)
        return self._client.bucket(bucket).blob(path), options


def _ours(report_to: str, exc: Exception) -> NotConfigured | SinkUnavailable:
    """Return what *exc* is to a door, with the command that mends it where one does."""
    bucket = report_to.removeprefix(SCHEME).partition("/")[0]
    match exc:
        case exceptions.NotFound():
            return NotConfigured(
                f"there is no bucket gs://{bucket} for the reports: apply infra/, "
                f"or `gcloud storage buckets create gs://{bucket}`"
            )
        case exceptions.Forbidden() | exceptions.Unauthorized():
            return NotConfigured(
                f"no permission to keep reports in gs://{bucket}: apply infra/, or `gcloud storage "
                f"buckets add-iam-policy-binding gs://{bucket} --member=serviceAccount:EMAIL "
                "--role=roles/storage.objectUser`"
            )
        case DefaultCredentialsError():
            return NotConfigured(
                f"reports go to {report_to}, and no credentials are found: "
                "`gcloud auth application-default login`"
            )
        case _:
            said = " ".join(str(exc).split())[:300]
            return SinkUnavailable(f"{report_to}: {type(exc).__name__}: {said}")
