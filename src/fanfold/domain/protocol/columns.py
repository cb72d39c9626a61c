"""The schema of what a collector gathered: its columns with their types, or a hash of its own.

It travels and is stored as one text, :data:`Schema`: JSON, an object of types by column, or a text
for a hash. The order of columns says nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from fanfold.domain.protocol.fields import BrokenContract, shown, token
from fanfold.domain.syntax.limits import (
    MAX_COLUMNS,
    MAX_REVISION_CHARS,
    MAX_SCHEMA_BYTES,
    MAX_WORD_CHARS,
)
from fanfold.domain.syntax.text import one_line

#: A schema as JSON: ``{"code": "text"}``, or ``"9f2c61d0"``.
Schema = str

#: Most columns that a change names of each kind.
MAX_NAMED = 10


def read_schema(document: Mapping[str, Any]) -> Schema | None:
    """Return what an answer has under ``schema``, None if it has none.

    Raises:
        BrokenContract: It is neither a text nor a list of ``{"name", "type"}``.
    """
    value = document.get("schema")
    if value is None:
        return None
    if isinstance(value, str):
        return _json(token(document, "schema", chars=MAX_REVISION_CHARS))
    if not isinstance(value, list | tuple):
        raise BrokenContract(f'"schema" is {shown(value)}, not a list of columns or a hash')
    if len(value) > MAX_COLUMNS:
        raise BrokenContract(f'"schema" has {len(value)} columns, more than {MAX_COLUMNS}')
    columns: dict[str, str] = {}
    for column in value:
        name, kind = _column(column)
        if name in columns:
            raise BrokenContract(f'"schema" names the column {shown(name)} twice')
        columns[name] = kind
    return _json(columns)


def remembered(schema: Schema | None) -> Schema | None:
    """Return *schema* as later runs compare with it: itself, or its digest where it is large."""
    if schema is None or len(schema.encode()) <= MAX_SCHEMA_BYTES:
        return schema
    return _digest(schema)


def changes_between(before: Schema, after: Schema) -> Mapping[str, Sequence[str]] | None:
    """Return what is different in *after*: columns that came, went or changed; None if nothing is.

    All of them are empty where one of the two is a hash, or a digest.
    """
    if before == after or before in {remembered(after), _digest(after)}:
        return None
    old, new = json.loads(before), json.loads(after)
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return {"came": [], "went": [], "changed": []}
    kept = [name for name in new if name in old and new[name] != old[name]]
    found = {
        "came": [_with_type(name, new[name]) for name in new if name not in old],
        "went": [_with_type(name, old[name]) for name in old if name not in new],
        "changed": [f"{name} ({old[name] or '?'} to {new[name] or '?'})" for name in kept],
    }
    return {key: _most(names) for key, names in found.items()}


def change_words(changes: Mapping[str, Sequence[str]]) -> str:
    """Return *changes* in words: ``came: a (int); went: b (text)``."""
    parts = [f"{key}: {', '.join(names)}" for key, names in changes.items() if names]
    return "; ".join(parts) or "another hash"


def _column(column: Any) -> tuple[str, str]:
    name = column.get("name") if isinstance(column, Mapping) else None
    kind = column.get("type") if isinstance(column, Mapping) else None
    if not isinstance(name, str) or not name or not isinstance(kind, str | None):
        what = f'"schema" holds {shown(column)}, which is no {{"name": "a", "type": "int"}}'
        raise BrokenContract(what)
    return one_line(name, MAX_WORD_CHARS), one_line(kind or "", MAX_WORD_CHARS)


def _json(value: Any) -> Schema:
    """Return *value* as one text, the columns sorted, so that their order says nothing."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _digest(schema: Schema) -> Schema:
    digest = hashlib.sha256(schema.encode("utf-8", "backslashreplace")).hexdigest()
    return _json(f"sha256:{digest}")


def _with_type(name: str, kind: str) -> str:
    return f"{name} ({kind})" if kind else name


def _most(names: Sequence[str]) -> list[str]:
    more = len(names) - MAX_NAMED
    return [*names[:MAX_NAMED], *([f"{more} more"] if more > 0 else [])]
