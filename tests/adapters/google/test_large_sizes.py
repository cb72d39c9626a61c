"""Ten thousand collectors in one run: each document and each commit is within its limit.

No emulator is asked: sizes are those of the messages that Firestore would be sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from google.cloud.firestore_v1 import _helpers
from tests.support import a_job, a_run, entry

from fanfold.adapters.google.bus.message_limits import MAX_REQUEST_MESSAGES
from fanfold.adapters.google.ledger import documents, jobs
from fanfold.adapters.google.ledger.console_lines import fitting
from fanfold.adapters.google.ledger.manifests import Chunk, chunks_of
from fanfold.adapters.google.ledger.store import MAX_COMMIT_WRITES, batches
from fanfold.app import dispatch
from fanfold.domain.model.run import Entry

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


def _text_bytes(chunks: Sequence[Chunk]) -> int:
    return sum(len(each.text) for each in chunks)
