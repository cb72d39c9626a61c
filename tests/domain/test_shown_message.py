"""What people see of a dead letter has no tokens, and what is kept of it can be replayed."""

from __future__ import annotations

import json

import pytest

from fanfold.domain.protocol.shown_message import (
    shown_attributes,
    shown_text,
    without_signed_tokens,
)

SIGNED = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"
TOKEN = "5f3a9c07b1e84d62a0f7c39be1d8462f"


@pytest.mark.parametrize(
    "message",
    [
        {"run_id": "r1", "collector": "dvf", "token": TOKEN, "records": 3},
        {"run_id": "r1", "deep": [{"headers": {"Authorization": f"Basic {TOKEN}"}}]},
        {"run_id": "r1", "message": f"sent {SIGNED}"},
        {"run_id": "r1", "api_key": {"value": TOKEN}, SIGNED: 1},
        f'{{"run_id": "r1", "token": "{TOKEN}"',
        f"run_id=r1&token={TOKEN}&x=1",
        f"run_id: r1, password: '{TOKEN}'",
        f"r1 {SIGNED}",
    ],
)
def test_no_token_is_shown(message: object) -> None:
    data = message if isinstance(message, str) else json.dumps(message)
    shown = shown_text(data.encode())

    assert TOKEN not in shown
    assert SIGNED not in shown
    assert "r1" in shown
    assert "***" in shown


@pytest.mark.parametrize("text", ['{"a": [1, null, "é"]}', "plain: text, records=5", "", "[1]"])
def test_what_holds_no_token_is_shown_as_it_is(text: str) -> None:
    assert shown_text(text.encode()) == text


def test_what_is_no_text_is_shown_as_far_as_it_is() -> None:
    assert shown_text(b"\xff\xfe{") == "\ufffd\ufffd{"


def test_attributes_lose_tokens_alone() -> None:
    given = {"token": TOKEN, "ce-id": "r1/dvf", "authorization": SIGNED, "note": f"x {SIGNED}"}

    assert shown_attributes(given) == {
        "token": "***",
        "ce-id": "r1/dvf",
        "authorization": "***",
        "note": "x ***",
    }


def test_what_is_kept_loses_signed_tokens_and_nothing_else() -> None:
    kept = without_signed_tokens(f'{{"token": "{TOKEN}", "m": "{SIGNED}"}}'.encode() + b"\xff\x00")

    assert kept == f'{{"token": "{TOKEN}", "m": "***"}}'.encode() + b"\xff\x00"
