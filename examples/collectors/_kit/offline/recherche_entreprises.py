"""recherche-entreprises offline: filters, pages and refuses like the real search."""

from __future__ import annotations

from typing import Any, Final

from .reply import Question, Reply, json_reply, only_sample_departement, sample_json

FILE: Final = "sirene_90_pages.json.gz"
MAX_PAGE_SIZE: Final = 25
MAX_RESULTS: Final = 10_000


def answer(question: Question) -> Reply:
    """Reply to ``/search``."""
    query = question.query
    if question.path != "/search":
        return json_reply({"erreur": "Not Found"}, status=404)
    page, page_size = int(query.get("page", 1)), int(query.get("per_page", 10))
    if page_size > MAX_PAGE_SIZE or page * page_size > MAX_RESULTS:
        return json_reply({"erreur": "Veuillez indiquer un paramètre valide"}, status=400)
    only_sample_departement(query.get("departement"))

    units = [unit for unit in _units() if _fits(unit, query)]
    total = len(units)
    if question.fault == "empty":
        units, total = [], 0
    elif question.fault == "cap":
        # The real API says 10 000 for any larger number, whatever the question.
        total = MAX_RESULTS
    start = (page - 1) * page_size
    return json_reply(
        {
            "results": units[start : start + page_size],
            "total_results": total,
            "page": page,
            "per_page": page_size,
            "total_pages": -(-total // page_size),
        }
    )


def _units() -> list[dict[str, Any]]:
    return [unit for page in sample_json(FILE) for unit in page["results"]]


def _fits(unit: dict[str, Any], query: Any) -> bool:
    sections = query.get("section_activite_principale")
    return (
        unit["siege"]["departement"] == query["departement"]
        and unit["etat_administratif"] == query.get("etat_administratif", "A")
        and (not sections or unit["section_activite_principale"] in sections.split(","))
    )
