"""What is paused, as JSON: the command and the console say it in the same shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fanfold.domain.model.pause import Pause
from fanfold.domain.syntax.text import instant


def pauses_document(pauses: Sequence[Pause]) -> Mapping[str, Any]:
    """Return the JSON of *pauses*; every key is always there, null where there is nothing."""
    return {"pauses": [_pause(each) for each in pauses]}


def _pause(pause: Pause) -> Mapping[str, Any]:
    return {
        "kind": pause.kind.value,
        "name": pause.name or None,
        "since": instant(pause.since),
        "until": instant(pause.until) if pause.until else None,
        "by": pause.by,
        "reason": pause.reason,
        "resumed_at": instant(pause.resumed_at) if pause.resumed_at else None,
        "resumed_by": pause.resumed_by,
    }
