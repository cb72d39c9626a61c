"""DVF: editions, uncovered départements, rows and sales."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.examples.conftest import Answering, Asked, Load, Says

CSV = b"id_mutation,valeur_fonciere\n2024-1,1\n2024-1,1\n2024-2,200000\n"


def catalogue(asked: Asked) -> dict[str, str] | None:
    return (
        {"last_modified": "2026-04-10T08:00:00+00:00"} if asked.host == "www.data.gouv.fr" else None
    )


def served(file: bytes) -> Answering:
    return lambda asked: catalogue(asked) or (200, file, {})


def test_the_same_edition_is_unchanged_and_nothing_is_downloaded(
    load: Load, upstream_says: Says
) -> None:
    dvf = load("dvf")
    first = dvf.post().json
    double = upstream_says(lambda _asked: {"last_modified": first["revision"].partition("#")[0]})

    again = dvf.post(previous={"revision": first["revision"], "records": 302}).json

    assert again["unchanged"] is True
    assert again["records"] == 302
    assert again["revision"] == first["revision"]
    assert [asked.host for asked in double.asked] == ["www.data.gouv.fr"]


def test_another_edition_is_read_again(load: Load) -> None:
    answer = load("dvf").post(previous={"revision": "2025-04-11", "records": 290}).json

    assert (answer["unchanged"], answer["records"]) == (False, 302)


def test_the_same_edition_with_other_parameters_is_not_unchanged(
    load: Load, upstream_says: Says
) -> None:
    upstream_says(served(gzip.compress(CSV)))
    dvf = load("dvf")
    first = dvf.post().json

    wider = dvf.post(
        params={"departements": ["90", "25"]},
        previous={"revision": first["revision"], "records": first["records"]},
    ).json

    assert (wider["unchanged"], wider["records"]) == (False, 6)


def test_one_file_is_read_per_year_and_departement(load: Load, upstream_says: Says) -> None:
    double = upstream_says(served(gzip.compress(CSV)))

    answer = load("dvf").post(params={"departements": ["90", "2A"], "years": ["2023", "2024"]}).json

    assert answer["metrics"] == {"mutations": 8, "files": 4}
    assert [asked.path for asked in double.asked[1:]] == [
        f"/geo-dvf/latest/csv/{year}/departements/{code}.csv.gz"
        for year in (2023, 2024)
        for code in ("90", "2A")
    ]


@pytest.mark.parametrize("code", ["57", "67", "68", "976"])
def test_a_departement_outside_dvf_is_a_warning_and_not_a_failure(load: Load, code: str) -> None:
    response = load("dvf").post(params={"departements": ["90", code]})

    assert (response.status_code, response.json["records"]) == (200, 302)
    assert response.json["warnings"] == [f"département {code} is not covered by DVF"]


def test_a_year_that_is_no_longer_published_is_a_failure_that_says_so(
    load: Load, upstream_says: Says
) -> None:
    upstream_says(lambda asked: catalogue(asked) or (404, b"", {}))

    response = load("dvf").post(params={"year": "2014"})

    assert (response.status_code, response.json["kind"]) == (424, "upstream_not_found")
    assert "2014" in response.json["error"]


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        pytest.param(gzip.compress(CSV * 99)[:-9], "truncated", id="a file cut at its end"),
        pytest.param(b"\x1f\x8bnot gzip at all", "upstream_garbage", id="no gzip"),
        pytest.param(gzip.compress(b"a,b\n1,2\n"), "upstream_garbage", id="another CSV"),
        pytest.param(b"<html>", "upstream_garbage", id="an error page"),
        pytest.param(b"", "upstream_garbage", id="nothing"),
        pytest.param(gzip.compress(b""), "upstream_garbage", id="packed nothing"),
        pytest.param(gzip.compress(b"\xff\xfe"), "upstream_garbage", id="another encoding"),
    ],
)
def test_a_file_that_is_not_the_documented_one_is_never_counted(
    load: Load, upstream_says: Says, file: bytes, kind: str
) -> None:
    upstream_says(served(file))

    response = load("dvf").post()

    assert (response.status_code, response.json["kind"]) == (502, kind)


def test_a_file_that_was_unpacked_on_the_way_is_read_all_the_same(
    load: Load, upstream_says: Says
) -> None:
    upstream_says(
        lambda asked: (
            catalogue(asked)
            or (200, gzip.compress(gzip.compress(CSV)), {"Content-Encoding": "gzip"})
        )
    )
    assert load("dvf").post().json["records"] == 3

    upstream_says(served(CSV))
    assert load("dvf").post().json["records"] == 3
