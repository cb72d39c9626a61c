"""What a collector says of its work, and how it says it later, from any process."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypedDict, Unpack

from fanfold.collector.callback import Callback, deliver, tell_progress
from fanfold.collector.failures import BadAnswer, CollectorFailure, failure_of
from fanfold.collector.masking import NOTHING_SECRET, Secrets
from fanfold.collector.tail import Tail


class Figures(TypedDict, total=False):
    """What a collector may say of its work, each of it optional.

    ``records`` and ``bytes`` are whole numbers from 0. ``revision`` is of the data, such as an
    ETag. ``artifacts`` are the addresses of what was written. ``metrics`` are numbers or short
    texts by name. ``data_until`` is the date up to which the data reach. ``schema`` holds the
    columns, as a list of ``{"name", "type"}`` or a type by name, or is a hash.
    """

    records: int | None
    bytes: int | None
    revision: str | None
    artifacts: Sequence[str]
    metrics: Mapping[str, Any]
    data_until: date | str | None
    schema: Sequence[Mapping[str, Any]] | Mapping[str, str] | str | None


@dataclass(frozen=True, slots=True)
class Reported:
    """What a collector returns: an HTTP *status* with its *document*.

    *work* is what is left to do in the background once the answer is out.
    """

    status: int
    document: Mapping[str, Any]
    work: Callable[[Any], Reported] | None = field(default=None, repr=False)


def found(figures: Figures, warnings: Iterable[str], *, unchanged: bool = False) -> dict[str, Any]:
    """Return the contract's answer of *figures*.

    Raises:
        BadAnswer: A key is unknown, or a value is not what :class:`Figures` says.
    """
    if unknown := figures.keys() - Figures.__annotations__.keys():
        known = ", ".join(Figures.__annotations__)
        raise BadAnswer(f"an answer has no {min(unknown)!r}; it may have {known}")
    answer = {
        "records": _count(figures, "records"),
        "bytes": _count(figures, "bytes"),
        "artifacts": _artifacts(figures.get("artifacts") or ()),
        "revision": _revision(figures.get("revision")),
        "unchanged": unchanged,
        "warnings": [str(each) for each in warnings],
        "metrics": dict(figures.get("metrics") or {}),
    }
    if (until := figures.get("data_until")) is not None:
        answer["data_until"] = until.isoformat() if isinstance(until, date) else str(until)
    if (schema := figures.get("schema")) is not None:
        answer["schema"] = _schema(schema)
    return answer


def encoded(document: Mapping[str, Any], secrets: Secrets = NOTHING_SECRET) -> bytes:
    """Return *document* as JSON on one line, without the *secrets*.

    Raises:
        BadAnswer: It holds what JSON has no word for.
    """
    try:
        # Whole numbers of other libraries, such as numpy's, say by __index__ what they are.
        text = json.dumps(
            secrets.masked(document), ensure_ascii=False, allow_nan=False, default=operator.index
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise BadAnswer(f"the answer is no JSON: {secrets.masked(str(error))}") from None
    return text.encode("utf-8", "replace") + b"\n"


class Answer:
    """The answer that comes later, told to the callback of a call, from whichever process.

    ::

        answer = Answer.to(callback)  # a call's ``callback``, or the same from JSON
        answer.progress(0.5, "page 20 of 40")
        answer.found(records=1000)

    Each of :meth:`found`, :meth:`unchanged` and :meth:`failed` ends it. They wait, and try again
    for some minutes, until fanfold took the answer.

    Raises:
        NotDelivered: fanfold did not take it.
    """

    def __init__(self, callback: Callback) -> None:
        self._callback = callback
        self._secrets = Secrets([callback.token])
        self._warnings: list[str] = []
        self._tail = Tail()

    @classmethod
    def to(cls, callback: Mapping[str, Any]) -> Answer:
        """Return the answer to *callback*, the ``url`` and ``token`` of a call.

        Raises:
            ValueError: It has no url that begins with http:// or https://, or no token.
        """
        known = Callback(callback)
        known.check()
        return cls(known)

    def warn(self, words: str) -> None:
        """Add a warning to the answer."""
        self._warnings.append(str(words))

    def log(self, words: str) -> None:
        """Add a line to the log of which the last lines go with the answer."""
        self._tail.add(self._secrets.masked(str(words)))

    def progress(self, fraction: float | None = None, words: str = "") -> None:
        """Say how far the work is: a *fraction* from 0 to 1, and a few *words*. Never raises."""
        tell_progress(self._callback, fraction, self._secrets.masked(words))

    def found(self, **figures: Unpack[Figures]) -> None:
        """Tell what was found."""
        self._tell("succeeded", found(figures, self._warnings))

    def unchanged(self, **figures: Unpack[Figures]) -> None:
        """Tell that nothing is new: another word than 0 records."""
        self._tell("succeeded", found(figures, self._warnings, unchanged=True))

    def failed(self, error: BaseException | str) -> None:
        """Tell that the work failed, as *error* says: an exception, or the words for the report."""
        failure = CollectorFailure(error) if isinstance(error, str) else failure_of(error)
        self._tell("failed", failure.document())

    def _tell(self, status: str, document: Mapping[str, Any]) -> None:
        said = self._tail.with_answer({"status": status, **document})
        deliver(self._callback, encoded(said, self._secrets))


def _count(figures: Mapping[str, Any], key: str) -> int | None:
    value = figures.get(key)
    if value is None:
        return None
    try:
        count = operator.index(value)
    except TypeError:
        count = -1
    if count < 0 or isinstance(value, bool):
        raise BadAnswer(f"{key!r} must be a whole number from 0, not {str(value)[:40]!r}")
    return count


def _schema(value: Any) -> Any:
    """Return a schema as the contract has it; a type by name becomes a list of columns."""
    if isinstance(value, Mapping):
        return [{"name": str(name), "type": str(kind)} for name, kind in value.items()]
    return value if isinstance(value, str) else [dict(column) for column in value]


def _revision(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise BadAnswer(f"'revision' must be a text, not {str(value)[:40]!r}")
    return value


def _artifacts(value: Any) -> list[str]:
    if isinstance(value, str) or not all(isinstance(each, str) for each in value):
        raise BadAnswer("'artifacts' must be a list of texts")
    return list(value)
