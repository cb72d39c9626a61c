"""PLU: the zones of local urban plans, from IGN's apicarto or, in bulk, from the WFS behind it.

A zone is found through the document that covers the commune, not through the commune's own
number: a commune that joined an intercommunal plan keeps no zone under its old partition.
So: a point of the commune -> the documents there -> their partitions -> the zones.

The API answers 200 when it has nothing, when it stopped at 5000, and when it ignored a
parameter and sent the whole layer. Each of these is told apart here.

Params: ``commune`` or ``communes`` (INSEE codes, default the twelve of the sample), or
``geom`` (a GeoJSON geometry to look for documents in); ``bulk``: ``apicarto`` or ``wfs``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

# functions-framework adds this folder to the path; the kit is one folder up.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from _kit import Api, BadParams, Request, Result, Upstream, UpstreamNotFound, field, serve
from _kit.params import COMMUNE, choice, codes, refuse_unknown
from plu.gpu import documents, is_under_rnu, zones, zones_in_bulk

if TYPE_CHECKING:
    import flask

GEO: Final = Api("geo.api.gouv.fr", "https://geo.api.gouv.fr", requests_per_second=10)
DEFAULT_COMMUNES: Final = tuple(f"900{number:02}" for number in range(1, 13))


def collect(http_request: flask.Request) -> flask.Response:
    """Answer one attempt, or a health check."""
    return serve("plu", count_zones, http_request)


def count_zones(request: Request, upstream: Upstream) -> Result:
    """Return how many distinct zones the documents hold that cover the places asked for.

    Raises:
        CollectorFailure: The parameters are wrong, the upstream failed, or it stopped at
            its cap.
    """
    refuse_unknown(request.params, known=("commune", "communes", "geom", "bulk"))
    read_zones = {"apicarto": zones, "wfs": zones_in_bulk}[
        choice(request.params, "bulk", known=("apicarto", "wfs"))
    ]
    result = Result(0)
    partitions = find_partitions(request, upstream, result)
    seen: set[str] = set()
    for partition, kind in sorted(partitions.items()):
        found = read_zones(upstream, partition)
        if not found:
            result.warnings.append(why_empty(partition, kind))
        seen.update(found)
    result.records = len(seen)
    result.metrics |= {"partitions": len(partitions), "requests": upstream.sent_requests}
    return result


def find_partitions(request: Request, upstream: Upstream, result: Result) -> dict[str, str]:
    """Return the kind of each document, by partition; say in *result* what has none."""
    if "geom" in request.params:
        if request.params.keys() & {"commune", "communes"}:
            raise BadParams("give 'geom' or 'communes', not both")
        if not isinstance(request.params["geom"], dict) or "type" not in request.params["geom"]:
            raise BadParams("'geom' must be a GeoJSON geometry")
        found = documents(upstream, request.params["geom"])
        if not found:
            result.warnings.append("no document covers the geometry")
        return found

    partitions: dict[str, str] = {}
    without: list[str] = []
    asked = codes(request.params, "commune", "communes", pattern=COMMUNE, default=DEFAULT_COMMUNES)
    for commune in asked:
        found = documents(upstream, point_of(upstream, commune))
        partitions |= found
        if not found:
            without.append(commune)
    under_rnu = [commune for commune in without if is_under_rnu(upstream, commune)]
    unexplained = [commune for commune in without if commune not in under_rnu]
    result.metrics |= {"communes": len(asked), "communes_under_rnu": len(under_rnu)}
    if under_rnu:
        result.warnings.append(
            f"no plan, the national rules (RNU) apply: {_some(under_rnu)}; 0 zones is right there"
        )
    if unexplained:
        result.warnings.append(
            f"no document found, and not known to be under RNU: {_some(unexplained)};"
            " this does not mean that there is none"
        )
    return partitions


def point_of(upstream: Upstream, commune: str) -> dict[str, Any]:
    """Return a point inside *commune*.

    Raises:
        BadParams: There is no such commune.
    """
    try:
        answer = upstream.json(
            GEO, f"/communes/{commune}", {"fields": "code,centre", "format": "json"}
        )
    except UpstreamNotFound as error:
        raise BadParams(f"there is no commune {commune}; INSEE codes, not postal codes") from error
    return dict(field(answer, "centre", dict))


def why_empty(partition: str, kind: str) -> str:
    """Return a sentence on why a document may have no zone."""
    if kind == "CC":
        return f"{partition} is a carte communale: it has sectors (secteur-cc), and no zones"
    return f"{partition} ({kind}) has no zone: not published yet, or moved to another partition"


def _some(communes: list[str]) -> str:
    shown = ", ".join(communes[:5])
    return shown if len(communes) <= 5 else f"{shown} and {len(communes) - 5} more"
