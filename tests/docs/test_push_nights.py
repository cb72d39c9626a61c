"""The table of deploy.md is what the model says."""

from __future__ import annotations

from tests.docs.documents import text_of
from tools.push_nights import table


def test_the_nights_of_deploy_md_are_the_models() -> None:
    assert "\n".join(table()) in text_of("docs/deploy.md")
