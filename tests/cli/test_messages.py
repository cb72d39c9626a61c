"""dead-letters and event: messages that stayed, and messages to paste."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from tests.cli.conftest import Folder

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.domain.model.errors import BusUnavailable
from fanfold.domain.model.request import RunRequest
from fanfold.messages.run_request import decode_run_request
from fanfold.ports.bus import Message
from fanfold.ports.ledger import DeadLetter, DeadLetters
from fanfold.runtime import google
from fanfold.settings import Settings

#: What is hardest to quote.
HARD = """it's "50 %" $HOME `ls` \\ é"""


@contextmanager
def ledger(folder: Folder) -> Iterator[SqliteLedger]:
    database = Database(folder.path / "fanfold.db")
    yield SqliteLedger(database)
    database.close()


def park(folder: Folder, letter_id: str, subscription: str, data: bytes = b"{}") -> None:
    with ledger(folder) as store:
        at = datetime(2026, 11, 23, tzinfo=UTC)
        store.park(DeadLetter(letter_id, subscription, "why not", data, {"ce-id": "a/b"}, at))


def test_letters_are_listed_with_their_reason(folder: Folder) -> None:
    assert folder.run("dead-letters", "list").out == "no dead letters\n"
    park(folder, "abc1", "dispatcher", b"\xff")
    assert "abc1  2026-11-23 00:00:00 UTC  dispatcher  why not" in (
        folder.run("dead-letters", "list").out
    )
    (letter,) = folder.run("dead-letters", "list", "--format", "json").json()
    assert letter["data"] == {"base64": "/w=="}
    assert letter["replayed_at"] is None


@pytest.mark.parametrize("arguments", [("list",), ("replay", "brought")])
def test_what_the_bus_gave_up_on_is_brought_first(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    park(folder, "abc1", "dispatcher")

    def bring_in(_: Settings, store: DeadLetters, *, limit: int) -> int:
        at = datetime(2026, 11, 23, tzinfo=UTC)
        store.park(DeadLetter("brought", "dispatcher", "why not", b"{}", {}, at))
        return min(limit, 1)

    monkeypatch.setattr(google, "bring_in_undelivered", bring_in)
    said = folder.run("dead-letters", *arguments)
    assert (said.code, "brought" in said.out) == (0, True)


def test_letters_are_listed_though_the_bus_cannot_be_read(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    park(folder, "abc1", "dispatcher")

    def bring_in(*_: object, limit: int) -> int:
        raise BusUnavailable(f"no {limit} letters: permission denied")

    monkeypatch.setattr(google, "bring_in_undelivered", bring_in)
    said = folder.run("dead-letters", "list")
    assert (said.code, "abc1" in said.out) == (0, True)
    assert "warning: letters that the bus itself gave up on may be missing" in said.err


def test_a_replayed_letter_is_published_as_it_was(folder: Folder) -> None:
    park(folder, "abc1", "dispatcher", b'{"collectors": ["dvf"], "run_id": "again"}')
    said = folder.run("dead-letters", "replay", "abc")
    assert (said.code, "run-requests" in said.out) == (0, True)
    assert "(replayed)" in folder.run("dead-letters", "list").out
    assert folder.run("status", "again", "--format", "json").json()["status"] == "dispatching"


def test_all_replays_each_once(folder: Folder) -> None:
    park(folder, "abc1", "dispatcher")
    park(folder, "abc2", "collector_relay")
    assert folder.run("dead-letters", "replay", "--all").out.count("published again") == 2
    assert folder.run("dead-letters", "replay", "--all").out == "nothing to replay\n"


def test_all_refuses_unknown_subscriptions_one_by_one_and_goes_on(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "ours")
    monkeypatch.setenv("FANFOLD_TOPIC_PREFIX", "test-")
    for letter_id, subscription in (
        ("old1", "dispatcher"),
        ("odd1", "nowhere"),
        ("odd2", "projects/p/subscriptions/"),
        ("odd3", "run-reports"),  # people read it, no function does
        ("odd4", "run-requests\u202e"),
        ("odd5", "projects/theirs/subscriptions/test-run-requests"),
        ("odd6", "projects/ours/subscriptions/prod-run-requests"),
        ("new1", "projects/ours/subscriptions/test-collector-results"),
        ("new2", "test-collector-jobs"),
    ):
        park(folder, letter_id, subscription)
    replayed = folder.run("dead-letters", "replay", "--all")
    assert replayed.code == 2
    assert {line.partition(" ")[0] for line in replayed.out.splitlines() if "again on" in line} == {
        "old1",
        "new1",
        "new2",
    }
    for number in range(1, 7):
        assert f"error: letter odd{number} is not published" in replayed.err
    assert "next: fanfold dead-letters replay --topic TOPIC odd1" in replayed.err
    letters = folder.run("dead-letters", "list", "--format", "json").json()
    assert {each["id"] for each in letters if each["replayed_at"]} == {
        "old1",
        "new1",
        "new2",
    }
    assert folder.run("dead-letters", "replay", "--all", "--topic", "run-requests").code == 0
    assert folder.run("dead-letters", "replay", "--all").out == "nothing to replay\n"


def test_unknown_and_ambiguous_letters_are_refused(folder: Folder) -> None:
    park(folder, "abc1", "dispatcher")
    park(folder, "abc2", "nowhere")
    assert "could be any" in folder.run("dead-letters", "replay", "abc").err
    assert "there is no dead letter" in folder.run("dead-letters", "replay", "zzz").err
    assert "--topic" in folder.run("dead-letters", "replay", "abc2").err
    assert folder.run("dead-letters", "replay", "abc2", "--topic", "sweep-ticks").code == 0
    assert folder.run("dead-letters", "replay", "abc1", "--topic", "nope").code == 2


def test_the_gcloud_line_makes_the_request_that_was_meant(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FANFOLD_TOPIC_PREFIX", "test-")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "acme")
    said = folder.run(
        *("event", "run", "dvf", "--reason", HARD, "--param", f"x={json.dumps(HARD)}"), "--force"
    )
    *words, message = shlex.split(said.out)
    assert words == ["gcloud", "pubsub", "topics", "publish", "test-run-requests", "--project=acme"]
    request = decode_run_request(Message(message.removeprefix("--message=").encode()))
    assert request == RunRequest(
        collectors=("dvf",), params={"dvf": {"x": HARD}}, force=True, reason=HARD
    )


def test_on_google_the_curl_line_posts_to_the_topic(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FANFOLD_BACKEND", "google")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "acme")
    said = folder.run("event", "run", "--force", "--format", "curl").out
    words = shlex.split(said)
    topic = "https://pubsub.googleapis.com/v1/projects/acme/topics/run-requests:publish"
    assert words[words.index("POST") + 1] == topic
    assert '-H "Authorization: Bearer $(gcloud auth print-access-token)"' in said
    (message,) = json.loads(words[words.index("-d") + 1])["messages"]
    assert decode_run_request(Message(base64.b64decode(message["data"]))) == RunRequest(force=True)


def test_without_a_serve_there_is_no_curl_line(folder: Folder) -> None:
    said = folder.run("event", "run", "--force", "--format", "curl")
    assert (said.code, said.out) == (2, "")
    assert "fanfold serve" in said.err
    assert not folder.path.joinpath("fanfold.db").exists()


def test_json_is_the_message_itself(folder: Folder) -> None:
    assert folder.run("event", "run", "--format", "json").out == "{}\n"
    assert folder.run("event", "run", "dvff").code == 2
    folder.path.joinpath("config.yaml").unlink()
    said = folder.run("event", "run", "dvff", "--format", "json")
    assert (said.code, "not checked" in said.err) == (0, True)
