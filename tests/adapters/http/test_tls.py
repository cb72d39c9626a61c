from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.adapters.http.calls import BEARER, CANARY, call, new_client
from tests.adapters.http.certificates import Certificates
from tests.adapters.http.conftest import Serve
from tests.adapters.http.servers import says

from fanfold.domain.protocol.findings import ReportedFigures

ONE = ReportedFigures(records=1)
#: Each variable goes before those behind it.
VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def test_a_trusted_collector_gets_the_credentials(certificates: Certificates) -> None:
    server = certificates.server("localhost")
    client = new_client({"SSL_CERT_FILE": certificates.authority})

    for _ in range(3):
        reply = client.invoke(call(f"https://localhost:{server.port}/", auth=BEARER))
        assert reply.findings == ONE

    assert server.requests[0].headers["authorization"] == f"Bearer {CANARY}"
    assert len(server.connections) == 3


@pytest.mark.parametrize("name", VARIABLES)
def test_the_host_says_whom_to_trust(certificates: Certificates, tmp_path: Path, name: str) -> None:
    server = certificates.server("127.0.0.1")
    url = f"https://127.0.0.1:{server.port}/"
    behind = VARIABLES[VARIABLES.index(name) + 1 :]
    env = {name: certificates.authority, **dict.fromkeys(behind, str(tmp_path / "none.pem"))}

    assert new_client(env).invoke(call(url)).findings == ONE


def test_the_file_of_the_configuration_goes_first(certificates: Certificates) -> None:
    server = certificates.server("127.0.0.1")
    client = new_client({"REQUESTS_CA_BUNDLE": "/nowhere.pem"})
    url = f"https://127.0.0.1:{server.port}/"

    assert client.invoke(call(url, ca_file=certificates.authority)).findings == ONE


@pytest.mark.parametrize("name", ["SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
def test_a_folder_of_certificates_is_read(
    certificates: Certificates, tmp_path: Path, name: str
) -> None:
    server = certificates.server("127.0.0.1")
    folder = tmp_path / "hashed"
    folder.mkdir()
    made = subprocess.run(
        ["openssl", "x509", "-noout", "-hash", "-in", certificates.authority],
        capture_output=True,
        text=True,
        check=True,
    )
    authority = Path(certificates.authority).read_bytes()
    (folder / f"{made.stdout.strip()}.0").write_bytes(authority)

    reply = new_client({name: str(folder)}).invoke(call(f"https://127.0.0.1:{server.port}/"))

    assert reply.findings == ONE


@pytest.mark.parametrize("name", [*VARIABLES, "SSL_CERT_DIR"])
def test_certificates_that_cannot_be_read_are_named(serve: Serve, name: str) -> None:
    server = serve(says(200))

    reply = new_client({name: "/nowhere/authority"}).invoke(
        call(f"https://127.0.0.1:{server.port}/", auth=BEARER)
    )

    assert reply.failure is not None
    assert reply.failure.message == (
        f"the certificates at /nowhere/authority cannot be read: {name} names them"
    )
    assert server.requests == []


def test_what_is_no_certificate_is_named(certificates: Certificates, tmp_path: Path) -> None:
    server = certificates.server("127.0.0.1")
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")

    reply = new_client().invoke(call(f"https://127.0.0.1:{server.port}/", ca_file=str(junk)))

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("network", False)
    assert f"{junk} (set by network.ca_file)" in reply.failure.message


@pytest.mark.parametrize(
    ("name", "days", "trusted", "why"),
    [
        ("127.0.0.1", 1, False, "unable to get local issuer certificate"),
        ("elsewhere.example", 1, True, "no alternative certificate subject name matches"),
        ("127.0.0.1", -1, True, "certificate has expired"),
    ],
)
def test_a_collector_without_a_valid_certificate_gets_nothing(
    certificates: Certificates, name: str, days: int, why: str, *, trusted: bool
) -> None:
    server = certificates.server(name, days=days)
    client = new_client({"SSL_CERT_FILE": certificates.authority} if trusted else {})

    reply = client.invoke(call(f"https://127.0.0.1:{server.port}/", auth=BEARER))

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("network", True)
    assert why in reply.failure.message
    assert server.requests == []


def test_a_collector_that_speaks_no_tls_gets_nothing(serve: Serve) -> None:
    plain = serve(says(200))

    reply = new_client().invoke(call(f"https://127.0.0.1:{plain.port}/", timeout_s=1, auth=BEARER))

    assert reply.failure is not None
    assert reply.failure.kind in {"timeout", "network"}  # as the bytes of its greeting happen to be
    assert CANARY not in repr(plain.requests)
