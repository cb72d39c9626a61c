from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.adapters.http.calls import BEARER, CANARY, call, new_client
from tests.adapters.http.servers import Server, says

from fanfold.domain.protocol.contract import ReportedFigures

x509 = pytest.importorskip("cryptography.x509")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and a certificate of its own making for ``localhost``."""
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    pem = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(pem + signed.public_bytes(encoding))
    return path


@pytest.fixture
def server(certificate: Path) -> Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def wrap(connection: socket.socket) -> socket.socket:
        return context.wrap_socket(connection, server_side=True)

    return Server(says(200, {"records": 1}), wrap=wrap)


def test_a_trusted_collector_gets_the_credentials(server: Server, certificate: Path) -> None:
    client = new_client({"SSL_CERT_FILE": str(certificate)})

    for _ in range(3):
        reply = client.invoke(call(f"https://localhost:{server.port}/", auth=BEARER))
        assert reply.findings == ReportedFigures(records=1)
    client.close()
    server.close()

    assert server.requests[0].headers["authorization"] == f"Bearer {CANARY}"
    assert len(server.connections) == 3


@pytest.mark.parametrize(
    ("host", "trusted", "why"),
    [
        ("localhost", False, "self-signed certificate"),
        ("127.0.0.1", True, "no alternative certificate subject name matches"),
    ],
)
def test_a_collector_without_a_valid_certificate_gets_nothing(
    server: Server, certificate: Path, host: str, *, trusted: bool, why: str
) -> None:
    client = new_client({"SSL_CERT_FILE": str(certificate)} if trusted else {})

    reply = client.invoke(call(f"https://{host}:{server.port}/", auth=BEARER))
    client.close()
    server.close()

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("network", True)
    assert why in reply.failure.message
    assert server.requests == []


def test_a_collector_that_speaks_no_tls_gets_nothing() -> None:
    plain = Server(says(200))
    client = new_client()

    reply = client.invoke(call(f"https://127.0.0.1:{plain.port}/", timeout_s=1, auth=BEARER))
    client.close()
    plain.close()

    assert reply.failure is not None
    assert reply.failure.kind in {"timeout", "network"}  # as the bytes of its greeting happen to be
    assert CANARY not in repr(plain.requests)
