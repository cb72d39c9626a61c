"""Every key, with every odd value in every form: told or taken, never a crash or a hang."""

from __future__ import annotations

import pytest
from tests.config.test_fuzz import WORDS, held
from tools.config_docs import every_key

FORMS = ("{}", "[{}]", "{{value: {}}}", "{{value: {}, severity: {}}}", "{{header: {{a: {}}}}}")
ENV = {"DVF_COLLECTOR_URL": "https://h", "X": "x"}


@pytest.mark.parametrize("key", [name for name, *_ in every_key()])
def test_every_key_with_odd_values(key: str) -> None:
    parts = key.replace("NAME", "dvf").split(".")
    for form in FORMS:
        for word in WORDS:
            value = form.format(word, word)
            text = "version: 2\n" if key != "version" else ""
            for depth, part in enumerate(parts):
                text += f"{'  ' * depth}{part}:" + (f" {value}\n" if part is parts[-1] else "\n")
            if parts[0] != "scheduler":
                text += "scheduler:\n"
            if parts[:2] != ["scheduler", "collectors"]:
                text += "  collectors: {dvf: {}}\n"
            held(text.encode(), ENV)
