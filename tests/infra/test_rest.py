"""Buckets, ledger, queue: names and counts."""

from __future__ import annotations

import json
import re

from tests.infra.conftest import MakePlanner
from tests.infra.terraform import ROOT, Plan

ADAPTER = ROOT / "src" / "fanfold" / "adapters" / "google" / "ledger"


def test_reports_have_a_bucket_only_if_the_configuration_names_one(
    plan: Plan, full_plan: Plan
) -> None:
    assert set(plan.of("google_storage_bucket")) == {"bundles"}

    reports = full_plan.of("google_storage_bucket")["reports"]
    assert reports["name"] == "demo-fanfold"
    assert reports["lifecycle_rule"][0]["condition"][0]["age"] == 91
    assert reports["versioning"] == [{"enabled": True}]


def test_the_shipped_configuration_is_deployed_with_a_bucket_of_its_own(
    make_planner: MakePlanner,
) -> None:
    plan = make_planner("shipped").plan()

    assert plan.of("google_storage_bucket")["reports"]["name"] == "demo-fanfold-reports"
    for key, each in plan.of("google_cloudfunctions2_function").items():
        told = each["service_config"][0]["environment_variables"]
        expected = None if key == "collector_relay" else "gs://demo-fanfold-reports"
        assert told.get("FANFOLD_REPORT_BUCKET") == expected


def test_there_is_a_queue_only_with_cloud_tasks(plan: Plan, full_plan: Plan) -> None:
    assert plan.of("google_cloud_tasks_queue") == {}

    queue = full_plan.of("google_cloud_tasks_queue")["main"]
    assert queue["name"] == "staging-data-collectors"
    assert queue["rate_limits"][0]["max_concurrent_dispatches"] == 200
    assert queue["retry_config"][0]["max_attempts"] == 100


def test_the_ledger_survives_terraform(any_plan: Plan) -> None:
    database = any_plan.of("google_firestore_database")["main"]

    assert database["type"] == "FIRESTORE_NATIVE"
    assert database["deletion_policy"] == "ABANDON"
    assert database["delete_protection_state"] == "DELETE_PROTECTION_ENABLED"


def test_fields_are_as_the_firestore_adapter_wants_them(plan: Plan, full_plan: Plan) -> None:
    asked = json.loads((ADAPTER / "firestore_indexes.json").read_text("utf-8"))
    for made, prefix in ((plan, ""), (full_plan, "staging-")):
        assert {
            (each["collection"].removeprefix(prefix), each["field"]): len(each["ttl_config"])
            for each in made.of("google_firestore_field").values()
        } == {
            (each["collectionGroup"], each["fieldPath"]): int(each.get("ttl", False))
            for each in asked["fieldOverrides"]
        }
        for each in made.of("google_firestore_field").values():
            assert each["index_config"] == [{"indexes": []}]
        assert len(made.of("google_firestore_index")) == len(asked["indexes"])


def test_only_collections_at_the_top_have_the_prefix(full_plan: Plan) -> None:
    for each in full_plan.of("google_firestore_field").values():
        name = each["collection"].removeprefix("staging-")
        assert name.startswith("fanfold_") is each["collection"].startswith("staging-")


def test_every_collection_of_the_ledger_expires_but_the_state(plan: Plan) -> None:
    named = {
        name
        for path in ADAPTER.glob("*.py")
        for name in re.findall(
            r'(?:collection\(|_(?:below|own)\(cached, )"(\w+)"', path.read_text("utf-8")
        )
    }
    expiring = {
        each["collection"]
        for each in plan.of("google_firestore_field").values()
        if each["ttl_config"]
    }

    assert expiring == named - {"fanfold_state"}
