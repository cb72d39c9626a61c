"""``fanfold notify test``, and what ``fanfold check`` says of who is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from tests.cli.conftest import Folder

SECRET = "whsec_" + "A" * 44  # a test's own

# Apprise loads all its services, and with them modules that Python will drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def notifying(folder: Folder, **notify: Any) -> None:
    path = folder.path / "config.yaml"
    document = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**document, "notify": notify}), "utf-8")


def test_each_target_is_sent_a_sample_and_what_it_said_is_printed(
    folder: Folder, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request("/mail").respond_with_data("")
    httpserver.expect_request("/hook").respond_with_data("", 403)
    monkeypatch.setenv("MAILBOX", httpserver.url_for("/mail").replace("http", "json"))
    monkeypatch.setenv("HOOK", httpserver.url_for("/hook"))
    monkeypatch.setenv("SIGN", SECRET)
    notifying(folder, to="${MAILBOX}", webhook={"url": "${HOOK}", "secret": "${SIGN}"})

    said = folder.run("notify", "test")
    assert said.code == 5
    assert said.out.splitlines() == [
        "✓ notify.to[0] took it",
        "✗ notify.webhook answered HTTP 403",
    ]
    sent = {request.path: json.loads(request.get_data()) for request, _ in httpserver.log}
    assert sent["/mail"]["title"].startswith("✓ a test of fanfold")
    assert sent["/hook"]["type"] == "dev.fanfold.notify.test.v1"

    notifying(folder, to="${MAILBOX}")
    said = folder.run("notify", "test", "--format", "json")
    assert (said.code, said.json()) == (0, {"notify.to[0]": {"ok": True, "error": None}})


def test_without_a_target_it_says_which_keys_name_one(folder: Folder) -> None:
    said = folder.run("notify", "test")

    assert said.code == 2
    assert "notify names no target" in said.err


def test_check_tells_who_hears_what_and_when(folder: Folder) -> None:
    assert "told:" not in folder.run("check").out
    webhook = {"url": "http://127.0.0.1:9/", "secret": SECRET}
    notifying(folder, to=["json://127.0.0.1:9/a", "json://127.0.0.1:9/b"], webhook=webhook)

    lines = folder.run("check").out.splitlines()
    changed = "of what changed (failed, recovered, missed, rejected), again on slot 3 and every 7d"
    assert any(line.startswith(f"told: 2 targets {changed}") for line in lines)
    every = "told: notify.webhook of every finished, missed and refused run, signed"
    assert every in lines


def test_a_target_whose_secret_is_not_set_is_said_and_keeps_no_run_from_starting(
    folder: Folder,
) -> None:
    webhook = {"url": "http://127.0.0.1:9/", "secret": "${NO_SIGN}"}
    notifying(folder, to=["json://127.0.0.1:9/a", "${NO_MAILBOX}"], webhook=webhook)

    checked = folder.run("check")
    assert checked.code == 0
    assert "warning: notify.to[1]: NO_MAILBOX is not set: runs go on" in checked.err
    lines = [line for line in checked.out.splitlines() if "told" in line]
    assert lines[:2] == [
        "not told: notify.to[1], see its warning",
        "not told: notify.webhook.secret, see its warning",
    ]
    assert [line[:14] for line in lines[2:]] == ["told: 1 target"]
    said = folder.run("notify", "test")
    assert "✗ notify.webhook: NO_SIGN is not set: export NO_SIGN=…" in said.out.splitlines()

    notifying(folder, to="${NO_MAILBOX}", on=["succeeded"])
    assert folder.run("run").code == 0
    letter = folder.run("dead-letters", "list").out
    assert "notifications  NO_MAILBOX is not set: export NO_MAILBOX=…" in letter


def test_a_run_that_works_alone_tells_its_targets_before_it_ends(
    folder: Folder, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("")
    notifying(folder, webhook={"url": httpserver.url_for("/hook"), "secret": SECRET})

    said = folder.run("run", "--format", "json")
    (event,) = [json.loads(request.get_data()) for request, _ in httpserver.log]
    assert event["type"] == "dev.fanfold.run.finished.v1"
    assert event["data"]["run_id"] == said.json()["run_id"]


def test_a_target_that_is_away_changes_neither_the_run_nor_its_code(folder: Folder) -> None:
    notifying(folder, webhook={"url": "http://127.0.0.1:9/", "secret": SECRET})

    said = folder.run("run", "--format", "json")
    assert (said.code, said.json()["status"]) == (0, "succeeded")
