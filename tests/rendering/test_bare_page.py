"""A page that cannot be drawn keeps no run from its end."""

from __future__ import annotations

import json

import pytest
from tests.rendering.varieties import drawn, mixed_night

from fanfold import rendering as forms


def test_a_bug_of_the_page_leaves_the_verdict_and_the_whole_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def choke(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(forms, "Page", choke)
    report = mixed_night() | {"about": "<b>1 of 2</b>"}

    documents = drawn(report)

    page = documents["report.html"].decode()
    assert "&lt;b&gt;1 of 2&lt;/b&gt;" in page
    assert "ZeroDivisionError" in page
    assert json.loads(documents["report.json"])["about"] == "<b>1 of 2</b>"
