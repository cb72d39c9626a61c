"""How a manifest is stored on Firestore: in chunk documents below its run, as JSON text.

A chunk is bounded in bytes. Its id is made of its content, so that no other writer's chunk can take
its place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fanfold.adapters.google.ledger.store import MAX_DOCUMENT_BYTES, MAX_FIELD_BYTES, Store
from fanfold.domain.model.errors import RunExpired, Unacceptable, words_of
from fanfold.domain.model.names import is_collector_name
from fanfold.domain.model.run import Entry
from fanfold.domain.model.unreadable import Unreadable
from fanfold.messages import records


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a manifest: ``text`` is a JSON list of its entries."""

    chunk_id: str
    text: str


def read_manifest(store: Store, run: Any, chunk_ids: Sequence[str]) -> dict[str, Any]:
    """Return the manifest of the run at the reference *run*, as it is stored, by collector.

    Raises:
        RunExpired: A chunk is gone.
        Unreadable: A chunk is none.
    """
    chunks = run.collection("manifest")
    raw: dict[str, Any] = {}
    try:
        for chunk_id in map(_checked_chunk_id, chunk_ids):
            snapshot = store.read(chunks.document(chunk_id))
            if not snapshot.exists:
                raise RunExpired(run.id, "a part of its manifest is gone")
            for entry in json.loads(snapshot.to_dict()["entries"]):
                raw[_checked_name(entry["spec"]["name"])] = entry
    except (KeyError, TypeError, ValueError) as exc:
        raise Unreadable(f"run {run.id}: its manifest cannot be read ({words_of(exc)})") from exc
    return raw


def _checked_chunk_id(chunk_id: Any) -> str:
    if not isinstance(chunk_id, str) or not chunk_id or "/" in chunk_id:
        raise ValueError(f"no id of a chunk: {chunk_id!r:.100}")
    return chunk_id


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not is_collector_name(name):
        raise ValueError(f"no collector name: {name!r:.100}")
    return name


def chunks_of(entries: Sequence[Entry]) -> list[Chunk]:
    """Return the chunks of a manifest, each bounded in bytes.

    Raises:
        Unacceptable: The entry of one collector is larger than a document.
    """
    texts: list[str] = []
    lines: list[str] = []
    size_bytes = 0
    for entry in entries:
        line = _line(entry)
        if lines and size_bytes + len(line) > MAX_FIELD_BYTES:
            texts.append(_chunk_text(lines))
            lines, size_bytes = [], 0
        lines.append(line)
        size_bytes += len(line) + 2
    if lines:
        texts.append(_chunk_text(lines))
    return [
        Chunk(f"{number:04}-{hashlib.sha256(text.encode()).hexdigest()[:16]}", text)
        for number, text in enumerate(texts)
    ]


def _line(entry: Entry) -> str:
    # Escaped, every character is one byte, and no text is beyond UTF-8.
    line = json.dumps(records.dump(entry), separators=(",", ":"))
    if len(line) > MAX_DOCUMENT_BYTES:
        raise Unacceptable(
            f"{entry.name}: its params and settings take {len(line):,} bytes; a Firestore "
            f"document has room for {MAX_DOCUMENT_BYTES:,}"
        )
    return line


def _chunk_text(lines: Sequence[str]) -> str:
    return "[" + ",\n".join(lines) + "]"
