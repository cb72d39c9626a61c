"""The Géoportail de l'Urbanisme offline: apicarto, and the WFS behind it.

Twelve communes have (synthetic) zones, four each; the others of the département are played
as communes under the national rules (RNU). Like the real apicarto, a parameter that it does
not know is ignored, and the whole layer is the answer.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from . import geo_api
from .planar import contains, point_inside
from .reply import Question, Reply, json_reply, sample_json

FILE: Final = "plu_90_zone_urba.synthetic.json.gz"
#: Where the real server stops.
CAP: Final = 5000


def answer(question: Question) -> Reply:
    """Reply to ``document``, ``municipality`` and ``zone-urba``, and to the WFS."""
    layers = {
        "/api/gpu/document": _documents,
        "/api/gpu/municipality": _municipalities,
        "/api/gpu/zone-urba": _zones,
    }
    if question.path == "/wfs/ows":
        return _wfs(question)
    if question.path not in layers:
        return json_reply({"code": 404, "message": "Not Found"}, status=404)
    found = [] if question.fault == "empty" else layers[question.path](question)
    return _collection(found[:CAP], total=len(found))


def _collection(found: list[Any], *, total: int) -> Reply:
    return json_reply(
        {
            "type": "FeatureCollection",
            "features": found,
            "totalFeatures": total,
            "numberMatched": total,
            "numberReturned": len(found),
        }
    )


def _feature(identity: str, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "id": identity, "geometry": None, "properties": properties}


def _all_zones() -> list[dict[str, Any]]:
    zones: list[dict[str, Any]] = sample_json(FILE)["features"]
    return zones


def _documents(question: Question) -> list[dict[str, Any]]:
    given = (question.body or {}).get("geom") or json.loads(question.query.get("geom", "null"))
    partitions = {
        zone["properties"]["insee"]: zone["properties"]["partition"] for zone in _all_zones()
    }
    return [
        _feature(
            f"document.{partition}", partition=partition, du_type="PLU", grid_name=insee, name=insee
        )
        for insee, partition in sorted(partitions.items())
        if given is None or _meets(given, _contour(insee))
    ]


def _contour(insee: str) -> Any:
    return next(
        commune["geometry"]["coordinates"][0]
        for commune in geo_api.communes()
        if commune["properties"]["code"] == insee
    )


def _meets(geometry: dict[str, Any], contour: Any) -> bool:
    if geometry["type"] == "Point":
        return contains(contour, geometry["coordinates"])
    # Coarse, and enough for a sample: the commune's inner point lies in the area.
    rings = geometry["coordinates"] if geometry["type"] == "Polygon" else geometry["coordinates"][0]
    return contains(rings[0], point_inside(contour))


def _municipalities(question: Question) -> list[dict[str, Any]]:
    with_plan = {zone["properties"]["insee"] for zone in _all_zones()}
    insee = question.query.get("insee")
    return [
        _feature(f"municipality.{code}", insee=code, is_rnu=code not in with_plan, is_deleted=False)
        for code in (commune["properties"]["code"] for commune in geo_api.communes())
        if insee in {None, code}
    ]


def _zones(question: Question) -> list[dict[str, Any]]:
    partition = question.query.get("partition")
    found = [zone for zone in _all_zones() if partition in {None, zone["properties"]["partition"]}]
    if question.fault == "cap" and found:
        # As many copies as fill the answer up to where the server stops.
        return [
            zone | {"properties": zone["properties"] | {"gid": number}}
            for number, zone in enumerate(found * (CAP // len(found) + 1))
        ][:CAP]
    return found


def _wfs(question: Question) -> Reply:
    wanted = re.fullmatch(r"partition='([^']*)'", question.query.get("CQL_FILTER", ""))
    start, count = int(question.query["STARTINDEX"]), int(question.query["COUNT"])
    found = [
        zone
        for zone in sorted(_all_zones(), key=lambda zone: int(zone["properties"]["gid"]))
        if wanted is None or zone["properties"]["partition"] == wanted[1]
    ]
    if question.fault == "empty":
        found = []
    # The WFS has no cap of its own: it announces more than it then serves.
    total = CAP + 1 if question.fault == "cap" else len(found)
    return _collection(found[start : start + count], total=total)
