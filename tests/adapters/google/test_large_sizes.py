"""Ten thousand collectors in one run: each document and each commit is within its limit.

No emulator is asked: sizes are those of the messages that Firestore would be sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from google.cloud.firestore_v1 import _helpers
from tests.adapters.google.conftest import client_at
from tests.support import START, a_job, a_run, entry

from fanfold.adapters.google.bus.message_limits import MAX_REQUEST_MESSAGES
from fanfold.adapters.google.ledger import FirestoreLedger, documents, history, jobs
from fanfold.adapters.google.ledger.console_lines import fitting
from fanfold.adapters.google.ledger.history import MAX_PART
from fanfold.adapters.google.ledger.manifests import Chunk, chunks_of
from fanfold.adapters.google.ledger.store import MAX_COMMIT_BYTES, MAX_COMMIT_WRITES, batches
from fanfold.app import dispatch
from fanfold.domain.model.run import Entry, RunFigures
from fanfold.domain.rules.history import KEPT_RUNS

#: Firestore's own limits, in bytes: a document, a request. The emulator takes less in a request.
DOCUMENT_BYTES, REQUEST_BYTES, EMULATOR_REQUEST_BYTES = 2**20, 10 * 2**20, 4 * 2**20

COUNT = 10_000


def _manifest(params_bytes: int) -> list[Entry]:
    entries = []
    for number in range(COUNT):
        each = entry(f"collector-of-a-long-name-{number:05}")
        params = {"where": "é" * (params_bytes // 6)}  # as JSON, é is six bytes
        entries.append(replace(each, spec=replace(each.spec, params=params)))
    return entries


def _bytes_of(fields: Mapping[str, Any]) -> int:
    encoded = _helpers.encode_dict(fields)
    return sum(len(name) + value._pb.ByteSize() for name, value in encoded.items())


@pytest.mark.parametrize("params_bytes", [0, 3_000])
def test_the_documents_of_a_large_run_are_within_their_limits(params_bytes: int) -> None:
    manifest = _manifest(params_bytes)
    run = a_run(manifest=manifest)
    chunks = chunks_of(manifest)
    lines = fitting({each.name: documents.entry_line(each, run) for each in manifest})

    # Params of the largest size put each collector into a chunk of its own.
    ids = [chunks[0].chunk_id] * max(len(chunks), COUNT)
    assert _bytes_of(documents.run_document(run, lines, ids)) < DOCUMENT_BYTES
    assert max(len(each.text) for each in chunks) < DOCUMENT_BYTES * 0.95
    groups = batches((each, len(each.text)) for each in chunks)
    assert max(_text_bytes(group) for group in groups) < EMULATOR_REQUEST_BYTES < REQUEST_BYTES


def test_a_batch_of_jobs_is_one_commit_and_one_publish() -> None:
    document = documents.job_document(a_job("a" * 60), entry("a" * 60), a_run())

    assert dispatch.BATCH == MAX_COMMIT_WRITES <= MAX_REQUEST_MESSAGES
    assert _bytes_of(document) < jobs._JOB_BYTES
    assert len(batches((number, jobs._JOB_BYTES) for number in range(dispatch.BATCH))) == 1


def test_the_memory_of_many_collectors_is_stored_part_by_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = FirestoreLedger(client_at("127.0.0.1:9", "demo"))
    commits: list[Any] = []
    monkeypatch.setattr(ledger.store, "commit", commits.append)
    parts = [history._Part(ledger._part(number)) for number in range(3)]
    for number, part in enumerate(parts):
        names = [f"c{number}-{each:03}-of-the-longest-name-there-is" for each in range(MAX_PART)]
        part.collectors = {name: _memory(name) for name in names}
        part.changed = number != 1

    ledger._store_parts(parts, {name for part in parts for name in part.collectors})

    writes = [commit._write_pbs for commit in commits]
    assert [len(each) for each in writes] == [MAX_PART + 1, MAX_PART + 1]
    assert MAX_PART + 1 <= MAX_COMMIT_WRITES
    for of_one in writes:
        sizes = [each._pb.ByteSize() for each in of_one]
        assert max(sizes) < DOCUMENT_BYTES
        assert sum(sizes) < MAX_COMMIT_BYTES
    ledger.close()


def _memory(name: str) -> list[tuple[str, RunFigures]]:
    """Return a month of one collector, with figures that no two runs have in common."""
    chance = Random(name)
    return [
        (
            f"{START + timedelta(days=night):%Y-%m-%dT%H%MZ}-nightly",
            RunFigures(
                name,
                "succeeded",
                START + timedelta(days=night, seconds=chance.random()),
                chance.randrange(10**9),
                chance.random(),
                f"{chance.getrandbits(7_960):x}" if night == KEPT_RUNS - 1 else None,
            ),
        )
        for night in range(KEPT_RUNS)
    ]


def _text_bytes(chunks: Sequence[Chunk]) -> int:
    return sum(len(each.text) for each in chunks)
