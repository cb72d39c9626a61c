"""SIRENE: pages, the cap of 10 000, the split by section."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.examples.conftest import Answering, Asked, Double, Load, Says


CAP = 10_000


def register(sizes: dict[str, int], *, first: dict[str, int] | None = None) -> Answering:
    """Play a search over sections of *sizes* units; numbers start at *first* per section."""

    def answer(asked: Asked) -> Any:
        page, page_size = int(asked.query["page"]), int(asked.query["per_page"])
        if page_size > 25 or page * page_size > CAP:
            return 400, b"{}", {}
        wanted = asked.query.get("section_activite_principale", ",".join(sizes)).split(",")
        units = [
            {"siren": f"{(first or {}).get(section, ord(section) * 100_000) + number:09}"}
            for section in sizes
            if section in wanted
            for number in range(sizes[section])
        ]
        start = (page - 1) * page_size
        return {
            "results": units[start : start + page_size],
            "total_results": min(len(units), CAP),
        }

    return answer


def sections_asked(double: Double) -> list[str | None]:
    return list(
        dict.fromkeys(asked.query.get("section_activite_principale") for asked in double.asked)
    )


def test_every_page_is_read_and_none_beyond_the_last(load: Load, upstream_says: Says) -> None:
    double = upstream_says(register({"F": 50}))

    assert load("sirene").post().json["records"] == 50
    assert [asked.query["page"] for asked in double.asked] == ["1", "2"]
    assert {asked.query["per_page"] for asked in double.asked} == {"25"}


def test_the_largest_answer_below_the_cap_is_paged_to_its_end(
    load: Load, upstream_says: Says
) -> None:
    double = upstream_says(register({"F": CAP - 1}))

    assert load("sirene").post().json["records"] == CAP - 1
    assert double.asked[-1].query["page"] == "400"


def test_exactly_10000_means_truncated_and_splits_by_section(
    load: Load, upstream_says: Says
) -> None:
    double = upstream_says(register({"F": 6000, "G": 5000, "L": 30}))

    answer = load("sirene").post().json

    assert answer["records"] == 11_030
    assert answer["metrics"]["announced"] == 11_030
    assert sections_asked(double) == [None, *"ABCDEFGHIJKLMNOPQRSTUV"]
    assert "split by section" in answer["warnings"][0]


def test_the_split_keeps_to_the_sections_that_were_asked_for(
    load: Load, upstream_says: Says
) -> None:
    double = upstream_says(register({"F": 6000, "G": 5000, "L": 30}))

    answer = load("sirene").post(params={"sections_activite_principale": ["F", "G"]}).json

    assert answer["records"] == 11_000
    assert sections_asked(double) == ["F,G", "F", "G"]


def test_a_unit_found_twice_counts_once(load: Load, upstream_says: Says) -> None:
    upstream_says(register({"F": 6000, "G": 6000}, first={"F": 0, "G": 5000}))

    answer = load("sirene").post().json

    assert answer["records"] == 11_000
    assert "12000 results announced, 11000 distinct" in answer["warnings"][-1]


def test_a_section_that_is_capped_itself_is_a_failure_and_not_10000_records(
    load: Load, upstream_says: Says
) -> None:
    upstream_says(register({"G": 25_000}))

    response = load("sirene").post()

    assert (response.status_code, response.json["kind"]) == (424, "truncated")
    assert "section G" in response.json["error"]
    assert response.json["retryable"] is False


def test_departements_are_asked_one_by_one(load: Load, upstream_says: Says) -> None:
    double = upstream_says(register({"F": 3}))

    answer = load("sirene").post(params={"departements": ["90", "2B"]}).json

    assert [asked.query["departement"] for asked in double.asked] == ["90", "2B"]
    assert answer["metrics"]["segments"] == 2


def test_pages_that_end_before_what_was_announced_are_a_warning(
    load: Load, upstream_says: Says
) -> None:
    upstream_says(
        lambda asked: {
            "results": [{"siren": "1"}] if asked.query["page"] == "1" else [],
            "total_results": 60,
        }
    )

    answer = load("sirene").post().json

    assert answer["records"] == 1
    assert answer["warnings"] == ["60 results announced, 1 distinct ones served"]


def test_only_active_units_of_the_wanted_sections_are_in_the_sample_answer(load: Load) -> None:
    sirene = load("sirene")

    assert sirene.post(params={"section_activite_principale": "O"}).json["records"] == 101
    assert sirene.post(params={"section_activite_principale": "F"}).json["records"] == 0
    assert sirene.post(params={"etat_administratif": "C"}).json["records"] == 0


def test_an_answer_without_its_keys_is_the_upstreams_failure(
    load: Load, upstream_says: Says
) -> None:
    upstream_says(lambda _asked: {"results": [{}], "total_results": 1})

    response = load("sirene").post()

    assert (response.status_code, response.json["kind"]) == (502, "upstream_garbage")
