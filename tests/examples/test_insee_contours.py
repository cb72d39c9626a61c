"""Contours: every commune of the list comes with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.examples.conftest import Answering, Asked, Load, Says

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}


def geo_api(codes: list[str], geometries: list[Any]) -> Answering:
    def answer(asked: Asked) -> Any:
        if asked.query["format"] == "json":
            return [{"code": code} for code in codes]
        return {
            "features": [
                {"properties": {"code": code}, "geometry": geometry}
                for code, geometry in zip(codes, geometries, strict=False)
            ]
        }

    return answer


def test_a_commune_without_a_contour_in_the_answer_is_truncated(
    load: Load, upstream_says: Says
) -> None:
    upstream_says(geo_api(["90001", "90002"], [SQUARE]))

    response = load("insee_contours").post()

    assert (response.status_code, response.json["kind"]) == (424, "truncated")
    assert "90002" in response.json["error"]


def test_an_empty_contour_is_a_warning_and_no_record(load: Load, upstream_says: Says) -> None:
    islands = {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]] * 2}
    upstream_says(geo_api(["90001", "90002", "90003"], [SQUARE, None, islands]))

    answer = load("insee_contours").post().json

    assert answer["records"] == 2
    assert answer["metrics"]["points"] == 12
    assert answer["warnings"] == ["1 communes have an empty contour, the first is 90002"]


def test_each_departement_is_asked_for_contours_and_for_its_list(
    load: Load, upstream_says: Says
) -> None:
    double = upstream_says(geo_api(["01001"], [SQUARE]))

    load("insee_contours").post(params={"departements": ["01", "2A"]})

    assert [(asked.query["codeDepartement"], asked.query["format"]) for asked in double.asked] == [
        ("01", "geojson"), ("01", "json"), ("2A", "geojson"), ("2A", "json"),
    ]  # fmt: skip


@pytest.mark.parametrize("said", [[], {}, {"features": [3]}, {"features": [{}]}, "x", None, 1])
def test_another_document_than_a_feature_collection_is_the_upstreams_failure(
    load: Load, upstream_says: Says, said: Any
) -> None:
    upstream_says(lambda _asked: said)

    response = load("insee_contours").post()

    assert (response.status_code, response.json["kind"]) == (502, "upstream_garbage")
