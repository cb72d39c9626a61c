"""``fanfold doctor`` on Google Cloud ends in time, and says what it could not reach."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions as api_exceptions
from google.auth import exceptions as auth_exceptions
from tests.cli.conftest import Folder
from tests.cli.deployed_project import healthy

from fanfold.adapters.google.bus import channels
from fanfold.cli.findings import google
from fanfold.cli.findings.finding import Finding, Level
from fanfold.ports.deployment import NotSeen
from fanfold.runtime import google as runtime

#: Google's libraries have no types.
api: Any = api_exceptions


auth: Any = auth_exceptions


def test_google_that_is_away_takes_no_longer_than_it_may() -> None:
    never = threading.Event()

    def look() -> Iterator[Finding]:
        yield Finding(Level.OK, "x", "seen")
        never.wait()

    begun = time.monotonic()
    seen, late = google.within(begun + 0.3, "Firestore", look)
    never.set()
    assert time.monotonic() - begun < 3
    assert seen.text == "seen"
    assert (late.level, late.subject) == (Level.ERROR, "Firestore")
    assert late.text.startswith("no answer in 3")

    def broken() -> Iterator[Finding]:
        raise NotSeen("really")

    (unasked,) = google.within(time.monotonic() - 1, "x", broken)
    assert unasked.text == "not looked at: no time was left"
    with pytest.raises(NotSeen, match="really"):
        list(google.within(time.monotonic() + 5, "x", broken))


def test_the_command_prints_it_and_ends_in_time(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, given = healthy(), []

    def deployment(_: object, timeout_s: float) -> Any:
        given.append(timeout_s)
        return project.looks(timeout_s)

    monkeypatch.setattr(google, "deployment", deployment)
    monkeypatch.setattr(google, "inventory", lambda _: iter(()))
    for name in runtime.EMULATORS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    # Of Firestore there is nothing here: it is given up when the time is up.
    monkeypatch.setattr("fanfold.cli.findings.machine.newest_run", lambda _: time.sleep(30))

    begun = time.monotonic()
    said = folder.run("--backend", "google", "doctor", "--timeout", "1s")

    assert time.monotonic() - begun < 25
    assert said.code == 1
    assert "✗ Firestore" in said.out
    assert "no answer in 1" in said.out
    assert folder.run("doctor", "--timeout", "soon").code == 2


@pytest.mark.parametrize(
    ("error", "subject_says", "command"),
    [
        (
            auth.DefaultCredentialsError("none found"),
            "no way into Pub/Sub: none found",
            "gcloud auth",
        ),
        (OSError("no such file"), "no way into Pub/Sub: no such file", "gcloud auth"),
    ],
)
def test_who_is_not_logged_in_is_told_so_of_pubsub_too(
    folder: Folder,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    subject_says: str,
    command: str,
) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    monkeypatch.setattr(channels, "publisher_client", refuse)
    monkeypatch.setattr(google, "deployment", lambda *_: healthy().looks())
    monkeypatch.setattr("fanfold.cli.findings.machine.newest_run", lambda _: None)
    said = folder.run("--backend", "google", "doctor")
    assert said.code == 1
    lines = said.out.splitlines()
    number = next(n for n, line in enumerate(lines) if "Pub/Sub " in line)
    assert subject_says in lines[number]
    assert lines[number + 1].startswith(f"  next    {command}")


def test_a_service_that_is_away_is_said_once(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Away:
        def get_topic(self, **_: Any) -> None:
            asked.append("topic")
            raise api.ServiceUnavailable("errors resolving pubsub.googleapis.com")

    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    monkeypatch.setattr("fanfold.adapters.google.errors.PATIENCE_S", 0.0)
    monkeypatch.setattr(channels, "publisher_client", Away)
    monkeypatch.setattr(channels, "subscriber_client", Away)
    monkeypatch.setattr(google, "deployment", lambda *_: healthy().looks())
    monkeypatch.setattr("fanfold.cli.findings.machine.newest_run", lambda _: None)
    said = folder.run("--backend", "google", "doctor")
    assert said.code == 1
    assert said.out.count("errors resolving") == 1
    assert "next    curl -sS -m 10 -o /dev/null https://firestore.googleapis.com" in said.out
