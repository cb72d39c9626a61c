"""Requests that make no sense are the caller's failure: 400, one sentence, no retry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.examples.conftest import Load, Says


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"{", "not JSON", id="broken JSON"),
        pytest.param(b"[" * 100_000, "not JSON", id="nested without end"),
        pytest.param(b"[]", "JSON object", id="a list"),
        pytest.param(b'{"params": []}', "'params'", id="params as a list"),
        pytest.param(b'{"attempt": true}', "'attempt'", id="a boolean for a number"),
        pytest.param(b'{"deadline": "soon"}', "ISO 8601", id="a deadline in words"),
        pytest.param(b'{"deadline": "2026-01-01T00:00:00"}', "time zone", id="a naive deadline"),
        pytest.param(b'{"previous": {"records": "9"}}', "'records'", id="records as text"),
    ],
)
def test_a_body_that_breaks_the_contract_is_refused(load: Load, body: bytes, words: str) -> None:
    response = load("dvf").client.post("/", data=body, content_type="application/json")

    assert (response.status_code, response.json["kind"]) == (400, "bad_request")
    assert response.json["retryable"] is False
    assert words in response.json["error"]


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("dvf", {"departmenet": "90"}, "did you mean 'departement'"),
        ("dvf", {"departement": 1}, "in quotes"),
        ("dvf", {"departement": "20"}, "no departement"),
        ("dvf", {"departement": "../../etc"}, "no departement"),
        ("dvf", {"departement": "90\n"}, "no departement"),
        ("dvf", {"departements": []}, "empty"),
        ("dvf", {"departement": "90", "departements": ["90"]}, "not both"),
        ("dvf", {"years": ["24"]}, "no year"),
        ("sirene", {"etat_administratif": "X"}, "one of A, C"),
        ("sirene", {"source": "scrape"}, "one of search, insee"),
        ("sirene", {"section_activite_principale": "84"}, "no section"),
        ("insee_contours", {"departements": ["90", "9"]}, "no departement"),
        ("plu", {"commune": "Belfort"}, "no commune"),
        ("plu", {"commune": "90999"}, "there is no commune 90999"),
        ("plu", {"geom": "POINT(1 2)"}, "GeoJSON"),
        ("plu", {"geom": {"type": "Point"}, "commune": "90001"}, "not both"),
        ("plu", {"bulk": "yes"}, "one of apicarto, wfs"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(
    load: Load, name: str, params: dict[str, Any], words: str
) -> None:
    response = load(name).post(params=params)

    assert (response.status_code, response.json["kind"]) == (400, "bad_params")
    assert words in response.json["error"]


def test_another_method_than_post_or_get_is_405(load: Load) -> None:
    assert load("dvf").client.put("/").status_code == 405


def test_a_bug_is_one_json_error_that_quotes_nothing(
    load: Load, upstream_says: Says, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_asked: object) -> object:
        raise RuntimeError("12 rue de la demonstration".upper())

    upstream_says(broken)

    response = load("dvf").post()

    assert (response.status_code, response.json["kind"]) == (500, "bug")
    printed = capsys.readouterr()
    assert "RUE" not in response.text + printed.out + printed.err
