"""SIRENE: legal units of the French business register, through one of two public APIs.

``source: search`` (the default) is recherche-entreprises, open to all. It serves at most
10 000 results and says ``total_results: 10000`` for anything larger: that number means
"truncated", so the question is then split by section of activity. ``source: insee`` is
INSEE's own API, for which ``INSEE_API_KEY`` holds the key.

Params: ``departement`` or ``departements`` (default "90"),
``section_activite_principale`` or ``sections_activite_principale`` (NAF sections, default
all), ``etat_administratif`` (A active, the default; C closed), ``source``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

# functions-framework adds this folder to the path; the kit is one folder up.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from _kit import Api, Truncated, Upstream, asking, field, objects
from _kit.params import DEPARTEMENT, SECTION, choice, codes, refuse_unknown
from sirene.insee import count_establishments

from fanfold.collector import Call, Reported

#: Its limits are 7 requests/s per address and 30 per network: shared on a public cloud.
SEARCH: Final = Api(
    "recherche-entreprises", "https://recherche-entreprises.api.gouv.fr", requests_per_second=5
)
#: Largest page the API serves, and the last result it reaches: page * per_page.
PAGE_SIZE: Final = 25
MAX_RESULTS: Final = 10_000
#: The sections of NAF rév. 2. NAF 2025 replaces it in 2027 and adds one more letter.
SECTIONS: Final = "ABCDEFGHIJKLMNOPQRSTUV"


@asking("sirene")
def collect(call: Call, upstream: Upstream) -> Reported:
    """Return how many distinct legal units the register knows for the parameters.

    Raises:
        CollectorFailure: The parameters are wrong, the upstream failed, or one section of
            one département alone exceeds what the API serves.
    """
    one, many = "section_activite_principale", "sections_activite_principale"
    refuse_unknown(
        call.params,
        known=("departement", "departements", one, many, "etat_administratif", "source"),
    )
    departements = codes(
        call.params, "departement", "departements", pattern=DEPARTEMENT, default=["90"]
    )
    sections = codes(call.params, one, many, pattern=SECTION, default=[])
    state = choice(call.params, "etat_administratif", known=("A", "C"))
    if choice(call.params, "source", known=("search", "insee")) == "insee":
        return count_establishments(call, upstream, departements, sections=sections, state=state)

    seen: set[str] = set()
    metrics = {"segments": 0, "announced": 0}
    for departement in departements:
        query = {"departement": departement, "etat_administratif": state}
        if sections:
            query[one] = ",".join(sections)
        if not read_segment(upstream, query, seen, metrics):
            call.warn(
                f"département {departement} holds {MAX_RESULTS} results or more: split by section"
                " of activity, without the units that have none"
            )
            for section in sections or SECTIONS:
                if not read_segment(upstream, query | {one: section}, seen, metrics):
                    raise Truncated(
                        f"département {departement}, section {section}, holds {MAX_RESULTS} results"
                        " or more, and the API serves no others: use source: insee"
                    )
    metrics["requests"] = upstream.sent_requests
    if not seen:
        call.warn("the register announced no unit for these parameters")
    if len(seen) < metrics["announced"]:
        call.warn(f"{metrics['announced']} results announced, {len(seen)} distinct ones served")
    return call.found(records=len(seen), bytes=upstream.received_bytes, metrics=metrics)


def read_segment(
    upstream: Upstream, query: dict[str, str], seen: set[str], metrics: dict[str, int]
) -> bool:
    """Add the units that answer *query* to *seen*, and count in *metrics*.

    Return False, at once, if they are capped.
    """
    page, announced = 1, 0
    while page == 1 or (page - 1) * PAGE_SIZE < announced:
        # minimal: what identifies a unit, without addresses or the names of directors.
        answer = upstream.json(
            SEARCH, "/search", query | {"minimal": "true", "page": page, "per_page": PAGE_SIZE}
        )
        announced = field(answer, "total_results", int)
        if announced >= MAX_RESULTS:
            return False
        units = objects(field(answer, "results", list))
        seen.update(field(unit, "siren", str) for unit in units)
        if not units:
            break
        page += 1
    metrics["segments"] += 1
    metrics["announced"] += announced
    return True
