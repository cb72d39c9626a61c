"""Which topics and subscriptions are missing, and how they are made."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.adapters.google.on_pubsub import project, pubsub_host

from fanfold.adapters.google.bus import channels
from fanfold.cli import main
from fanfold.devstack import topics
from fanfold.messages.topology import topology
from fanfold.runtime.google import inventory
from fanfold.settings import Settings

__all__ = ["project", "pubsub_host"]

pytestmark = pytest.mark.emulator


def missing(project: str) -> dict[tuple[str, str], str]:
    settings = Settings(project=project, topic_prefix="dev-")
    found = list(inventory(settings))
    assert len(found) == len(topology().topics) + len(topology().subscriptions)
    return {(kind, name): problem for kind, name, problem in found if problem}


def test_what_is_missing_is_named_with_the_command_that_makes_it(project: str) -> None:
    everything = missing(project)
    assert len(everything) == len(topology().topics) + len(topology().subscriptions)

    topics.create_topology(project, "dev-")
    assert missing(project) == {}

    path = f"projects/{project}/topics/dev-run-requests"
    channels.publisher_client().delete_topic(request={"topic": path})
    (gone, problem), *others = missing(project).items()
    assert (gone, others) == (("topic", "dev-run-requests"), [])
    assert "gcloud pubsub topics create dev-run-requests" in problem


def test_doctor_looks_at_the_emulators(
    project: str,
    firestore_host: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("scheduler: {collectors: {dvf: {url: 'http://127.0.0.1:9', enabled: no}}}")
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_host)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", project)
    arguments = ["--backend", "google", "--config", str(config), "doctor"]

    assert main(arguments) == 1
    without = capsys.readouterr().out
    assert "✓ Firestore" in without
    assert "✗ topic run-requests" in without
    assert "next    terraform -chdir=infra apply" in without

    topics.create_topology(project)
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert f"✓ Pub/Sub                 {len(topology().topics)} topics and" in said

    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    assert main(arguments) == 1
    unnamed = capsys.readouterr().out
    assert "next    export GOOGLE_CLOUD_PROJECT=my-project" in unnamed
    assert "topic" not in unnamed
