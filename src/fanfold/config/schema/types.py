"""The forms that values take in the file, each with its JSON Schema and its name for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
)

from fanfold.config.schema import addresses, values
from fanfold.config.schema.slowness import slow_after
from fanfold.domain.model.collector import Mode, Overlap, Severity, Transport
from fanfold.domain.syntax import durations


class Section(BaseModel):
    """A map of the file: no key that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _schema(form: str, **schema: Any) -> WithJsonSchema:
    """Return the JSON Schema of a scalar: *schema*, or text with a reference in it."""
    reference = {"type": "string", "pattern": r"\$\{"}
    return WithJsonSchema({"anyOf": [schema, reference], "x-form": form})


def _read(read: Callable[..., Any], form: str, **schema: Any) -> tuple[Any, Any]:
    """Return what makes a type of *read*, which returns a value or raises Wrong."""
    return PlainValidator(read), _schema(form, **schema)


def setting(default: Any, description: str) -> Any:
    """Return a field whose default is written, and read, as in the file."""
    return Field(default=default, validate_default=True, description=description)


def _word(known: Iterable[str]) -> tuple[Any, Any]:
    words = tuple(map(str, known))
    form = " | ".join(words)
    return _read(lambda value: values.one_of(value, words), form, enum=[*words])


def _duration(value: Any, info: ValidationInfo) -> float:
    version = (info.context or {}).get("version", 2)
    return values.duration(value, bare_is_seconds=version == 1)


def _slow_after(value: Any, info: ValidationInfo) -> tuple[float | None, float | None]:
    return slow_after(value, lambda each: _duration(each, info))


#: JSON Schemas of what an expectation may be held against.
NUMBER: dict[str, Any] = {"type": "integer", "minimum": 0}
NUMBERS = {"type": "array", "items": NUMBER}
SHARE = {"type": "string", "pattern": r"^[0-9.]+ ?%$"}
SCHEMA: dict[str, Any] = {"enum": ["unchanged", *Severity]}
LENGTH = {"type": ["string", "integer"], "pattern": durations.PATTERN}

Flag = Annotated[bool, *_read(values.flag, "true | false", type="boolean")]
Text = Annotated[str, *_read(values.text, "text", type="string")]
Count = Annotated[int, *_read(values.count, "number", **NUMBER)]
AtLeastOne = Annotated[int, *_read(values.at_least_one, "number", type="integer", minimum=1)]
Failures = Annotated[int, *_read(values.failures, "number", type="integer", minimum=1, maximum=100)]
Slots = Annotated[int, *_read(values.slots, "number", type="integer", minimum=1, maximum=14)]
Counts = Annotated[tuple[int, ...], *_read(values.counts, "list of numbers", **NUMBERS)]
Duration = Annotated[float, *_read(_duration, "duration", **LENGTH)]
Share = Annotated[float, *_read(values.share, "percentage", **SHARE)]
Cron = Annotated[str | None, *_read(values.cron, "cron, 5 fields", type="string")]
Zone = Annotated[str, *_read(values.zone, "time zone", type="string")]
Url = Annotated[str, *_read(addresses.url, "URL", type="string")]
ScheduleName = Annotated[str, *_read(values.schedule_name, "name", type="string")]
Queue = Annotated[str, *_read(values.queue, "name", type="string")]
Email = Annotated[str, *_read(values.email, "e-mail address", type="string")]
Folder = Annotated[str, *_read(values.folder, "path", type="string")]
Bucket = Annotated[str | None, *_read(addresses.bucket, "gs://name", type="string")]

# In the JSON Schema of these types no reference stands for the value.
Tolerance = Annotated[
    tuple[float, bool],
    PlainValidator(values.tolerance),
    WithJsonSchema({"type": ["integer", "string"], "x-form": "number or percentage"}),
]
SlowAfter = Annotated[
    tuple[float | None, float | None],
    PlainValidator(_slow_after),
    WithJsonSchema({"type": ["string", "integer"], "x-form": "duration, or usual x number"}),
]
Tags = Annotated[
    tuple[str, ...],
    PlainValidator(values.tags),
    WithJsonSchema(
        {"type": "array", "items": {"type": ["string", "integer"]}, "x-form": "list of words"}
    ),
]
Names = Annotated[
    tuple[str, ...],
    PlainValidator(values.listed_names),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "x-form": "list of names"}),
]
Params = Annotated[
    dict[str, Any],
    PlainValidator(values.params),
    WithJsonSchema({"type": "object", "x-form": "map"}),
]
Version = Annotated[
    int, PlainValidator(values.version), WithJsonSchema({"enum": [1, 2], "x-form": "1 | 2"})
]
Template = Annotated[
    str,
    PlainValidator(addresses.header_value),
    WithJsonSchema({"type": "string", "x-form": "text with a reference"}),
]
UrlTemplate = Annotated[
    str,
    PlainValidator(addresses.header_value),
    WithJsonSchema({"type": "string", "x-form": "URL, or a reference to one"}),
]
Proxy = Annotated[
    str,
    PlainValidator(addresses.header_value),
    WithJsonSchema({"type": "string", "x-form": "URL, or a reference to one"}),
]
ModeWord = Annotated[str, *_word(Mode)]
OverlapWord = Annotated[str, *_word(Overlap)]
TransportWord = Annotated[str, *_word(Transport)]
Criticality = Annotated[str, *_word(("required", "optional"))]
SeverityWord = Annotated[str, *_word(Severity)]
SchemaWord = Annotated[str, *_word(("unchanged", *Severity))]
Moment = Annotated[
    str, *_word(("failed", "recovered", "missed", "succeeded", "cancelled", "rejected"))
]

Rhythm = Annotated[str, *_word(("never", "weekly"))]


T = TypeVar("T")


class Limit(Section, Generic[T]):
    """The long form of an expectation: its limit, and what it means to break it."""

    severity: SeverityWord | None = None
    value: T


CountLimit = Limit[Count]
CountsLimit = Limit[Counts]
ShareLimit = Limit[Share]
DurationLimit = Limit[Duration]
SchemaLimit = Limit[SchemaWord]


def long_form(value: Any) -> Any:
    """Return the long form of an expectation."""
    return value if isinstance(value, dict) else {"value": value}


def limit(form: str, short: dict[str, Any]) -> tuple[Any, Any]:
    """Return what makes a Limit of either form: *form* for people, *short* as a JSON Schema."""
    severity = {"enum": [*Severity]}
    long = {
        "type": "object",
        "properties": {"value": short, "severity": severity},
        "required": ["value"],
        "additionalProperties": False,
    }
    reference = {"type": "string", "pattern": r"\$\{"}
    schema = {"anyOf": [short, long, reference], "x-form": f"{form}, or {{value, severity}}"}
    return BeforeValidator(long_form), WithJsonSchema(schema)
