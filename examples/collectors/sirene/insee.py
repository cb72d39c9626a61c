"""The other way into SIRENE: INSEE's own API, with a key, a cursor and no cap."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from _kit import Api, NotInSample, Upstream, UpstreamNotFound, field, objects

from fanfold.collector import BadParams, Call, Reported

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The limit is 30 requests a minute; 1000 establishments each.
INSEE: Final = Api("api.insee.fr", "https://api.insee.fr/api-sirene/3.11", requests_per_second=0.5)
PAGE_SIZE: Final = 1000
KEY_HEADER: Final = "X-INSEE-Api-Key-Integration"


def count_establishments(
    call: Call,
    upstream: Upstream,
    departements: Sequence[str],
    *,
    sections: Sequence[str],
    state: str,
) -> Reported:
    """Return how many establishments the register knows; ``metrics.units`` counts their owners.

    Raises:
        NotInSample: There is no sample in this API's shape.
        BadParams: There is no key, or *sections* is given: this API cannot filter by them.
    """
    if upstream.is_sample:
        raise NotInSample("the samples hold answers of recherche-entreprises: use source: search")
    if sections:
        raise BadParams("source: insee cannot filter by section; leave the sections out")
    # Stripped: a secret that was written with echo ends in a newline, which no header may.
    key = os.environ.get("INSEE_API_KEY", "").strip()
    if not key:
        raise BadParams("source: insee needs INSEE_API_KEY, a key from portail-api.insee.fr")

    # F is the closed state of an establishment, C that of a legal unit.
    closed_or_active = {"A": "A", "C": "F"}[state]
    establishments: set[str] = set()
    units: set[str] = set()
    announced = 0
    for departement in departements:
        query = (
            f"codeCommuneEtablissement:{departement}*"
            f" AND periode(etatAdministratifEtablissement:{closed_or_active})"
        )
        announced += _read_all(upstream, query, key, establishments, units)
    if len(establishments) < announced:
        call.warn(
            f"{announced} establishments announced, {len(establishments)} distinct ones served"
        )
    return call.found(
        records=len(establishments),
        bytes=upstream.received_bytes,
        metrics={"units": len(units), "announced": announced, "requests": upstream.sent_requests},
    )


def _read_all(
    upstream: Upstream, query: str, key: str, establishments: set[str], units: set[str]
) -> int:
    """Follow the cursor to its end, and return how many results were announced."""
    cursor = "*"
    announced: int = 0
    while True:
        try:
            answer = upstream.json(
                INSEE,
                "/siret",
                # champs: nothing that names a person is asked for.
                {"q": query, "nombre": PAGE_SIZE, "curseur": cursor, "champs": "siren,siret"},
                headers={KEY_HEADER: key},
            )
        except UpstreamNotFound:
            return announced  # its way to say: no result
        header = field(answer, "header", dict)
        announced = field(header, "total", int)
        for establishment in objects(field(answer, "etablissements", list)):
            establishments.add(field(establishment, "siret", str))
            units.add(field(establishment, "siren", str))
        following = header.get("curseurSuivant")
        if following is None or following == cursor:
            return announced
        cursor = str(following)
