"""Taking an upstream's JSON apart: a missing key is the upstream's failure, never a KeyError."""

from __future__ import annotations

from typing import Any

from .failures import UpstreamGarbage


def field(document: Any, name: str, kind: type) -> Any:
    """Return the value of *document* under *name*, which must be a *kind*.

    Raises:
        UpstreamGarbage: It is missing, of another type, or there is no object at all.
    """
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
        raise UpstreamGarbage(f"the upstream's answer has no {kind.__name__} {name!r}")
    return value


def objects(listed: Any) -> list[dict[str, Any]]:
    """Return *listed*, a list of JSON objects.

    Raises:
        UpstreamGarbage: It is anything else.
    """
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise UpstreamGarbage("the upstream's answer is not a list of objects")
    return listed


def features(collection: Any) -> list[dict[str, Any]]:
    """Return the features of a GeoJSON *collection*, each with an object ``properties``.

    Raises:
        UpstreamGarbage: It is no FeatureCollection.
    """
    found = objects(field(collection, "features", list))
    for feature in found:
        field(feature, "properties", dict)
    return found
