"""Who may do what, against an inventory that a person can read: inventory.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.infra.terraform import Plan

INVENTORY = yaml.safe_load(Path(__file__).with_name("inventory.yaml").read_text("utf-8"))

#: On what a role is given, by the resource that gives it.
ON = {
    "google_cloud_run_v2_service_iam_member": ("service", "name"),
    "google_cloud_tasks_queue_iam_member": ("queue", "name"),
    "google_project_iam_member": ("project", "project"),
    "google_pubsub_subscription_iam_member": ("subscription", "subscription"),
    "google_pubsub_topic_iam_member": ("topic", "topic"),
    "google_secret_manager_secret_iam_member": ("secret", "secret_id"),
    "google_service_account_iam_member": ("account", "service_account_id"),
    "google_storage_bucket_iam_member": ("bucket", "bucket"),
}

#: Whose address holds the project's number, which a plan knows only if it is given.
PUBSUB_AGENT = "Pub/Sub itself"


def grants(plan: Plan) -> dict[str, list[str]]:
    """Return every grant of *plan* as ``role on what``, by who has it."""
    found: dict[str, list[str]] = {}
    for each in plan.resources:
        if not each["type"].endswith("_iam_member"):
            continue
        kind, argument = ON[each["type"]]  # a grant of another kind belongs into this table first
        values = each["values"]
        name = values.get(argument) or each.get("index", "")
        only = "".join(f", only {one['expression']}" for one in values.get("condition") or [])
        member = values.get("member") or _unknown(plan, each)
        found.setdefault(member, []).append(f"{values['role']} on {kind} {name}{only}")
    return {member: sorted(rights) for member, rights in sorted(found.items())}


def _unknown(plan: Plan, each: dict[str, Any]) -> str:
    written = plan.written(each["type"], each["name"])["member"]
    assert written == {"references": ["local.pubsub_agent"]}
    return PUBSUB_AGENT


@pytest.mark.parametrize(("fixture", "name"), [("plan", "defaults"), ("full_plan", "everything")])
def test_grants_are_those_of_the_inventory(
    request: pytest.FixtureRequest, fixture: str, name: str
) -> None:
    assert grants(request.getfixturevalue(fixture)) == {
        member: sorted(rights) for member, rights in INVENTORY[name].items()
    }


def test_nobody_has_a_basic_role(any_plan: Plan) -> None:
    roles = {right.split(" ")[0] for rights in grants(any_plan).values() for right in rights}

    assert roles.isdisjoint({"roles/owner", "roles/editor", "roles/viewer"})
    assert not any(role.endswith((".admin", "Admin")) for role in roles)


def test_nothing_is_open_to_the_world(any_plan: Plan) -> None:
    assert set(grants(any_plan)).isdisjoint({"allUsers", "allAuthenticatedUsers"})
    for bucket in any_plan.of("google_storage_bucket").values():
        assert bucket["public_access_prevention"] == "enforced"
        assert bucket["uniform_bucket_level_access"] is True


def test_whoever_may_call_back_cannot_call_the_relay(full_plan: Plan) -> None:
    rights = grants(full_plan)["serviceAccount:slow@demo.iam.gserviceaccount.com"]

    assert rights == ["roles/run.invoker on service staging-fanfold-callbacks"]


def test_with_cloud_tasks_nobody_publishes_jobs(full_plan: Plan) -> None:
    jobs = "roles/pubsub.publisher on topic staging-collector-jobs"

    assert [member for member, rights in grants(full_plan).items() if jobs in rights] == []


def test_the_build_adds_images_and_deletes_none(any_plan: Plan) -> None:
    (role,) = any_plan.of("google_project_iam_custom_role").values()

    assert all(each.startswith("artifactregistry.") for each in role["permissions"])
    assert not any(
        each.rpartition(".")[2].startswith(("delete", "setIam")) for each in role["permissions"]
    )


def test_no_policy_overwrites_what_others_granted(any_plan: Plan) -> None:
    kinds = {each["type"] for each in any_plan.resources}

    assert not any(kind.endswith(("_iam_binding", "_iam_policy")) for kind in kinds)


def test_every_function_works_as_itself(any_plan: Plan) -> None:
    accounts = any_plan.of("google_service_account")
    used = set()
    for key, each in any_plan.of("google_cloudfunctions2_function").items():
        email = each["service_config"][0]["service_account_email"]
        assert email == f"{accounts[key]['account_id']}@demo.iam.gserviceaccount.com"
        assert "/fanfold-build@" in each["build_config"][0]["service_account"].replace(
            "staging-", ""
        )
        used.add(email)
    assert len(used) == len(any_plan.of("google_cloudfunctions2_function"))


def test_account_names_fit(any_plan: Plan) -> None:
    for each in any_plan.of("google_service_account").values():
        assert 6 <= len(each["account_id"]) <= 30
