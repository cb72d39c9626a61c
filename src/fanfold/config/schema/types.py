"""The forms that values take in the file, each with its JSON Schema and its name for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

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
from fanfold.domain.model.collector import Mode, Overlap, Severity
from fanfold.domain.syntax import durations


class Section(BaseModel):
    """A map of the file: no key that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _schema(form: str, **schema: Any) -> WithJsonSchema:
    """Return the JSON Schema of a scalar: *schema*, or text with a reference in it."""
    reference = {"type": "string", "pattern": r"\$\{"}
    return WithJsonSchema({"anyOf": [schema, reference], "x-form": form})


def setting(default: Any, description: str) -> Any:
    """Return a field whose default is written, and read, as in the file."""
    return Field(default=default, validate_default=True, description=description)


def _word(known: Iterable[str]) -> tuple[Any, Any]:
    words = tuple(map(str, known))
    form = " | ".join(words)
    return PlainValidator(lambda value: values.one_of(value, words)), _schema(form, enum=[*words])


def _duration(value: Any, info: ValidationInfo) -> float:
    version = (info.context or {}).get("version", 2)
    return values.duration(value, bare_is_seconds=version == 1)


Flag = Annotated[bool, PlainValidator(values.flag), _schema("true | false", type="boolean")]
Text = Annotated[str, PlainValidator(values.text), _schema("text", type="string")]
Count = Annotated[int, PlainValidator(values.count), _schema("number", type="integer", minimum=0)]
AtLeastOne = Annotated[
    int, PlainValidator(values.at_least_one), _schema("number", type="integer", minimum=1)
]
Counts = Annotated[
    tuple[int, ...],
    PlainValidator(values.counts),
    _schema("list of numbers", type="array", items={"type": "integer", "minimum": 0}),
]
Duration = Annotated[
    float,
    PlainValidator(_duration),
    _schema("duration", type=["string", "integer"], pattern=durations.PATTERN),
]
Share = Annotated[
    float,
    PlainValidator(values.share),
    _schema("percentage", type="string", pattern=r"^[0-9.]+ ?%$"),
]
Tolerance = Annotated[
    tuple[float, bool],
    PlainValidator(values.tolerance),
    WithJsonSchema({"type": ["integer", "string"], "x-form": "number or percentage"}),
]
Cron = Annotated[str | None, PlainValidator(values.cron), _schema("cron, 5 fields", type="string")]
Zone = Annotated[str, PlainValidator(values.zone), _schema("time zone", type="string")]
Url = Annotated[str, PlainValidator(addresses.url), _schema("URL", type="string")]
Tags = Annotated[
    tuple[str, ...],
    PlainValidator(values.tags),
    WithJsonSchema(
        {"type": "array", "items": {"type": ["string", "integer"]}, "x-form": "list of words"}
    ),
]
Params = Annotated[
    dict[str, Any],
    PlainValidator(values.params),
    WithJsonSchema({"type": "object", "x-form": "map"}),
]
Version = Annotated[
    int, PlainValidator(values.version), WithJsonSchema({"enum": [1, 2], "x-form": "1 | 2"})
]
ScheduleName = Annotated[str, PlainValidator(values.schedule_name), _schema("name", type="string")]
Queue = Annotated[str, PlainValidator(values.queue), _schema("name", type="string")]
Email = Annotated[str, PlainValidator(values.email), _schema("e-mail address", type="string")]
Folder = Annotated[str, PlainValidator(values.folder), _schema("path", type="string")]
Bucket = Annotated[
    str | None, PlainValidator(addresses.bucket), _schema("gs://name", type="string")
]
Template = Annotated[
    str,
    PlainValidator(addresses.header_value),
    WithJsonSchema({"type": "string", "x-form": "text with a reference"}),
]
Address = Annotated[
    str,
    PlainValidator(addresses.header_value),
    WithJsonSchema({"type": "string", "x-form": "URL, or a reference to one"}),
]
ModeWord = Annotated[str, *_word(Mode)]
OverlapWord = Annotated[str, *_word(Overlap)]
Criticality = Annotated[str, *_word(("required", "optional"))]
SeverityWord = Annotated[str, *_word(Severity)]
Moment = Annotated[
    str, *_word(("failed", "recovered", "missed", "succeeded", "cancelled", "rejected"))
]


class Limit(Section):
    """The long form of an expectation."""

    severity: SeverityWord | None = None
    value: Any


class CountLimit(Limit):
    """At least or at most so many records."""

    value: Count


class CountsLimit(Limit):
    """None of these counts."""

    value: Counts


class ShareLimit(Limit):
    """A share of the usual count."""

    value: Share


class DurationLimit(Limit):
    """A length of time."""

    value: Duration


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


#: JSON Schemas of the short forms of expectations.
NUMBER = {"type": "integer", "minimum": 0}
NUMBERS = {"type": "array", "items": NUMBER}
SHARE = {"type": "string", "pattern": r"^[0-9.]+ ?%$"}
LENGTH = {"type": ["string", "integer"], "pattern": durations.PATTERN}
