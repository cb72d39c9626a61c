"""Id tokens over the wire: from a metadata server, and for a service account's key file."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import exceptions
from google.auth.compute_engine import _metadata
from google.oauth2 import id_token
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from fanfold.adapters.google.identity import google_id_token
from fanfold.adapters.id_tokens import RENEW_BEFORE_S, CachedIdTokens, IdentityUnavailable
from fanfold.domain.model.errors import NotConfigured

AUDIENCE = "https://collector.example/run"
ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default/"

#: Calls a collector as a relay of this environment would, and prints the HTTP status.
CALL = """
import os, sys
from datetime import datetime, UTC
from fanfold.runtime.collector_client import collector_client
from fanfold.domain.model.collector import Auth, AuthKind, CollectorSpec
from fanfold.domain.protocol.contract import Call

kind, url = sys.argv[1:]
headers = {"Authorization": "Bearer ${FUNCTION_AUTH_TOKEN}"} if kind == "bearer" else {}
spec = CollectorSpec("dvf", url, auth=Auth(AuthKind(kind), headers))
client = collector_client(os.environ)
for _ in range(2):
    reply = client.invoke(Call(spec, "r1", 1, datetime(2099, 1, 1, tzinfo=UTC), 20.0))
    print(reply.http_status, reply.failure)
"""


class Issuer:
    """A metadata server; also a token endpoint and a collector that shows its Authorization."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.lifetime_s = 3600.0
        self.status = 200
        self.issued: list[str] = []
        self.shown: list[str] = []
        server.expect_request("/").respond_with_handler(self._ping)
        account = {"email": "relay@demo.iam.gserviceaccount.com", "aliases": [], "scopes": []}
        server.expect_request(ACCOUNT).respond_with_json(account)
        server.expect_request(f"{ACCOUNT}identity").respond_with_handler(self._identity)
        server.expect_request("/token").respond_with_handler(self._token)
        server.expect_request("/run").respond_with_handler(self._collect)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    def environment(self) -> dict[str, str]:
        return {
            "GCE_METADATA_HOST": self.host,
            "GCE_METADATA_IP": self.host,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    def _ping(self, request: Request) -> Response:
        return Response("", headers={"Metadata-Flavor": "Google"})

    def _identity(self, request: Request) -> Response:
        if request.headers.get("Metadata-Flavor") != "Google":
            return Response("", 403)
        if self.status != 200:
            return Response("no", self.status)
        return Response(self._jwt(request.args["audience"]))

    def _token(self, request: Request) -> Response:
        (assertion,) = parse_qs(request.get_data(as_text=True))["assertion"]
        payload = assertion.split(".")[1]
        asked = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return Response(
            json.dumps({"id_token": self._jwt(asked["target_audience"])}),
            content_type="application/json",
        )

    def _collect(self, request: Request) -> Response:
        self.shown.append(request.headers.get("Authorization", ""))
        return Response('{"records": 3}', content_type="application/json")

    def _jwt(self, audience: str) -> str:
        self.issued.append(audience)
        now = int(time.time())
        claims = {"aud": audience, "iat": now, "exp": now + self.lifetime_s, "n": len(self.issued)}
        return ".".join((_part({"alg": "RS256"}), _part(claims), "c2lnbmF0dXJl"))


def _part(content: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@pytest.fixture
def issuer(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    issuer = Issuer(httpserver)
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "K_SERVICE"):
        monkeypatch.delenv(name, raising=False)
    # google-auth reads GCE_METADATA_HOST once, when it is imported.
    monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", issuer.host)
    monkeypatch.setenv("GCE_METADATA_IP", issuer.host)
    return issuer


def test_a_token_is_for_its_audience_and_knows_its_end(issuer: Issuer) -> None:
    before_s = time.time()
    token = google_id_token(AUDIENCE)

    assert issuer.issued == [AUDIENCE]
    assert token.value.count(".") == 2
    assert token.expires_at_s == pytest.approx(before_s + 3600, abs=5)


@pytest.mark.parametrize(("lifetime_s", "fetched"), [(60, 1), (-60, 2)])
def test_a_token_is_kept_until_3_min_45_s_before_its_end(
    issuer: Issuer, lifetime_s: float, fetched: int
) -> None:
    assert RENEW_BEFORE_S == 225
    issuer.lifetime_s = RENEW_BEFORE_S + lifetime_s
    tokens = CachedIdTokens(google_id_token)

    assert bool(tokens.token(AUDIENCE, 10)) is bool(tokens.token(AUDIENCE, 10))
    assert len(issuer.issued) == fetched


def test_a_service_account_s_key_makes_tokens_as_well(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = _key_file(tmp_path, token_uri=f"http://{issuer.host}/token")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))

    assert google_id_token(AUDIENCE).expires_at_s > time.time() + 3500
    assert issuer.issued == [AUDIENCE]


def test_a_machine_that_may_not_make_tokens_says_which_role(issuer: Issuer) -> None:
    issuer.status = 404

    with pytest.raises(NotConfigured, match="serviceAccountTokenCreator"):
        google_id_token(AUDIENCE)


def test_without_an_identity_the_command_is_named(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))

    with pytest.raises(NotConfigured, match="gcloud auth application-default login"):
        google_id_token(AUDIENCE)


def test_on_cloud_run_a_silent_metadata_server_is_a_matter_of_time(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K_SERVICE", "fanfold-collector-relay")
    monkeypatch.setenv("GCE_METADATA_IP", "127.0.0.1:9")

    with pytest.raises(IdentityUnavailable, match="metadata server"):
        google_id_token(AUDIENCE)


@pytest.mark.parametrize(
    ("kind", "options", "ours", "text"),
    [
        (exceptions.TransportError, {}, IdentityUnavailable, "did not answer"),
        (exceptions.RefreshError, {"retryable": True}, IdentityUnavailable, "for now"),
        (exceptions.RefreshError, {}, NotConfigured, "serviceAccountTokenCreator"),
    ],
)
def test_google_s_failures_are_ours_and_say_nothing_of_what_was_sent(
    monkeypatch: pytest.MonkeyPatch,
    kind: Callable[..., Exception],
    options: Mapping[str, bool],
    ours: type[Exception],
    text: str,
) -> None:
    def fetch(audience: str, request: object) -> None:
        raise kind("canary", **options)

    monkeypatch.setattr(id_token, "fetch_id_token_credentials", fetch)
    with pytest.raises(ours, match=text) as caught:
        google_id_token(AUDIENCE)
    assert "canary" not in str(caught.value)


def test_without_google_auth_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.oauth2.id_token", None)

    with pytest.raises(NotConfigured, match=r'pip install "fanfold\[google\]"'):
        google_id_token(AUDIENCE)


def test_a_relay_shows_its_token_to_the_collector_and_fetches_it_once(issuer: Issuer) -> None:
    url = f"http://{issuer.host}/run"
    assert _call("oidc", url, issuer.environment()) == ["200 None", "200 None"]

    assert issuer.issued == [url]
    assert len(set(issuer.shown)) == 1
    assert issuer.shown[0].startswith("Bearer ey")


def test_function_auth_token_needs_no_identity(issuer: Issuer) -> None:
    env = {**issuer.environment(), "FUNCTION_AUTH_TOKEN": "plain-token"}
    assert _call("bearer", f"http://{issuer.host}/run", env) == ["200 None", "200 None"]

    assert issuer.shown == ["Bearer plain-token"] * 2
    assert issuer.issued == []


def _call(kind: str, url: str, env: Mapping[str, str]) -> list[str]:
    command = [sys.executable, "-c", CALL, kind, url]
    done = subprocess.run(
        command, env={**env}, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.splitlines()


def _key_file(folder: Path, *, token_uri: str) -> Path:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    content = {
        "type": "service_account",
        "client_email": "relay@demo.iam.gserviceaccount.com",
        "private_key_id": "1",
        "private_key": private.decode(),
        "token_uri": token_uri,
    }
    path = folder / "key.json"
    path.write_text(json.dumps(content))
    return path
