"""The night that everybody shows: its forms, byte for byte.

After a change on purpose, write them again with ``python -m tests.rendering.test_golden`` and read
the difference.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.rendering.varieties import mixed_night

from fanfold.rendering import table_lines, to_bytes, to_markdown, to_v1

GOLDEN = Path(__file__).parent / "golden"


def json_form() -> bytes:
    report = mixed_night()
    report["config"]["fanfold"] = "0.0.0"
    return to_bytes(report)


def v1_form() -> bytes:
    return json.dumps(to_v1(mixed_night()), indent=2).encode() + b"\n"


def markdown_form() -> bytes:
    return to_markdown(mixed_night()).encode()


def table_form() -> bytes:
    return "\n".join([*table_lines(mixed_night(), width=120), ""]).encode()


FORMS: dict[str, Callable[[], bytes]] = {
    "report.json": json_form,
    "report.v1.json": v1_form,
    "report.md": markdown_form,
    "report.txt": table_form,
}


@pytest.mark.parametrize("name", FORMS)
def test_the_report_is_written_as_it_always_was(name: str) -> None:
    assert FORMS[name]().decode() == (GOLDEN / name).read_text("utf-8")


def test_the_old_report_has_the_old_keys_and_words_and_no_others() -> None:
    old = to_v1(mixed_night())
    assert list(old) == [
        "start_time", "end_time", "duration_seconds", "collectors", "summary",
    ]  # fmt: skip
    assert old["summary"] == {"total": 4, "succeeded": 2, "failed": 1, "skipped": 1}
    assert old["collectors"]["dvf"] == {"status": "success", "duration": 39.0, "error": None}


if __name__ == "__main__":
    for file_name, form in FORMS.items():
        (GOLDEN / file_name).write_bytes(form())
