"""What a plan refuses, and with which words."""

from __future__ import annotations

from typing import Any

import pytest
from tests.infra.conftest import MakePlanner
from tests.infra.terraform import CONFIGURATIONS


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"callback_key": {"version": "latest"}}, "name a numbered version"),
        ({"function_auth_token": {"secret": "a", "version": "latest"}}, "a numbered version"),
        ({"functions": {"relay": {}}}, "aggregator, callbacks, collector_relay, console and"),
        ({"console": {"members": ["allUsers"]}}, "everybody is no wall"),
        ({"console": {"behind": "nothing"}}, "behind is iam or iap"),
        ({"console": {"behind": "iap", "members": ["group:a@example.com"]}}, "service agent alone"),
        ({"functions": {"collector_relay": {"concurrency": 9}}}, "max_concurrent_collectors"),
        ({"async_collector_members": {"callback": ["allUsers"]}}, "everybody is no wall"),
        ({"async_collector_members": {"publish": ["allAuthenticatedUsers"]}}, "IAM is its only"),
        ({"operators": ["allUsers"]}, "Name people or groups"),
        ({"log_level": "LOUD"}, "DEBUG, INFO, NOTICE"),
        ({"prefix": "far-too-long"}, "30 characters"),
        ({"prefix": "preproduction"}, "30 characters"),
        ({"config_file": str(CONFIGURATIONS / "new.yaml")}, "run make bundle"),
    ],
)
def test_a_plan_refuses(make_planner: MakePlanner, variables: dict[str, Any], said: str) -> None:
    made = make_planner("old").try_plan(**variables)

    assert made.returncode != 0
    assert said in " ".join(made.stderr.replace("│", " ").split())


def test_a_plan_refuses_a_bundle_that_was_changed_afterwards(make_planner: MakePlanner) -> None:
    planner = make_planner("old")
    (planner.folder / "build" / "dispatcher.zip").write_bytes(b"something else")

    made = planner.try_plan()

    assert made.returncode != 0
    assert "is not the one that make bundle wrote" in made.stderr


def test_a_longest_prefix_is_taken(make_planner: MakePlanner) -> None:
    accounts = make_planner("old").plan(prefix="eightlet").of("google_service_account")

    assert max(len(each["account_id"]) for each in accounts.values()) == 30
