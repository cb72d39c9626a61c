"""Values become Firestore documents and come back, without a store."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from subprocess import run as run_process
from typing import Any

import pytest
from tests.support import a_job, a_run, after, an_answer, an_attempt, entry

from fanfold.adapters.google.ledger import documents, size_limits, store
from fanfold.adapters.google.ledger.console_lines import fitting
from fanfold.adapters.google.ledger.manifests import chunks_of
from fanfold.adapters.google.ledger.store import batches
from fanfold.domain.model.run import Answer, Failure, Lease, Run


def test_a_run_and_its_document_say_the_same() -> None:
    run = a_run(manifest=[entry("dvf")], retry_of="r0")

    document = documents.run_document(run, {"dvf": "· pending"}, ["0000-ab"])
    assert documents.run_of(document) == run
    assert document["about"] == "0 of 1 done"


def test_an_older_documents_missing_fields_take_their_defaults() -> None:
    document = documents.native(an_answer("dvf"))
    for newer in ("unchanged", "expectations", "queued_seconds"):
        del document[newer]
    document["of_a_newer_version"] = 1

    assert documents.answer_of(document) == an_answer("dvf")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "· pending"),
        (
            {"lease": Lease("r", "dvf", 2, "h", 2, after(5), after(99))},
            "… attempt 2 since 02:15:05 UTC",
        ),
        ({"accepted_until": after(60)}, "… accepted; answers by itself until 02:16:00 UTC"),
        (
            {
                "started": 1,
                "attempts": (an_attempt(error=Failure("http", "HTTP\n503")),),
                "not_before": after(60),
            },
            "· attempt 1 failed (HTTP 503); the next from 02:16:00 UTC",
        ),
    ],
)
def test_the_line_of_a_job_is_one_sentence(changes: dict[str, Any], line: str) -> None:
    assert documents.job_line(entry("dvf"), a_job("dvf", **changes)) == line


def test_an_ordinary_answer_is_kept_as_it_is() -> None:
    answer = an_answer("dvf", metrics={"pages": 3}, warnings=("w",), attempts=(an_attempt(),))

    assert size_limits.fit(answer) is answer


def test_whatever_is_said_fits_into_a_document() -> None:
    loud = Failure("k" * 9_000, "é" * 50_000)
    answer = an_answer(
        "dvf",
        error=loud,
        revision="r" * 2_000_000,
        warnings=tuple("w" * 30_000 for _ in range(100)),
        artifacts=tuple("a" * 30_000 for _ in range(100)),
        metrics={"m": "m" * 2_000_000},
        attempts=tuple(an_attempt(number, error=loud) for number in range(1, 300)),
    )

    document = documents.answer_document(size_limits.fit(answer), entry("dvf"), a_run())
    assert len(json.dumps(document, default=str, ensure_ascii=False).encode()) < 900_000
    assert size_limits.fit(size_limits.fit(answer)) == size_limits.fit(answer)


def test_a_text_is_cut_between_characters_and_says_how_long_it_was() -> None:
    assert size_limits.cut("éé", 4) == "éé"
    assert size_limits.cut("é" * 100, 5) == "éé… (cut: 5 of 200 bytes)"
    assert size_limits.cut(size_limits.cut("é" * 100, 5), 5) == "éé… (cut: 5 of 200 bytes)"
    assert size_limits.text("a\ud800b") == "a\\ud800b"


def test_chunks_are_bounded_and_named_by_their_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fanfold.adapters.google.ledger.manifests.MAX_FIELD_BYTES", 3_000)
    manifest = [entry(f"c{number}") for number in range(40)]

    chunks = chunks_of(manifest)
    assert max(len(chunk.text) for chunk in chunks) < 3_200
    assert sum(len(json.loads(chunk.text)) for chunk in chunks) == 40
    assert [chunk.chunk_id for chunk in chunks_of(manifest)] == [c.chunk_id for c in chunks]
    changed = chunks_of([replace(manifest[0], queue_behind="r0"), *manifest[1:]])
    assert changed[0].chunk_id != chunks[0].chunk_id
    assert chunks_of([]) == []


def test_commits_are_bounded_in_writes_and_bytes() -> None:
    assert [len(group) for group in batches((n, 1) for n in range(1_000))] == [450, 450, 100]
    assert batches([("a", 2_000_000), ("b", 2_000_000), ("c", 1)]) == [["a"], ["b", "c"]]
    assert batches([]) == []


def test_lines_that_do_not_fit_are_said_to_be_left_out() -> None:
    lines = {f"c{number:05}": "·" * 100 for number in range(5_000)}

    shown = fitting(lines)
    assert 1_400 < len(shown) < 1_500
    assert shown["~"] == f"and {5_001 - len(shown)} more: see the subcollection collectors"


def test_importing_the_ledger_reaches_for_nothing() -> None:
    code = (
        "import socket; socket.socket.connect = None; socket.getaddrinfo = None;"
        "import fanfold.adapters.google.ledger"
    )
    run_process([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


def test_no_kind_of_answer_is_forgotten() -> None:
    """A new field of the domain has to find its place here."""
    fields = set(documents.native(an_answer("dvf")))
    stored = {"queued_s": "queued_seconds", "waited_s": "waited_seconds"}
    assert fields == {stored.get(name, name) for name in _names(Answer)}
    assert set(documents.native(a_run())) == set(_names(Run))
    assert store.MAX_COMMIT_BYTES < 4 * 1024 * 1024


def _names(cls: type) -> list[str]:
    return list(cls.__dataclass_fields__)  # type: ignore[attr-defined]


def test_metrics_of_every_plain_kind_are_stored_as_they_are() -> None:
    metrics = {"none": None, "yes": True, "no": False, "half": 0.5, "some": 7, "word": "x"}
    answer = an_answer("dvf", metrics=metrics)
    assert size_limits.fit(answer) is answer
