"""Questions to the Géoportail de l'Urbanisme whose "200 OK" is not taken for an answer."""

from __future__ import annotations

import json
from typing import Any, Final

from _kit import Api, Truncated, Upstream, UpstreamGarbage, features, field

APICARTO: Final = Api("apicarto.ign.fr", "https://apicarto.ign.fr/api/gpu", requests_per_second=5)
WFS: Final = Api("data.geopf.fr", "https://data.geopf.fr/wfs", requests_per_second=5)
#: apicarto stops here, without a word and without paging.
MAX_FEATURES: Final = 5000
#: Features per WFS page.
PAGE_SIZE: Final = 1000
#: More documents than this in one place can only be the whole layer.
MAX_DOCUMENTS: Final = 200
#: Longest geometry that goes into a URL, in characters; servers refuse at 8 000 or before.
MAX_URL_GEOMETRY: Final = 1500


def documents(upstream: Upstream, geometry: dict[str, Any]) -> dict[str, str]:
    """Return the kind (PLU, PLUi, CC, ...) of each document at *geometry*, by partition.

    Raises:
        UpstreamGarbage: The geometry was ignored and the whole layer sent.
    """
    text = json.dumps(geometry, separators=(",", ":"))
    if len(text) > MAX_URL_GEOMETRY:
        collection = upstream.json(APICARTO, "/document", body={"geom": geometry})
    else:
        collection = upstream.json(APICARTO, "/document", {"geom": text})
    found = features(collection)
    if len(found) > MAX_DOCUMENTS:
        raise UpstreamGarbage(
            f"apicarto sent {len(found)} documents for one place: it ignored the geometry"
        )
    return {
        field(document["properties"], "partition", str): str(document["properties"].get("du_type"))
        for document in found
    }


def is_under_rnu(upstream: Upstream, commune: str) -> bool:
    """Return whether *commune* has no plan of its own, by law: national rules apply."""
    found = features(upstream.json(APICARTO, "/municipality", {"insee": commune}))
    mine = [town for town in found if town["properties"].get("insee") == commune]
    # Seen as a boolean and as text, depending on the layer behind the API.
    return any(str(town["properties"].get("is_rnu")).lower() in {"true", "1"} for town in mine)


def zones(upstream: Upstream, partition: str) -> set[str]:
    """Return the ids of the zones of *partition*.

    Raises:
        Truncated: The API stopped at its cap.
        UpstreamGarbage: It ignored the partition and sent the layer.
    """
    found = features(upstream.json(APICARTO, "/zone-urba", {"partition": partition}))
    ids = _ids(found, partition)
    if len(found) >= MAX_FEATURES:
        raise Truncated(
            f"{partition} has {MAX_FEATURES} zones or more, and apicarto serves no others:"
            " use bulk: wfs"
        )
    return ids


def zones_in_bulk(upstream: Upstream, partition: str) -> set[str]:
    """Return the ids of the zones of *partition*, paged through the WFS.

    Raises:
        Truncated: Fewer came than were announced.
        UpstreamGarbage: The WFS ignored the partition.
    """
    # The partition comes from an answer, and goes into a filter expression.
    literal = partition.replace("'", "''")
    ids: set[str] = set()
    start, announced = 0, 1
    while start < announced:
        collection = upstream.json(
            WFS,
            "/ows",
            {
                "SERVICE": "WFS",
                "VERSION": "2.0.0",
                "REQUEST": "GetFeature",
                "TYPENAMES": "wfs_du:zone_urba",
                "OUTPUTFORMAT": "application/json",
                "SORTBY": "gid",
                "CQL_FILTER": f"partition='{literal}'",
                "COUNT": PAGE_SIZE,
                "STARTINDEX": start,
            },
        )
        found = features(collection)
        ids |= _ids(found, partition)
        announced = field(collection, "numberMatched", int)
        if not found:
            break
        start += len(found)
    if len(ids) < announced:
        raise Truncated(f"{partition}: the WFS announced {announced} zones and served {len(ids)}")
    return ids


def _ids(found: list[dict[str, Any]], partition: str) -> set[str]:
    for zone in found:
        if zone["properties"].get("partition") != partition:
            raise UpstreamGarbage(f"zones of other partitions came for {partition}: filter ignored")
    return {str(zone["properties"].get("gid", zone.get("id"))) for zone in found}
