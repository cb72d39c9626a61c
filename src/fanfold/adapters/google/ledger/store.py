"""The way to Firestore: every call has a timeout, a short patience, and one translation of errors.

The client's own retries are switched off: they take 60 to 600 s to say that nobody answers. A call
that fails in passing is repeated here for a few seconds, which is safe for every call of this
package: reads, creations, and writes that are conditional or say the same twice. Whoever makes a
creation or a conditional write reads back when it fails, for a reply that was lost may have been
of a commit that was not.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any, TypeVar

from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from fanfold.domain.model.errors import NotConfigured, StoreUnavailable

T = TypeVar("T")

#: How long one call may take, in seconds.
CALL_TIMEOUT_S = 10.0

#: How long a call that fails in passing is repeated, in seconds; at least one repeat is made.
PATIENCE_S = 4.0

#: How long writers that meet on one document try again, in seconds.
CONTENTION_PATIENCE_S = 10.0

#: The first and the longest wait before a repeat, in seconds; full jitter is drawn below them.
MIN_WAIT_S, MAX_WAIT_S = 0.05, 0.8

#: How long a thread waits for its turn, in seconds, before it tries all the same; and how many
#: things have turns of their own.
TURN_WAIT_S, TURNS = 1.0, 64

#: Documents read in one page of a long list.
PAGE = 1000

#: What a commit may hold: well below production's 10 MiB and the emulator's 4 MiB.
MAX_COMMIT_WRITES, MAX_COMMIT_BYTES = 450, 3_000_000

#: A document may have 1 MiB; what fanfold puts into one text or byte field stays below this.
MAX_FIELD_BYTES = 700_000

_PASSING = (
    api.Aborted,
    api.Cancelled,
    api.DataLoss,
    api.GatewayTimeout,
    api.InternalServerError,
    api.RetryError,
    api.ServiceUnavailable,
    api.TooManyRequests,
    api.Unknown,
    auth.TransportError,
)


class StaleRead(Exception):
    """The document was not as it was read: look again."""


def connect(project: str, database: str = "(default)") -> firestore.Client:
    """Return a client for *project*. It says nothing to the network before its first call.

    Raises:
        NotConfigured: There are no credentials, or no project is named.
    """
    try:
        return firestore.Client(project=project or None, database=database)
    except (auth.DefaultCredentialsError, OSError) as exc:
        raise NotConfigured(
            f"no way into Firestore: {exc}; run `gcloud auth application-default login`"
            " and set GOOGLE_CLOUD_PROJECT"
        ) from exc


class Store:
    """Reads and writes of one database. ``prefix`` stands before every collection's name."""

    def __init__(self, client: firestore.Client, prefix: str = "") -> None:
        self.client: Any = client
        self.prefix = prefix
        self._turns = [Lock() for _ in range(TURNS)]

    def collection(self, name: str) -> Any:
        """Return the collection that fanfold calls *name*."""
        return self.client.collection(self.prefix + name)

    def read(self, document: Any, fields: Sequence[str] | None = None) -> Any:
        """Return the document's snapshot, of *fields* alone if given."""
        return self._persist(
            f"read {document.path}",
            lambda: document.get(field_paths=fields, retry=None, timeout=CALL_TIMEOUT_S),
        )

    def read_all(self, documents: Sequence[Any]) -> list[Any]:
        """Return the snapshots of *documents*, in their order, as one consistent view."""

        def read() -> list[Any]:
            found = self.client.get_all(documents, retry=None, timeout=CALL_TIMEOUT_S)
            by_path = {snapshot.reference.path: snapshot for snapshot in found}
            return [by_path[document.path] for document in documents]

        return self._persist(f"read {documents[0].path} and more", read)

    def select(self, query: Any, *, limit: int | None = None) -> list[Any]:
        """Return the snapshots that *query* finds, page by page, at most *limit*."""
        found: list[Any] = []
        while limit is None or len(found) < limit:
            size = PAGE if limit is None else min(PAGE, limit - len(found))
            page = self._page(query.limit(size), found[-1] if found else None)
            found += page
            if len(page) < size:
                break
        return found

    def count(self, query: Any) -> int:
        """Return how many documents *query* finds, seeing every commit that returned before."""

        def count() -> int:
            result = query.count().get(retry=None, timeout=CALL_TIMEOUT_S)
            return int(result[0][0].value)

        return self._persist("count", count)

    def batch(self) -> Any:
        """Return an empty batch of writes, for :meth:`commit`."""
        return self.client.batch()

    def unchanged(self, at: Any) -> Any:
        """Return the condition that a document was last written *at* that moment."""
        return self.client.write_option(last_update_time=at)

    def commit(self, batch: Any) -> Sequence[Any]:
        """Return the results of *batch* once all of it is stored.

        Raises:
            AlreadyExists, FailedPrecondition, NotFound: As Firestore's client does. A repeat
                after a lost reply gets them too: the caller reads back.
        """

        def commit() -> Sequence[Any]:
            results: Sequence[Any] = batch.commit(retry=None, timeout=CALL_TIMEOUT_S)
            return results

        return self._persist("commit", commit)

    def contend(self, what: str, attempt: Callable[[], T]) -> T:
        """Return what *attempt* returns, again and again while it finds a document moved.

        *attempt* reads, decides and writes on the condition that nothing changed since; it is to
        recognise its own write, for the reply of an earlier attempt may have been lost. Threads
        of this process that come for the same thing take turns instead of losing to one another.
        """
        turn = self._turns[hash(what) % TURNS]
        begun = time.monotonic()
        tries = 0
        while True:
            tries += 1
            mine = turn.acquire(timeout=TURN_WAIT_S)
            try:
                return attempt()
            except (StaleRead, api.FailedPrecondition, api.AlreadyExists, api.NotFound):
                wait_s = _wait_s(tries)
                spent_s = time.monotonic() - begun
                if spent_s + wait_s > CONTENTION_PATIENCE_S:
                    raise StoreUnavailable(
                        f"Firestore: too many writers ({what}): {tries} tries in {spent_s:.1f} s"
                    ) from None
            finally:
                if mine:
                    turn.release()
            time.sleep(wait_s)

    def _page(self, query: Any, after: Any) -> list[Any]:
        page = query if after is None else query.start_after(after)

        def read() -> list[Any]:
            try:
                return list(page.stream(retry=None, timeout=CALL_TIMEOUT_S))
            except api.FailedPrecondition as exc:
                raise NotConfigured(
                    f"a Firestore query lacks its index: {exc.message}; deploy firestore_indexes"
                    " with `terraform apply` in infra/"
                ) from exc

        return self._persist("query", read)

    def _persist(self, what: str, call: Callable[[], T]) -> T:
        begun = time.monotonic()
        tries = 0
        while True:
            tries += 1
            try:
                return call()
            except _PASSING as exc:
                wait_s = _wait_s(tries)
                spent_s = time.monotonic() - begun
                if tries > 1 and spent_s + wait_s > PATIENCE_S:
                    raise StoreUnavailable(
                        f"Firestore ({self._where()}) did not {what} within {spent_s:.1f} s"
                        f" and {tries} tries: {_text(exc)}"
                    ) from exc
                time.sleep(wait_s)
            except (api.Forbidden, api.Unauthorized, api.NotFound) as exc:
                mended = _mended_by(exc, self.client.project, self.client._database)  # noqa: SLF001
                if mended is None:
                    raise
                raise NotConfigured(f"Firestore refused: {_text(exc)}; {mended}") from exc

    def _where(self) -> str:
        emulator = getattr(self.client, "_emulator_host", None)
        return f"the emulator at {emulator}" if emulator else f"project {self.client.project}"


def condition(name: str, operator: str, value: Any) -> Any:
    """Return the condition that field *name* compares so with *value*, for a query."""
    return FieldFilter(name, operator, value)


def batches(writes: Iterable[tuple[T, int]]) -> list[list[T]]:
    """Return *writes*, each with its size in bytes, in groups that a commit can hold."""
    groups: list[list[T]] = []
    group_bytes = 0
    for write, size_bytes in writes:
        full = not groups or len(groups[-1]) >= MAX_COMMIT_WRITES
        if full or group_bytes + size_bytes > MAX_COMMIT_BYTES:
            groups.append([])
            group_bytes = 0
        groups[-1].append(write)
        group_bytes += size_bytes
    return groups


def _wait_s(tries: int) -> float:
    longest_s = min(MAX_WAIT_S, MIN_WAIT_S * 2.0 ** min(tries - 1, 10))
    return longest_s * random.random()  # noqa: S311 - spreads repeats, guards nothing


def _text(exc: Exception) -> str:
    return str(getattr(exc, "message", "") or exc)[:300]


def _mended_by(exc: Any, project: str, database: str) -> str | None:
    """Return the line that mends a refusal, or None if it is about one missing document."""
    said = _text(exc)
    if isinstance(exc, api.NotFound):
        if "database" not in said or "No document" in said:
            return None
        return (
            f"create it with `gcloud firestore databases create --project={project}"
            f" --database='{database}' --location=eur3`"
        )
    if isinstance(exc, api.Unauthorized):
        return "run `gcloud auth application-default login`"
    if "has not been used" in said or "disabled" in said:
        return f"run `gcloud services enable firestore.googleapis.com --project={project}`"
    return (
        f"run `gcloud projects add-iam-policy-binding {project}"
        " --member=serviceAccount:THE_SERVICE_ACCOUNT --role=roles/datastore.user`"
    )
