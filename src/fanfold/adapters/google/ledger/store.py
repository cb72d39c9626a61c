"""The way to Firestore: every call has a timeout, and is repeated for a few seconds.

The client's own retries are switched off: they take 60 to 600 s to say that nobody answers. A call
that fails in passing is repeated by :mod:`fanfold.adapters.google.errors`. A repeat is safe for
every call of this package: reads, creations, and writes that are conditional or say the same twice.
Whoever makes a creation or a conditional write reads back when it fails, because its first try may
have been stored and only the reply lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any, TypeVar

import grpc
from google.api_core import exceptions as api
from google.api_core.retry import Retry
from google.auth import exceptions as auth
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

from fanfold.adapters.damage import Damage
from fanfold.adapters.google import errors
from fanfold.adapters.google.reconnecting import CHANNEL_OPTIONS
from fanfold.domain.model.errors import NotConfigured, StoreUnavailable

T = TypeVar("T")

#: How long one call may take, in seconds.
CALL_TIMEOUT_S = 10.0

#: How often an idle connection is checked, in milliseconds; as Firestore's own client does.
KEEPALIVE_MS = 30_000

#: How long writers that meet on one document try again, in seconds.
CONTENTION_PATIENCE_S = 10.0

#: Threads that write the same document queue on one of this many locks.
TURNS = 64

#: How long a thread waits for its lock, in seconds. Then it tries without.
TURN_WAIT_S = 1.0

#: Documents read in one page of a long list: few enough that a busy machine has read them in
#: :data:`CALL_TIMEOUT_S`, for what is not read by then is asked for again from its beginning.
PAGE = 250

#: One try. A query wants it as an object: where its stream breaks, the client asks this one whether
#: to go on, and would fail on None with an error that says nothing of the network.
ONE_TRY = Retry(predicate=lambda _: False)

#: What a commit may hold: well below production's 10 MiB and the emulator's 4 MiB.
MAX_COMMIT_WRITES, MAX_COMMIT_BYTES = 450, 3_000_000

#: What the texts and bytes of one document may take. Firestore's own limit is 1 MiB.
MAX_DOCUMENT_BYTES = 1_000_000

#: Several small texts are put together into one field until they take this many bytes.
MAX_FIELD_BYTES = 700_000

#: Errors of a commit that are answers: the document is not as its writer expected.
CONDITION_FAILED = (api.AlreadyExists, api.FailedPrecondition, api.NotFound)


class StaleRead(Exception):
    """The document was not as it was read: look again."""


def connect(project: str, database: str = "(default)") -> firestore.Client:
    """Return a client for *project*. It says nothing to the network before its first call.

    Raises:
        NotConfigured: There are no credentials, or no project is named.
    """
    try:
        return _Client(project=project or None, database=database)
    except (auth.GoogleAuthError, OSError) as exc:
        raise NotConfigured(
            f"no way into Firestore: {exc}; run `gcloud auth application-default login`"
            " and set GOOGLE_CLOUD_PROJECT"
        ) from exc


class _Client(firestore.Client):
    """Firestore's client on a channel that connects again within seconds."""

    @property
    def _firestore_api(self) -> Any:
        if self._firestore_api_internal is None:
            transport = FirestoreGrpcTransport
            if self._emulator_host is not None:
                channel = grpc.insecure_channel(self._emulator_host, options=CHANNEL_OPTIONS)
            else:
                channel = transport.create_channel(
                    self._target,
                    credentials=self._credentials,
                    options=[*CHANNEL_OPTIONS, ("grpc.keepalive_time_ms", KEEPALIVE_MS)],
                )
            self._transport = transport(host=self._target, channel=channel)
            self._firestore_api_internal = FirestoreClient(transport=self._transport)
        return self._firestore_api_internal


class Store:
    """Reads and writes of one database. ``prefix`` stands before every collection's name."""

    def __init__(self, client: firestore.Client, prefix: str = "") -> None:
        self.client: Any = client
        self.prefix = prefix
        #: What of the database could not be read, whichever part of the ledger met that.
        self.damage = Damage()
        self._database: str = getattr(client, "_database", "(default)")
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
            result = query.count().get(retry=ONE_TRY, timeout=CALL_TIMEOUT_S)
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
            Unacceptable: Firestore will never take one of the documents.
        """

        def commit() -> Sequence[Any]:
            results: Sequence[Any] = batch.commit(retry=None, timeout=CALL_TIMEOUT_S)
            return results

        return self._persist("commit", commit, CONDITION_FAILED)

    def contend(self, what: str, attempt: Callable[[], T]) -> T:
        """Return what *attempt* returns. Repeat it while a document has changed since it was read.

        *attempt* reads, decides, and writes on the condition that nothing changed since. It has to
        recognise its own write, because the reply to an earlier attempt may have been lost. Threads
        of this process that want the same *what* take turns.

        Raises:
            StoreUnavailable: Other writers were first for :data:`CONTENTION_PATIENCE_S` seconds.
        """
        turn = self._turns[hash(what) % TURNS]
        begun = time.monotonic()
        waits = errors.waits()
        tries = 0
        while True:
            tries += 1
            mine = turn.acquire(timeout=TURN_WAIT_S)
            try:
                return attempt()
            except (StaleRead, *CONDITION_FAILED):
                wait_s = next(waits)
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
        return self._persist(
            "query", lambda: list(page.stream(retry=ONE_TRY, timeout=CALL_TIMEOUT_S))
        )

    def _persist(
        self, what: str, call: Callable[[], T], expected: tuple[type[Exception], ...] = ()
    ) -> T:
        what = f"Firestore ({self._where()}) did not {what}"
        place = {"project": self.client.project, "database": self._database}
        try:
            return errors.call(errors.FIRESTORE, what, call, place, expected=expected)
        except api.NotFound as exc:
            # One document is missing, or the whole database. Only the text tells.
            if "database" not in exc.message or "No document" in exc.message:
                raise
            raise errors.ours(errors.FIRESTORE, what, exc, place) from exc

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
