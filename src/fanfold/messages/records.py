"""Values to JSON documents and back, for whatever stores or carries them.

Each dataclass of the domain becomes an object with its field names; instants become RFC 3339 text
in UTC, enumerations their values, tuples lists. A document written by an older version lacks newer
fields: they take the field's default. Unknown keys, of a newer version, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from threading import RLock
from typing import Any, TypeVar, get_type_hints

import msgspec
import msgspec.inspect

from fanfold.domain.model.errors import BadMessage

T = TypeVar("T")

_ENCODER = msgspec.json.Encoder()

#: Held while msgspec learns a class. It keeps what it knows of one on the class before that is
#: whole: another thread that meets the class meanwhile crashes the process.
_LEARNING = RLock()


def instant_text(at: datetime) -> str:
    """Return *at* as RFC 3339 in UTC, to the microsecond: ``2026-11-23T02:15:00.112000Z``."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def instant(text: str) -> datetime:
    """Return the instant that RFC 3339 *text* names, in UTC.

    Raises:
        ValueError: It is not an instant, or has no offset.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no UTC offset")
    try:
        return at.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError(f"{text!r} lies outside the calendar") from exc


def dump(value: Any) -> Any:
    """Return the JSON document of *value*, a dataclass of the domain."""
    return _with_lists(_document(value))


def load(cls: type[T], document: Any) -> T:
    """Return the *cls* that *document*, read from JSON, describes.

    Raises:
        BadMessage: It describes none.
    """
    kind: Any = cls
    _decoder(kind)  # msgspec knows the class from here on
    try:
        loaded = msgspec.convert(document, cls)
        _document(loaded)  # 0001-01-01T00:00:00+14:00 is an instant that UTC has no text for
    except (msgspec.ValidationError, ValueError) as exc:
        raise BadMessage(f"not {_a(cls)}: {exc}") from exc
    return loaded


def load_fields(cls: type, document: Any) -> dict[str, Any]:
    """Return the fields of *cls* that *document* describes, without those that cannot be read."""
    found: dict[str, Any] = {}
    if not isinstance(document, Mapping):
        return found
    for name, kind in _hints(cls).items():
        with suppress(msgspec.ValidationError, ValueError, KeyError, OverflowError):
            found[name] = msgspec.convert(document[name], kind)
            if isinstance(found[name], datetime):
                instant_text(found[name])
    return found


def encode(value: Any) -> str:
    """Return the JSON text of *value*, a dataclass of the domain: its document, compact."""
    text = _WHOLE_ENCODER.encode(value)
    if _OTHER_TIME.search(text):
        text = json_bytes(_document(value))
    return text.decode()


def decode(cls: type[T], text: str) -> T:
    """Return the *cls* that was stored as *text*.

    Raises:
        BadMessage: The text describes none.
    """
    kind: Any = cls
    try:
        stored: T = _decoder(kind).decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as exc:
        raise BadMessage(f"not {_a(cls)}: {exc}") from exc
    return stored


def json_bytes(document: Any) -> bytes:
    """Return a JSON *document* as compact UTF-8. NaN and infinities, which JSON lacks, are null."""
    return _ENCODER.encode(document)


@cache
def _hints(cls: Any) -> Mapping[str, Any]:
    _decoder(cls)  # msgspec knows the class and those of its fields from here on
    return get_type_hints(cls, include_extras=True)


@cache
def _decoder(cls: Any) -> msgspec.json.Decoder[Any]:
    with _LEARNING:
        return msgspec.json.Decoder(cls)


def _document(value: Any) -> Any:
    """Return the document of *value*, with tuples where a reader of its text finds lists."""
    document = msgspec.to_builtins(value, str_keys=True, enc_hook=_subclass_text)
    kind: Any = type(value)
    _complete(document, _places(kind))
    return document


def _with_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_lists(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_with_lists(item) for item in value]
    return value


#: Where the instants of a dataclass stand in its document: a field's name, and None for an instant
#: or the places inside for a dataclass or a list of them.
_Places = tuple[tuple[str, Any], ...]


@cache
def _places(cls: Any) -> _Places:
    return _places_in(msgspec.inspect.type_info(cls)) or ()


def _places_in(kind: msgspec.inspect.Type) -> _Places | None:
    """Return the places inside *kind*; None if it is an instant itself."""
    match kind:
        case msgspec.inspect.DateTimeType():
            return None
        case msgspec.inspect.DataclassType():
            inside = [(each.name, _places_in(each.type)) for each in kind.fields]
            return tuple(place for place in inside if place[1] != ())
        case msgspec.inspect.VarTupleType():
            return _places_in(kind.item_type)
        case msgspec.inspect.UnionType():
            found = (_places_in(each) for each in kind.types)
            return next((each for each in found if each != ()), ())
    return ()


def _complete(document: Any, places: _Places) -> None:
    """Give each instant of *document* the text of :func:`instant_text`.

    msgspec writes no microseconds where there are none: with them all texts sort by time.
    """
    for name, inside in places:
        item = document[name]
        if item is None:
            continue
        if inside is None:
            document[name] = _whole_text(item)
        else:
            for each in item if isinstance(item, tuple | list) else (item,):
                _complete(each, inside)


def _whole_text(text: str) -> str:
    match len(text):
        case 27:  # 2026-11-23T02:15:00.112000Z
            return text
        case 20:  # 2026-11-23T02:15:00Z
            return f"{text[:-1]}.000000Z"
    return instant_text(instant(text))


def _subclass_text(value: Any) -> str:
    """Return the text of an instant that is a subclass of datetime, as Firestore's client makes."""
    if isinstance(value, datetime):
        return instant_text(value)
    raise TypeError(f"no JSON for a {type(value).__name__}")


#: Writes a value as it is: its instants without their microseconds where they have none.
_WHOLE_ENCODER = msgspec.json.Encoder(enc_hook=_subclass_text)

#: A time that is not written as :func:`instant_text` writes it, whether an instant or in a text.
_OTHER_TIME = re.compile(rb"T[0-9]{2}:[0-9]{2}:[0-9]{2}(?!\.[0-9]{6}Z)")


def _a(cls: type) -> str:
    return f"{'an' if cls.__name__[0] in 'AEIO' else 'a'} {cls.__name__}"
