"""The Firestore ledger's dead letters: see :class:`fanfold.ports.ledger.DeadLetters`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from google.api_core import exceptions as api

from fanfold.adapters.damage import of_letter
from fanfold.adapters.google.ledger import documents, size_limits
from fanfold.adapters.google.ledger.store import Store
from fanfold.domain.protocol.shown_message import shown_text
from fanfold.ports.ledger import DeadLetter

#: How long a letter is kept, in days: time enough for a person to come back from holidays.
KEPT_DAYS = 90

#: Most bytes of a letter's message, of its reason and of all its attributes that are kept.
MAX_DATA_BYTES, MAX_REASON_BYTES, MAX_ATTRIBUTES_BYTES = 600_000, 10_000, 150_000

#: How much of a message's text a person is shown, in characters.
SHOWN_CHARACTERS = 1000

_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}", re.ASCII)


class FirestoreDeadLetters:
    """See :class:`fanfold.ports.ledger.DeadLetters`.

    A message over 600 000 bytes is cut, and says so.
    """

    store: Store

    def park(self, letter: DeadLetter) -> None:
        """See :meth:`fanfold.ports.ledger.DeadLetters.park`."""
        batch = self.store.batch()
        batch.create(self._letter(letter.letter_id), _document(letter))
        try:
            self.store.commit(batch)
        except api.AlreadyExists:
            return

    def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        """See :meth:`fanfold.ports.ledger.DeadLetters.dead_letters`."""
        newest = self._letters().order_by("received_at", direction="DESCENDING")
        letters = [self._read(each) for each in self.store.select(newest, limit=limit)]
        letters.sort(key=lambda letter: letter.letter_id)
        letters.sort(key=lambda letter: letter.received_at, reverse=True)
        return letters

    def _read(self, snapshot: Any) -> DeadLetter:
        document = snapshot.to_dict()
        return self.store.damage.read(
            of_letter(snapshot.id),
            lambda: _letter(document),
            lambda why: DeadLetter(
                snapshot.id, "", f"cannot be read: {why}", b"", {}, snapshot.create_time
            ),
        )

    def mark_replayed(self, letter_id: str, at: datetime) -> None:
        """See :meth:`fanfold.ports.ledger.DeadLetters.mark_replayed`."""
        batch = self.store.batch()
        batch.update(self._letter(letter_id), {"replayed_at": at})
        try:
            self.store.commit(batch)
        except api.NotFound:
            return

    def _letters(self) -> Any:
        return self.store.collection("fanfold_dead_letters")

    def _letter(self, letter_id: str) -> Any:
        if _PLAIN_ID.fullmatch(letter_id):
            return self._letters().document(letter_id)
        return self._letters().document(
            hashlib.sha256(letter_id.encode("utf-8", "backslashreplace")).hexdigest()
        )


def _document(letter: DeadLetter) -> dict[str, Any]:
    data = letter.data[:MAX_DATA_BYTES]
    reason = size_limits.cut(letter.reason, MAX_REASON_BYTES)
    if len(data) < len(letter.data):
        reason += f" (message cut: {len(data)} of {len(letter.data)} bytes kept)"
    attributes = documents.native(letter.attributes)
    size_bytes = len(json.dumps(attributes))
    if size_bytes > MAX_ATTRIBUTES_BYTES:
        attributes = {}
        reason += f" (attributes of {size_bytes} bytes left out)"
    return {
        "about": f"{size_limits.cut(letter.subscription, 300)}: {size_limits.cut(reason, 300)}",
        "attributes": size_limits.storable(attributes),
        "data": data,
        "data_bytes": len(letter.data),
        "data_text": shown_text(data)[:SHOWN_CHARACTERS],
        "expires_at": letter.received_at + timedelta(days=KEPT_DAYS),
        "letter_id": size_limits.cut(letter.letter_id, 1000),
        "reason": reason,
        "received_at": letter.received_at,
        "replayed_at": letter.replayed_at,
        "subscription": size_limits.cut(letter.subscription, 1000),
    }


def _letter(document: dict[str, Any]) -> DeadLetter:
    attributes = document["attributes"]
    if isinstance(attributes, str):
        document = {**document, "attributes": json.loads(attributes)}
    return documents.value_of(DeadLetter, document)
