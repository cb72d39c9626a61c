"""A certificate authority of the tests' own, and servers with what it signed."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.adapters.http.servers import Server, Talk, says

ANSWER = says(200, {"records": 1})


class Certificates:
    """``authority`` is the file that whoever trusts these servers reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._servers: list[Server] = []
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fanfold tests")])
        root = self._signed(self._name, self._key, [], days=1, is_authority=True)
        self._authority = folder / "authority.pem"
        self._authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        self.subject_hash = root.subject

    @property
    def authority(self) -> str:
        return str(self._authority)

    def server(self, name: str, talk: Talk = ANSWER, *, days: int = 1) -> Server:
        """Return a server for *name*, whose certificate ends in so many *days*."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        signed = self._signed(subject, key, [_alternative(name)], days=days)
        path = self.folder / f"{name}-{days}.pem"
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(pem + signed.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)

        def wrap(connection: socket.socket) -> socket.socket:
            return context.wrap_socket(connection, server_side=True)

        self._servers.append(Server(talk, wrap=wrap))
        return self._servers[-1]

    def close(self) -> None:
        for server in self._servers:
            server.close()

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: list[x509.GeneralName],
        *,
        days: int,
        is_authority: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=10))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
