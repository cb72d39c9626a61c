"""PLU: the four ways in which its API says 200 and means something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.examples.conftest import Answering, Asked, Load, Says

EPCI_PARTITION = "DU_200072346"


def collection(*properties: dict[str, Any], matched: int | None = None) -> dict[str, Any]:
    found = [{"type": "Feature", "properties": one, "geometry": None} for one in properties]
    return {"features": found, "numberMatched": len(found) if matched is None else matched}


def zones(count: int, partition: str, *, start: int = 0) -> list[dict[str, Any]]:
    return [{"gid": start + number, "partition": partition} for number in range(count)]


def geoportail(
    *,
    document: dict[str, Any] | None = None,
    rnu: object = False,
    zone_count: int = 0,
    partition: str = EPCI_PARTITION,
) -> Answering:
    """Play the APIs for a commune that is covered by *document*, if by any."""

    def answer(asked: Asked) -> Any:
        if asked.host == "geo.api.gouv.fr":
            return {"centre": {"type": "Point", "coordinates": [2.72, 48.4]}}
        if asked.path.endswith("/document"):
            return collection(*([document] if document else []))
        if asked.path.endswith("/municipality"):
            return collection({"insee": asked.query["insee"], "is_rnu": rnu})
        if asked.path.endswith("/ows"):
            start, count = int(asked.query["STARTINDEX"]), int(asked.query["COUNT"])
            page = zones(zone_count, partition)[start : start + count]
            return collection(*page, matched=zone_count)
        found = zones(zone_count, partition) if asked.query["partition"] == partition else []
        return collection(*found[:5000])

    return answer


PLUI = {"partition": EPCI_PARTITION, "du_type": "PLUi"}


def test_a_document_that_moved_to_the_epci_is_found_through_a_point(
    load: Load, upstream_says: Says
) -> None:
    double = upstream_says(geoportail(document=PLUI, zone_count=7))

    assert load("plu").post(params={"commune": "77014"}).json["records"] == 7
    assert [asked.path.rpartition("/")[2] for asked in double.asked] == [
        "77014", "document", "zone-urba",
    ]  # fmt: skip
    assert double.asked[-1].query == {"partition": EPCI_PARTITION}


def test_an_intercommunal_plan_is_read_once_for_all_its_communes(
    load: Load, upstream_says: Says
) -> None:
    double = upstream_says(geoportail(document=PLUI, zone_count=7))

    answer = load("plu").post(params={"communes": ["77014", "77186"]}).json

    assert (answer["records"], answer["metrics"]["partitions"]) == (7, 1)
    assert sum(asked.path.endswith("/zone-urba") for asked in double.asked) == 1


@pytest.mark.parametrize("is_rnu", [True, "true"])
def test_0_zones_under_the_national_rules_are_explained(
    load: Load, upstream_says: Says, is_rnu: object
) -> None:
    upstream_says(geoportail(rnu=is_rnu))

    answer = load("plu").post(params={"commune": "90050"}).json

    assert answer["records"] == 0
    assert answer["metrics"]["communes_under_rnu"] == 1
    assert "RNU" in answer["warnings"][0]
    assert "90050" in answer["warnings"][0]


def test_0_documents_without_the_national_rules_are_said_to_prove_nothing(
    load: Load, upstream_says: Says
) -> None:
    upstream_says(geoportail(rnu=False))

    (warning,) = load("plu").post(params={"commune": "90050"}).json["warnings"]

    assert "does not mean that there is none" in warning


@pytest.mark.parametrize(("kind", "word"), [("PLU", "moved"), ("CC", "carte communale")])
def test_a_document_without_zones_is_a_warning_that_names_it(
    load: Load, upstream_says: Says, kind: str, word: str
) -> None:
    upstream_says(geoportail(document={"partition": "DU_90050", "du_type": kind}))

    answer = load("plu").post(params={"commune": "90050"}).json

    assert answer["records"] == 0
    assert "DU_90050" in answer["warnings"][0]
    assert word in answer["warnings"][0]


@pytest.mark.parametrize("zone_count", [5000, 8000])
def test_exactly_5000_zones_is_truncated_and_never_a_count(
    load: Load, upstream_says: Says, zone_count: int
) -> None:
    upstream_says(geoportail(document=PLUI, zone_count=zone_count))

    response = load("plu").post(params={"commune": "77014"})

    assert (response.status_code, response.json["kind"]) == (424, "truncated")
    assert "bulk: wfs" in response.json["error"]


def test_4999_zones_are_a_count(load: Load, upstream_says: Says) -> None:
    upstream_says(geoportail(document=PLUI, zone_count=4999))

    assert load("plu").post(params={"commune": "77014"}).json["records"] == 4999


def test_the_bulk_service_is_paged_beyond_the_cap_in_a_stable_order(
    load: Load, upstream_says: Says
) -> None:
    double = upstream_says(geoportail(document=PLUI, zone_count=5001))

    answer = load("plu").post(params={"commune": "77014", "bulk": "wfs"}).json

    pages = [asked.query for asked in double.asked if asked.path.endswith("/ows")]
    assert answer["records"] == 5001
    assert [page["STARTINDEX"] for page in pages] == ["0", "1000", "2000", "3000", "4000", "5000"]
    assert {(page["COUNT"], page["SORTBY"]) for page in pages} == {("1000", "gid")}
    assert {page["CQL_FILTER"] for page in pages} == {f"partition='{EPCI_PARTITION}'"}


def test_a_quote_in_a_partition_does_not_leave_its_filter(load: Load, upstream_says: Says) -> None:
    partition = "DU_1' OR '1'='1"
    double = upstream_says(geoportail(document={"partition": partition}))

    load("plu").post(params={"commune": "77014", "bulk": "wfs"})

    assert double.asked[-1].query["CQL_FILTER"] == "partition='DU_1'' OR ''1''=''1'"


@pytest.mark.parametrize("bulk", ["apicarto", "wfs"])
def test_a_filter_that_was_ignored_is_noticed_by_the_foreign_zones(
    load: Load, upstream_says: Says, bulk: str
) -> None:
    play = geoportail(document=PLUI, zone_count=3, partition="DU_75056")

    def ignoring(asked: Asked) -> Any:
        asked.query["partition"] = "DU_75056"
        return play(asked)

    upstream_says(ignoring)

    response = load("plu").post(params={"commune": "77014", "bulk": bulk})

    assert (response.status_code, response.json["kind"]) == (502, "upstream_garbage")
    assert "filter ignored" in response.json["error"]


def test_a_geometry_that_was_ignored_is_noticed_by_the_whole_layer(
    load: Load, upstream_says: Says
) -> None:
    layer = [{"partition": f"DU_{number:05}"} for number in range(201)]
    upstream_says(lambda _asked: collection(*layer))

    response = load("plu").post(params={"geom": {"type": "Point", "coordinates": [6.8, 47.6]}})

    assert (response.status_code, response.json["kind"]) == (502, "upstream_garbage")


@pytest.mark.parametrize(("corners", "method"), [(5, "GET"), (500, "POST")])
def test_a_big_geometry_is_posted_and_a_small_one_is_not(
    load: Load, upstream_says: Says, corners: int, method: str
) -> None:
    double = upstream_says(geoportail(document=PLUI, zone_count=2))
    polygon = {"type": "Polygon", "coordinates": [[[6.8, 47.6]] * corners]}

    assert load("plu").post(params={"geom": polygon}).json["records"] == 2
    assert double.asked[0].method == method
    if method == "POST":
        assert double.asked[0].body == {"geom": polygon}


def test_the_sample_answers_a_polygon_with_the_documents_inside_it(load: Load) -> None:
    south_west, north_east = [6.70, 47.40], [7.20, 47.90]
    box = [south_west, [7.20, 47.40], north_east, [6.70, 47.90], south_west]

    answer = load("plu").post(params={"geom": {"type": "Polygon", "coordinates": [box]}}).json

    assert (answer["records"], answer["metrics"]["partitions"]) == (48, 12)


def test_the_sample_plays_the_other_communes_as_under_the_national_rules(load: Load) -> None:
    answer = load("plu").post(params={"communes": ["90001", "90050"]}).json

    assert answer["records"] == 4
    assert answer["metrics"]["communes_under_rnu"] == 1
