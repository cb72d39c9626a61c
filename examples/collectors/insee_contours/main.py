"""INSEE contours: the communes of a département with their boundaries, from geo.api.gouv.fr.

The API has no published cap, and would not announce one: the list of codes, which is a
light question, is asked as well, and every code must come with a contour.

Params: ``departement`` or ``departements`` (default "90").
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

# functions-framework adds this folder to the path; the kit is one folder up.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from _kit import Api, Truncated, Upstream, asking, features, field, objects
from _kit.params import DEPARTEMENT, codes, refuse_unknown

from fanfold.collector import Call, Reported

GEO: Final = Api("geo.api.gouv.fr", "https://geo.api.gouv.fr", requests_per_second=10)
FIELDS: Final = "nom,code,codesPostaux,siren,codeEpci,codeDepartement,codeRegion,population"


@asking("insee_contours")
def collect(call: Call, upstream: Upstream) -> Reported:
    """Return how many communes came with a contour.

    Raises:
        CollectorFailure: The parameters are wrong, the upstream failed, or fewer contours
            came than there are communes.
    """
    refuse_unknown(call.params, known=("departement", "departements"))
    departements = codes(
        call.params, "departement", "departements", pattern=DEPARTEMENT, default=["90"]
    )
    contours: dict[str, int] = {}
    for departement in departements:
        found = read_contours(upstream, departement)
        listed = read_codes(upstream, departement)
        missing = sorted(listed - found.keys())
        if missing:
            raise Truncated(
                f"département {departement}: {len(listed)} communes but {len(found)} contours;"
                f" the first without one is {missing[0]}"
            )
        if not found:
            call.warn(f"geo.api.gouv.fr knows no commune in département {departement}")
        contours |= found
    bare = [code for code, points in contours.items() if points == 0]
    if bare:
        call.warn(f"{len(bare)} communes have an empty contour, the first is {bare[0]}")
    return call.found(
        records=len(contours) - len(bare),
        bytes=upstream.received_bytes,
        metrics={"points": sum(contours.values())},
    )


def read_contours(upstream: Upstream, departement: str) -> dict[str, int]:
    """Return the number of points of each commune's contour, by INSEE code."""
    collection = upstream.json(
        GEO,
        "/communes",
        {
            "codeDepartement": departement,
            "fields": FIELDS,
            "format": "geojson",
            "geometry": "contour",
        },
    )
    return {
        field(feature["properties"], "code", str): count_points(feature.get("geometry"))
        for feature in features(collection)
    }


def read_codes(upstream: Upstream, departement: str) -> set[str]:
    """Return the INSEE codes of all communes of *departement*."""
    communes = upstream.json(
        GEO, "/communes", {"codeDepartement": departement, "fields": "code", "format": "json"}
    )
    return {field(commune, "code", str) for commune in objects(communes)}


def count_points(geometry: Any) -> int:
    """Return how many points *geometry* holds; 0 for null, which GeoJSON allows."""
    if geometry is None:
        return 0
    depth = {"Polygon": 1, "MultiPolygon": 2}.get(field(geometry, "type", str), 0)
    if depth == 0:
        return 0
    rings = field(geometry, "coordinates", list)
    for _ in range(depth - 1):
        rings = [ring for polygon in rings for ring in polygon]
    return sum(len(ring) for ring in rings)
