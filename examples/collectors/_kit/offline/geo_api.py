"""geo.api.gouv.fr offline: the communes of the sample, as a list or as contours."""

from __future__ import annotations

from typing import Any, Final

from .planar import point_inside
from .reply import Question, Reply, json_reply, only_sample_departement, sample_json

FILE: Final = "insee_contours_90.geojson.gz"
#: What ``fault=cap`` pretends to be a silent limit of the server.
PRETENDED_CAP: Final = 50


def answer(question: Question) -> Reply:
    """Reply to ``/communes`` and ``/communes/{code}``."""
    if question.path == "/communes":
        return _listed(question)
    code = question.path.removeprefix("/communes/")
    only_sample_departement(code)
    for commune in communes():
        if commune["properties"]["code"] == code:
            return json_reply(_attributes(commune, question.query.get("fields", "nom,code")))
    return json_reply({"code": 404, "message": "Not Found"}, status=404)


def communes() -> list[dict[str, Any]]:
    """Return the sample's communes, as GeoJSON features."""
    listed: list[dict[str, Any]] = sample_json(FILE)["features"]
    return listed


def _listed(question: Question) -> Reply:
    only_sample_departement(question.query.get("codeDepartement"))
    found = [] if question.fault == "empty" else communes()
    fields = question.query.get("fields", "nom,code")
    if question.query.get("format") != "geojson":
        return json_reply([_attributes(commune, fields) for commune in found])
    if question.fault == "cap":
        found = found[:PRETENDED_CAP]
    features = [
        {
            "type": "Feature",
            "properties": _attributes(commune, fields),
            "geometry": commune["geometry"],
        }
        for commune in found
    ]
    return json_reply({"type": "FeatureCollection", "features": features})


def _attributes(commune: dict[str, Any], fields: str) -> dict[str, Any]:
    properties = commune["properties"]
    chosen = {name: properties[name] for name in fields.split(",") if name in properties}
    if "centre" in fields.split(","):
        chosen["centre"] = {
            "type": "Point",
            "coordinates": point_inside(commune["geometry"]["coordinates"][0]),
        }
    return chosen
