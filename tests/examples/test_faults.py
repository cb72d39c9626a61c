"""``?fault=``: every failure can be looked at, in sample mode and only there."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.examples.conftest import Load, Says

NAMES = ["dvf", "sirene", "insee_contours", "plu"]


@pytest.mark.parametrize("name", NAMES)
def test_503_is_retried_once_and_then_handed_on_with_its_wait(
    load: Load, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    naps: list[float] = []
    monkeypatch.setattr("_kit.upstream.time.sleep", naps.append)

    response = load(name).post("?fault=503")

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert response.json["kind"] == "upstream_unavailable"
    assert response.json["retryable"] is True
    assert response.json["retry_after"] == 1
    assert naps.count(1.0) == 1


@pytest.mark.parametrize("name", NAMES)
def test_empty_is_200_with_0_records_and_a_warning_that_says_why(load: Load, name: str) -> None:
    response = load(name).post("?fault=empty")

    assert response.status_code == 200
    assert response.json["records"] == 0
    assert response.json["unchanged"] is False
    assert len(response.json["warnings"]) == 1


@pytest.mark.parametrize(
    ("name", "status"), [("dvf", 502), ("sirene", 424), ("insee_contours", 424), ("plu", 424)]
)
def test_cap_is_never_taken_for_a_whole_answer(load: Load, name: str, status: int) -> None:
    response = load(name).post("?fault=cap")

    assert (response.status_code, response.json["kind"]) == (status, "truncated")


def test_cap_is_noticed_in_the_bulk_service_too(load: Load) -> None:
    response = load("plu").post("?fault=cap", params={"bulk": "wfs"})

    assert (response.status_code, response.json["kind"]) == (424, "truncated")


@pytest.mark.parametrize("name", NAMES)
def test_garbage_is_200_with_a_body_that_is_not_json(load: Load, name: str) -> None:
    response = load(name).post("?fault=garbage")

    assert response.status_code == 200
    with pytest.raises(ValueError, match="invalid start byte"):
        json.loads(response.data)


def test_slow_trickles_for_the_seconds_asked_and_is_right_in_the_end(load: Load) -> None:
    started_s = time.monotonic()

    response = load("dvf").post("?fault=slow&seconds=0.3")

    assert response.data.startswith(b" ")
    assert json.loads(response.data)["records"] == 302
    assert time.monotonic() - started_s >= 0.3


@pytest.mark.parametrize("fault", ["503", "empty", "cap"])
def test_a_fault_shows_even_after_a_success_whose_edition_is_known(load: Load, fault: str) -> None:
    dvf = load("dvf")
    previous = {"revision": dvf.post().json["revision"], "records": 302}

    response = dvf.post(f"?fault={fault}", previous=previous)

    assert response.json.get("records", 0) == 0


def test_an_unknown_fault_is_refused_with_the_known_ones(load: Load) -> None:
    response = load("dvf").post("?fault=fire")

    assert response.status_code == 400
    for name in ("503", "slow", "empty", "cap", "garbage"):
        assert name in response.json["error"]


@pytest.mark.parametrize("seconds", ["soon", "-1", "nan", "1e9"])
def test_slow_takes_only_a_sensible_number_of_seconds(load: Load, seconds: str) -> None:
    assert load("dvf").post(f"?fault=slow&seconds={seconds}").status_code == 400


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_refused_outside_sample_mode_before_anything_is_asked(
    load: Load, upstream_says: Says, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("COLLECTOR_SOURCE", "live")
    double = upstream_says(lambda _asked: {})

    response = load(name).post("?fault=empty")

    assert response.status_code == 400
    assert "sample mode" in response.json["error"]
    assert double.asked == []
