"""Names and ids: what may be one, and how a run's id is made.

Run ids and collector names become Firestore ids, GCS object names, Cloud Tasks names, file names
and URL paths, so both keep to ASCII letters, digits, ``_`` and ``-`` (Cloud Tasks' own alphabet,
the narrowest of them) and start with a letter or digit (Firestore reserves ``__x__``).
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime

#: What a collector may be called. 63 characters keep ``{run_id}/{collector}`` below every limit.
COLLECTOR_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)

#: What a run id looks like. ``latest`` is taken: the command uses it to name the newest run.
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)

#: Names that mean something else where a collector's or run's name may stand.
RESERVED = frozenset({"latest"})

COLLECTOR_NAME_RULE = (
    "1 to 63 ASCII letters, digits, '_' or '-', the first a letter or digit, and not 'latest'"
)
RUN_ID_RULE = (
    "1 to 100 ASCII letters, digits, '_' or '-', the first a letter or digit, and not 'latest'"
)


def is_collector_name(text: str) -> bool:
    """Return whether *text* may name a collector (see :data:`COLLECTOR_NAME_RULE`)."""
    return COLLECTOR_NAME.fullmatch(text) is not None and text not in RESERVED


def is_run_id(text: str) -> bool:
    """Return whether *text* may be a run id (see :data:`RUN_ID_RULE`)."""
    return RUN_ID.fullmatch(text) is not None and text not in RESERVED


def scheduled_run_id(slot: datetime, schedule: str) -> str:
    """Return the id of the run that *schedule* starts at *slot*, in UTC.

    UTC, because local time repeats an hour every autumn: ``2026-11-23T0215Z-nightly``.
    """
    return f"{slot.astimezone(UTC):%Y-%m-%dT%H%MZ}-{schedule}"


def ad_hoc_run_id(published_at: datetime, message_id: str) -> str:
    """Return the id of a run that somebody asked for by hand: publish minute and short hash.

    A redelivery carries the same publish time and message id, so it is the same run.
    """
    digest = hashlib.sha256(message_id.encode()).hexdigest()[:6]
    return f"{published_at.astimezone(UTC):%Y-%m-%dT%H%MZ}-{digest}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``": did you mean 'x'?"`` for the nearest of *known*, or an empty string."""
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f": did you mean {near[0]!r}?" if near else ""
