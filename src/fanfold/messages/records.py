"""Values to JSON documents and back, for whatever stores or carries them.

Each dataclass of the domain becomes an object with its field names; instants become RFC 3339 text
in UTC, enumerations their values, tuples lists. A document written by an older version lacks newer
fields: they take the field's default. Unknown keys, of a newer version, are left out.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from fanfold.domain.model.errors import BadMessage

T = TypeVar("T")
_Convert = Callable[[Any], Any]


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
    kind: Any = type(value)
    return _dumper(kind)(value)


def load(cls: type[T], document: Any) -> T:
    """Return the *cls* that *document* describes.

    Raises:
        BadMessage: It describes none.
    """
    kind: Any = cls
    try:
        loaded: T = _loader(kind)(document)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise BadMessage(f"not a {cls.__name__}: {exc!r}") from exc
    return loaded


#: What is the same as a value and in JSON. Most fields are: they are told from the others by type
#: alone, without a call for each, for every message and record passes here.
_PLAIN = frozenset({str, int, float, bool, type(None)})


@cache
def _dumper(cls: Any) -> _Convert:
    if dataclasses.is_dataclass(cls):
        names = tuple(field.name for field in dataclasses.fields(cls))

        def dump_fields(value: Any) -> dict[str, Any]:
            document = {}
            for name in names:
                item = getattr(value, name)
                document[name] = item if type(item) in _PLAIN else _dump_any(item)
            return document

        return dump_fields
    if issubclass(cls, Enum):
        return lambda value: value.value
    if issubclass(cls, datetime):
        return instant_text
    if issubclass(cls, tuple | list):
        return lambda value: [_dump_any(item) for item in value]
    if issubclass(cls, Mapping):
        return lambda value: {str(key): _dump_any(item) for key, item in value.items()}
    return lambda value: value


def _dump_any(value: Any) -> Any:
    kind: Any = type(value)
    return value if kind in _PLAIN else _dumper(kind)(value)


@cache
def _loader(kind: Any) -> _Convert:
    """Return the function that turns a JSON value into *kind*, a type as annotated."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _load_union(get_args(kind))
    if origin is tuple:
        item = _loader(get_args(kind)[0])
        return lambda value: tuple(item(each) for each in _a(list, value))
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _load_fields(kind)
    if kind is datetime:
        return lambda value: instant(_a(str, value))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return lambda value: _a(dict, value)
    if kind is float:
        return lambda value: _a(float, value)
    if kind in (str, int, bool):
        return lambda value: _a(kind, value)
    return lambda value: value


def _load_union(options: tuple[Any, ...]) -> _Convert:
    nullable = type(None) in options
    loaders = [_loader(option) for option in options if option is not type(None)]

    def load_first(value: Any) -> Any:
        if value is None and nullable:
            return None
        for loader in loaders[:-1]:
            try:
                return loader(value)
            except TypeError:
                continue
        return loaders[-1](value)

    return load_first


def _load_fields(cls: type) -> _Convert:
    hints = get_type_hints(cls)
    fields = [
        (
            field.name,
            _plain_types(hints[field.name]),
            _loader(hints[field.name]),
            _has_default(field),
        )
        for field in dataclasses.fields(cls)
    ]

    def load_fields(document: Any) -> Any:
        _a(dict, document)
        arguments = {}
        for name, plain, loader, optional in fields:
            if name in document:
                value = document[name]
                arguments[name] = value if type(value) in plain else loader(value)
            elif not optional:
                raise KeyError(name)
        return cls(**arguments)

    return load_fields


def _plain_types(kind: Any) -> frozenset[Any]:
    """Return the JSON types that a field annotated as *kind* takes over as they are."""
    options = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    return frozenset(option for option in options if option in _PLAIN)


def _has_default(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _a(kind: type, value: Any) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value
