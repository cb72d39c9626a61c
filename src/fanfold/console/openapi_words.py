"""The words of which the OpenAPI document is made: how values, objects and references are said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: How a value is described that may be absent.
TEXT = {"type": ["string", "null"]}
INSTANT = {"type": ["string", "null"], "format": "date-time"}
NUMBER = {"type": ["number", "null"]}


def object_of(**properties: Any) -> Mapping[str, Any]:
    """Return the schema of an object that has all of *properties*."""
    return {"type": "object", "required": list(properties), "properties": properties}


def list_of(items: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of a list of *items*."""
    return {"type": "array", "items": items}


def ref(name: str) -> Mapping[str, Any]:
    """Return a reference to the schema *name* of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def in_json(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the content of a body that is JSON of *schema*."""
    return {"application/json": {"schema": schema}}


def refusals(*codes: str) -> Mapping[str, Any]:
    """Return references to the answers *codes*, which say that something was refused."""
    return {code: {"$ref": f"#/components/responses/{code}"} for code in codes}


def parameter(
    name: str, about: str, *, where: str = "query", schema: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """Return a parameter of the query, or of the path (*where*), where it must be given."""
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": about,
        "schema": schema or {"type": "string"},
    }


def run_in_path() -> Mapping[str, Any]:
    """Return the parameter that says which run."""
    return parameter("run", "An id, the start of one, `latest` or `latest~1`.", where="path")


def letter_in_path() -> Mapping[str, Any]:
    """Return the parameter that says which dead letter."""
    return parameter("letter", "The letter's id.", where="path")
