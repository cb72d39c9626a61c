"""The live transport, against a server on this machine that stands in for all of France."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import _kit.transport
import pytest
from requests.adapters import HTTPAdapter
from werkzeug import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests
    from pytest_httpserver import HTTPServer
    from tests.examples.conftest import Load


ONE_UNIT = {"results": [{"siren": "1"}], "total_results": 1}


@pytest.fixture
def server(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """Lead the live sessions, TLS left out, to a local server."""

    class Detour(HTTPAdapter):
        def send(
            self, request: requests.PreparedRequest, *args: Any, **settings: Any
        ) -> requests.Response:
            url = urlsplit(request.url or "")
            request.headers["X-Meant-For"] = url.netloc
            request.url = url._replace(
                scheme="http", netloc=f"127.0.0.1:{httpserver.port}"
            ).geturl()
            return super().send(request, *args, **settings)

    monkeypatch.setenv("COLLECTOR_SOURCE", "live")
    monkeypatch.setattr(_kit.transport, "HTTPAdapter", Detour)
    monkeypatch.setattr("_kit.upstream._PACES", {})
    _kit.transport._live_session.cache_clear()
    yield httpserver
    for name in ("dvf", "sirene", "insee_contours", "plu"):
        _kit.transport._live_session(name).close()
    _kit.transport._live_session.cache_clear()


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_live_is_the_default_source(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLLECTOR_SOURCE")

    assert load("dvf").client.get("/").json["source"] == "live"


def test_a_search_says_who_asks_and_what_for(
    load: Load, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTOR_CONTACT", "data@example.org")
    server.expect_request("/search").respond_with_json(ONE_UNIT)

    assert load("sirene").post(params={"section_activite_principale": "F"}).json["records"] == 1

    ((request, _),) = server.log
    assert request.headers["User-Agent"] == "fanfold-example-sirene/1.0 (data@example.org)"
    assert request.headers["X-Meant-For"] == "recherche-entreprises.api.gouv.fr"
    assert dict(request.args) == {
        "departement": "90",
        "etat_administratif": "A",
        "section_activite_principale": "F",
        "minimal": "true",
        "page": "1",
        "per_page": "25",
    }


def test_insee_is_asked_with_the_key_and_follows_the_cursor(
    load: Load, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSEE_API_KEY", "made-up-key\n")
    # The real pace, one request in two seconds, has a test of its own.
    monkeypatch.setattr("_kit.upstream.time.sleep", lambda _seconds: None)
    pages = {"*": ("A", "1"), "A": ("B", "2"), "B": ("B", "3")}

    def page(request: Request) -> Response:
        following, number = pages[request.args["curseur"]]
        body = {
            "header": {"total": 3, "curseurSuivant": following},
            "etablissements": [{"siren": "123", "siret": f"123{number}"}],
        }
        return Response(json.dumps(body))

    server.expect_request("/api-sirene/3.11/siret").respond_with_handler(page)

    answer = load("sirene").post(params={"source": "insee"}).json

    assert (answer["records"], answer["metrics"]["units"]) == (3, 1)
    requests = [request for request, _ in server.log]
    assert {request.headers["X-INSEE-Api-Key-Integration"] for request in requests} == {
        "made-up-key"
    }
    assert [request.args["curseur"] for request in requests] == ["*", "A", "B"]
    assert requests[0].args["nombre"] == "1000"
    assert requests[0].args["q"] == (
        "codeCommuneEtablissement:90* AND periode(etatAdministratifEtablissement:A)"
    )


def test_insee_says_404_for_no_result(
    load: Load, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSEE_API_KEY", "made-up-key")
    server.expect_request("/api-sirene/3.11/siret").respond_with_data(status=404)

    response = load("sirene").post(params={"source": "insee"})

    assert (response.status_code, response.json["records"]) == (200, 0)


def test_insee_without_a_key_says_where_to_get_one(load: Load, server: HTTPServer) -> None:
    response = load("sirene").post(params={"source": "insee"})

    assert response.status_code == 400
    assert "INSEE_API_KEY" in response.json["error"]
    assert server.log == []


def test_a_key_never_follows_a_redirect(
    load: Load, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSEE_API_KEY", "made-up-key")
    server.expect_request("/api-sirene/3.11/siret").respond_with_data(
        status=302, headers={"Location": server.url_for("/elsewhere")}
    )

    response = load("sirene").post(params={"source": "insee"})

    assert (response.status_code, response.json["kind"]) == (424, "upstream_refused")
    assert [request.path for request, _ in server.log] == ["/api-sirene/3.11/siret"]


def test_an_open_file_may_be_redirected(load: Load, server: HTTPServer) -> None:
    server.expect_request("/search").respond_with_data(
        status=302, headers={"Location": "https://mirror.example/found"}
    )
    server.expect_request("/found").respond_with_json(ONE_UNIT)

    assert load("sirene").post().json["records"] == 1


def test_a_cookie_that_the_upstream_sets_is_not_kept(load: Load, server: HTTPServer) -> None:
    server.expect_request("/search").respond_with_json(
        ONE_UNIT, headers={"Set-Cookie": "tracked=1"}
    )
    sirene = load("sirene")

    sirene.post()
    sirene.post()

    assert all("Cookie" not in request.headers for request, _ in server.log)


def test_bytes_that_trickle_do_not_outlive_the_deadline(load: Load, server: HTTPServer) -> None:
    def trickle() -> Iterator[bytes]:
        for _ in range(30):
            yield b" "
            time.sleep(0.1)

    server.expect_request("/search").respond_with_handler(lambda _request: Response(trickle()))
    started_s = time.monotonic()

    response = load("sirene").post(deadline=in_seconds(0.6))

    assert (response.status_code, response.json["kind"]) == (504, "deadline")
    assert time.monotonic() - started_s < 2


@pytest.mark.parametrize("first", [b"", b" "], ids=["before its head", "in its body"])
def test_silence_does_not_outlive_the_deadline(
    load: Load, server: HTTPServer, first: bytes
) -> None:
    def silent() -> Iterator[bytes]:
        yield first
        time.sleep(2)
        yield b"{}"

    server.expect_request("/search").respond_with_handler(lambda _request: Response(silent()))
    started_s = time.monotonic()

    response = load("sirene").post(deadline=in_seconds(0.6))

    assert (response.status_code, response.json["kind"]) == (504, "deadline")
    assert time.monotonic() - started_s < 1.5


def test_silence_after_a_late_byte_does_not_outlive_the_deadline(
    load: Load, server: HTTPServer
) -> None:
    def late() -> Iterator[bytes]:
        yield b" "
        time.sleep(0.8)
        yield b" "  # from here on, a socket's own time-out would wait for another second
        time.sleep(2)

    server.expect_request("/search").respond_with_handler(lambda _request: Response(late()))
    started_s = time.monotonic()

    response = load("sirene").post(deadline=in_seconds(1))

    assert (response.status_code, response.json["kind"]) == (504, "deadline")
    assert time.monotonic() - started_s < 1.5


def test_an_answer_that_ends_too_early_is_truncated(load: Load, server: HTTPServer) -> None:
    server.expect_request("/search").respond_with_handler(
        lambda _request: Response(iter([b"{"]), headers={"Content-Length": "1000"})
    )

    response = load("sirene").post()

    assert (response.status_code, response.json["kind"]) == (502, "truncated")
    assert response.json["retryable"] is True


def test_a_server_that_is_not_there_is_left_to_the_next_attempt(
    load: Load, server: HTTPServer
) -> None:
    server.stop()

    response = load("sirene").post()

    assert (response.status_code, response.json["kind"]) == (503, "upstream_unavailable")
    assert "127.0.0.1" not in response.json["error"]
    server.start()


def test_a_packed_answer_is_unpacked_and_counted_as_it_is_read(
    load: Load, server: HTTPServer
) -> None:
    body = json.dumps(ONE_UNIT).encode()
    server.expect_request("/search").respond_with_data(
        gzip.compress(body), headers={"Content-Encoding": "gzip"}
    )

    assert load("sirene").post().json["bytes"] == len(body)
