"""Secrets over the wire, from a server that speaks Secret Manager's own messages."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from google.cloud.secretmanager_v1 import (
    AccessSecretVersionRequest,
    AccessSecretVersionResponse,
    SecretManagerServiceClient,
    SecretPayload,
)
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)
from tests.adapters.google.grpc_service import Method, grpc_service

from fanfold.adapters.google.secret_manager import (
    FAILED_S,
    KEPT_S,
    SecretManager,
)
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.model.errors import NotConfigured, SecretsUnavailable

CANARY = "canary-71be02"


class Vault:
    """A Secret Manager: versions by full name, failures to tell first, what was asked."""

    def __init__(self) -> None:
        self.versions: dict[str, bytes] = {}
        self.failures: list[grpc.StatusCode] = []
        self.asked: list[str] = []
        self.pause_s = 0.0
        self.now_s = 1000.0

    def access(
        self, request: AccessSecretVersionRequest, context: grpc.ServicerContext
    ) -> AccessSecretVersionResponse:
        self.asked.append(request.name)
        time.sleep(self.pause_s)
        if self.failures:
            context.abort(self.failures.pop(0), CANARY)
        if request.name not in self.versions:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such version")
        payload = SecretPayload(data=self.versions[request.name])
        return AccessSecretVersionResponse(name=request.name, payload=payload)

    def put(self, value: bytes, name: str = "api-key", version: str = "latest") -> str:
        full = f"projects/demo/secrets/{name}/versions/{version}"
        self.versions[full] = value
        return full


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def secrets(vault: Vault) -> Iterator[SecretManager]:
    access = Method(vault.access, AccessSecretVersionRequest, AccessSecretVersionResponse)
    service = "google.cloud.secretmanager.v1.SecretManagerService"
    with (
        grpc_service(service, {"AccessSecretVersion": access}) as host,
        grpc.insecure_channel(host) as channel,
    ):
        transport = SecretManagerServiceGrpcTransport(channel=channel)
        client = SecretManagerServiceClient(transport=transport)
        yield SecretManager("demo", client, time_s=lambda: vault.now_s)


def test_references_stand_for_the_latest_or_the_named_version(
    vault: Vault, secrets: SecretManager
) -> None:
    asked = [vault.put(b"new\n"), vault.put("ol\xe9".encode(), version="7")]
    filled = EnvironmentSecrets({"BANK_PIN": "1"}, secrets).fill(
        "${secret:api-key}/${secret:api-key@7}"
    )

    assert filled == "new/ol\xe9"
    assert vault.asked == asked


def test_a_secret_is_kept_for_a_short_while(vault: Vault, secrets: SecretManager) -> None:
    vault.put(b"one")
    assert secrets("api-key", "latest") == "one"
    vault.put(b"two")
    vault.now_s += KEPT_S - 1
    assert secrets("api-key", "latest") == "one"
    vault.now_s += 2
    assert secrets("api-key", "latest") == "two"
    assert len(vault.asked) == 2


def test_fifty_threads_ask_once(vault: Vault, secrets: SecretManager) -> None:
    vault.put(b"one")
    vault.pause_s = 0.1
    with ThreadPoolExecutor(50) as pool:
        values = list(pool.map(lambda _: secrets("api-key", "latest"), range(50)))

    assert set(values) == {"one"}
    assert len(vault.asked) == 1


def test_what_passes_is_tried_again(vault: Vault, secrets: SecretManager) -> None:
    vault.put(b"one")
    vault.failures = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED]

    assert secrets("api-key", "latest") == "one"


@pytest.mark.parametrize(
    ("code", "version", "fix"),
    [
        (grpc.StatusCode.NOT_FOUND, "latest", "gcloud secrets create api-key --data-file=FILE"),
        (grpc.StatusCode.NOT_FOUND, "7", "gcloud secrets versions list api-key --project=demo"),
        (grpc.StatusCode.FAILED_PRECONDITION, "7", "gcloud secrets versions enable 7"),
        (grpc.StatusCode.PERMISSION_DENIED, "latest", "roles/secretmanager.secretAccessor"),
        (grpc.StatusCode.UNAUTHENTICATED, "latest", "gcloud auth application-default login"),
        (grpc.StatusCode.INVALID_ARGUMENT, "latest", "gcloud secrets list"),
    ],
)
def test_a_lasting_refusal_names_its_fix(
    vault: Vault, secrets: SecretManager, code: grpc.StatusCode, version: str, fix: str
) -> None:
    vault.failures = [code]

    with pytest.raises(NotConfigured) as caught:
        secrets("api-key", version)
    assert fix in str(caught.value)
    assert CANARY not in str(caught.value)


def test_a_failure_is_forgotten_soon(vault: Vault, secrets: SecretManager) -> None:
    with pytest.raises(NotConfigured):
        secrets("api-key", "latest")
    vault.put(b"one")
    with pytest.raises(NotConfigured):
        secrets("api-key", "latest")
    vault.now_s += FAILED_S
    assert secrets("api-key", "latest") == "one"


def test_a_silent_service_is_unavailable_within_seconds(
    vault: Vault, secrets: SecretManager
) -> None:
    vault.put(b"one")
    vault.pause_s = 3.0
    started = time.monotonic()

    with ThreadPoolExecutor(8) as pool:
        lookups = [pool.submit(secrets, "api-key", "latest") for _ in range(8)]
    failures = [each.exception() for each in lookups]
    assert all(isinstance(each, SecretsUnavailable) for each in failures)
    assert time.monotonic() - started < 8


def test_a_secret_shows_nowhere(
    vault: Vault, secrets: SecretManager, caplog: pytest.LogCaptureFixture
) -> None:
    vault.put(CANARY.encode())
    vault.put(b"\xff" + CANARY.encode(), name="bytes")
    with caplog.at_level(logging.DEBUG):
        assert secrets("api-key", "latest") == CANARY
        with pytest.raises(NotConfigured, match="no text") as caught:
            secrets("bytes", "latest")

    shown = f"{caught.value!r} {caught.value.__cause__} {secrets!r} {secrets._kept!r}"
    assert CANARY not in shown + caplog.text


def test_without_the_library_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.cloud.secretmanager_v1", None)
    monkeypatch.delattr("google.cloud.secretmanager_v1", raising=False)

    with pytest.raises(NotConfigured, match=r'API_KEY=….*pip install "fanfold\[secrets\]"'):
        SecretManager("demo")("api-key", "latest")


def test_without_credentials_the_command_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", f"{tmp_path}/none.json")

    with pytest.raises(NotConfigured, match="gcloud auth application-default login"):
        SecretManager("demo")("api-key", "latest")
