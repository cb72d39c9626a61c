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
from typing import Any, Final

# functions-framework adds this folder to the path; the kit is one folder up.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from _kit import Api, Upstream, UpstreamNotFound, asking, field
from _kit.params import COMMUNE, choice, codes, refuse_unknown
from plu.gpu import documents, is_under_rnu, zones, zones_in_bulk

from fanfold.collector import BadParams, Call, Reported

GEO: Final = Api("geo.api.gouv.fr", "https://geo.api.gouv.fr", requests_per_second=10)
DEFAULT_COMMUNES: Final = tuple(f"900{number:02}" for number in range(1, 13))


@asking("plu")
def collect(call: Call, upstream: Upstream) -> Reported:
    """Return how many distinct zones the documents hold that cover the places asked for.

    Raises:
        CollectorFailure: The parameters are wrong, the upstream failed, or it stopped at
            its cap.
    """
    refuse_unknown(call.params, known=("commune", "communes", "geom", "bulk"))
    read_zones = {"apicarto": zones, "wfs": zones_in_bulk}[
        choice(call.params, "bulk", known=("apicarto", "wfs"))
    ]
    metrics: dict[str, int] = {}
    partitions = find_partitions(call, upstream, metrics)
    seen: set[str] = set()
    for partition, kind in sorted(partitions.items()):
        found = read_zones(upstream, partition)
        if not found:
            call.warn(why_empty(partition, kind))
        seen.update(found)
    metrics |= {"partitions": len(partitions), "requests": upstream.sent_requests}
    return call.found(records=len(seen), bytes=upstream.received_bytes, metrics=metrics)


def find_partitions(call: Call, upstream: Upstream, metrics: dict[str, int]) -> dict[str, str]:
    """Return the kind of each document, by partition; warn of what has none."""
    if "geom" in call.params:
        if call.params.keys() & {"commune", "communes"}:
            raise BadParams("give 'geom' or 'communes', not both")
        if not isinstance(call.params["geom"], dict) or "type" not in call.params["geom"]:
            raise BadParams("'geom' must be a GeoJSON geometry")
        found = documents(upstream, call.params["geom"])
        if not found:
            call.warn("no document covers the geometry")
        return found

    partitions: dict[str, str] = {}
    without: list[str] = []
    asked = codes(call.params, "commune", "communes", pattern=COMMUNE, default=DEFAULT_COMMUNES)
    for commune in asked:
        found = documents(upstream, point_of(upstream, commune))
        partitions |= found
        if not found:
            without.append(commune)
    under_rnu = [commune for commune in without if is_under_rnu(upstream, commune)]
    unexplained = [commune for commune in without if commune not in under_rnu]
    metrics |= {"communes": len(asked), "communes_under_rnu": len(under_rnu)}
    if under_rnu:
        call.warn(
            f"no plan, the national rules (RNU) apply: {_some(under_rnu)}; 0 zones is right there"
        )
    if unexplained:
        call.warn(
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
