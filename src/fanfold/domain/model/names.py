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

#: Most characters of a run id.
MAX_RUN_ID = 100

#: What a run id looks like. ``latest`` is taken: the command uses it to name the newest run.
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)

#: Names that mean something else where a collector's or run's name may stand.
RESERVED = frozenset({"latest"})

#: How the ids of records that never ran end (see :mod:`fanfold.app.notices`).
MISSED, PLANNED, REJECTED = "-missed", "-planned", "-rejected"

#: How the id of a retry ends: ``-try2`` is the second try of a run.
_RETRY = re.compile(r"(.+)-try([1-9]\d{0,3})", re.ASCII | re.IGNORECASE)

#: Most characters of a run id to which the end of a retry's id can be added.
_MAX_FIRST_ID = MAX_RUN_ID - len("-try9999")

#: What the id of a slot's run looks like, and its last part where nobody's schedule made it.
_OF_SLOT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{4}Z-(.*)", re.ASCII | re.IGNORECASE)
_OF_AD_HOC = re.compile(r"[0-9a-f]{6}", re.ASCII)

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


def why_not_chosen(text: str, schedule: str) -> str | None:
    """Return why nobody may choose *text* as the id of a run, or None if they may.

    An id that looks like a slot's would stand in the place of the scheduled run, and one that
    looks like a record of ours (missed, planned, rejected) or like a retry's in the place of that.
    The ids that :func:`ad_hoc_run_id` makes may be named, to go on with their run.

    Args:
        text: The id.
        schedule: What the configuration's schedule is called.
    """
    if not is_run_id(text):
        return RUN_ID_RULE
    for ending in (MISSED, PLANNED, REJECTED):
        if text.lower().endswith(ending):
            return f"ids that end in {ending} are given by fanfold alone"
    if _RETRY.fullmatch(text):
        return "ids that end in -try and a number are those of retries"
    match = _OF_SLOT.fullmatch(text)
    if match and (match[1] == schedule or not _OF_AD_HOC.fullmatch(match[1])):
        return "it looks like the id of a scheduled run; a name of your own begins otherwise"
    return None


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


def retry_run_id(run_id: str) -> str:
    """Return the id of the run that retries *run_id*: there is one, whoever asks for it.

    The second try of ``2026-11-23T0215Z-nightly`` is ``2026-11-23T0215Z-nightly-try2``, and a retry
    of that is ``2026-11-23T0215Z-nightly-try3``. An id that leaves no room for the end is cut, with
    a short hash of the whole.
    """
    match = _RETRY.fullmatch(run_id)
    if match is not None and int(match[2]) < 9999:
        return f"{match[1]}-try{int(match[2]) + 1}"
    if len(run_id) > _MAX_FIRST_ID:
        digest = hashlib.sha256(run_id.encode()).hexdigest()[:6]
        run_id = f"{run_id[: _MAX_FIRST_ID - 7]}-{digest}"
    return f"{run_id}-try2"


def first_run_id(run_id: str) -> str:
    """Return what the ids of a run and of all its retries have in common, as a rule the first's."""
    match = _RETRY.fullmatch(run_id)
    return match[1] if match is not None else run_id


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``": did you mean 'x'?"`` for the nearest of *known*, or an empty string.

    The same word in other letters goes first, then the longest that *word* begins with: ``Async``
    and ``asynchronous`` are ``async``, and not ``sync``, of which they have more.
    """
    # The repr of an enum's member is not its word.
    words, asked = sorted(map(str, known)), word.casefold()
    begun = [each for each in words if len(each) > 2 and asked.startswith(each.casefold())]
    near = (
        [each for each in words if each.casefold() == asked]
        or sorted(begun, key=len)[-1:]
        or difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    )
    return f": did you mean {near[0]!r}?" if near else ""


def refused_id(run_id: str) -> str:
    """Return the id of the record that says that a request for *run_id* was refused."""
    return run_id[: MAX_RUN_ID - len(REJECTED)] + REJECTED
