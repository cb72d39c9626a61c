"""What an apply changes: on an empty project, and on one that is deployed. Nothing that holds what
cannot be made again is ever replaced or removed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from tests.infra.conftest import SHIPPED
from tests.infra.world import World, kinds

#: What holds something that cannot be made again, or whose messages would be lost.
PERMANENT = {
    "google_firestore_database",
    "google_pubsub_subscription",
    "google_pubsub_topic",
    "google_storage_bucket",
}


def _safe(world: World) -> dict[str, list[str]]:
    """Return what an apply would change, once it is sure that nothing permanent goes."""
    changes = dict(world.changes())
    gone = [*changes.get("replaced", []), *changes.get("removed", [])]
    assert PERMANENT.isdisjoint(each.partition("[")[0].partition(".")[0] for each in gone), gone
    return changes


def _shipped(*changes: tuple[str, str]) -> str:
    text = SHIPPED.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_an_empty_project_gets_everything_and_loses_nothing(empty: World) -> None:
    changes = empty.changes()

    assert set(changes) == {"made"}
    assert kinds(changes["made"]) == {
        "artifact_registry_repository": 1,
        "cloud_run_v2_service_iam_member": 3,
        "cloud_scheduler_job": 5,
        "cloudfunctions2_function": 3,
        "firestore_database": 1,
        "firestore_field": 30,
        "monitoring_alert_policy": 6,
        "project_iam_custom_role": 1,
        "project_iam_member": 6,
        "project_service": 12,
        "pubsub_subscription": 7,
        "pubsub_subscription_iam_member": 6,
        "pubsub_topic": 6,
        "pubsub_topic_iam_member": 8,
        "secret_manager_secret_iam_member": 2,
        "service_account": 7,
        "service_account_iam_member": 3,
        "storage_bucket": 2,
        "storage_bucket_iam_member": 4,
        "storage_bucket_object": 3,
    }


def test_a_second_apply_changes_nothing(deployed: World) -> None:
    assert deployed.changes() == {}


def test_another_configuration_is_two_bundles_two_functions_and_its_schedule(
    deployed: World,
) -> None:
    changes = _safe(deployed.configured(_shipped(('"45 3 * * *"', '"50 3 * * *"'))))

    assert changes == {
        "made": ['google_cloud_scheduler_job["nightly-50_3_x_x_x"]'],
        "changed": [
            'google_cloudfunctions2_function["aggregator"]',
            'google_cloudfunctions2_function["dispatcher"]',
        ],
        "removed": ['google_cloud_scheduler_job["nightly-45_3_x_x_x"]'],
        "replaced": [
            'google_storage_bucket_object.bundle["aggregator"]',
            'google_storage_bucket_object.bundle["dispatcher"]',
        ],
    }


def test_a_collector_that_is_removed_takes_its_schedule_alone(deployed: World) -> None:
    document = yaml.safe_load(SHIPPED.read_text("utf-8"))
    del document["scheduler"]["collectors"]["plu"]

    changes = _safe(deployed.configured(yaml.safe_dump(document, allow_unicode=True)))

    assert "made" not in changes
    assert changes["removed"] == ['google_cloud_scheduler_job["nightly-45_3_x_x_x"]']


def test_cloud_tasks_bring_a_queue_and_take_the_right_to_publish_jobs(deployed: World) -> None:
    changes = _safe(
        deployed.configured(_shipped(("use_cloud_tasks: false", "use_cloud_tasks: true")))
    )

    assert kinds(changes["made"]) == {
        "cloud_run_v2_service_iam_member": 1,
        "cloud_tasks_queue": 1,
        "cloud_tasks_queue_iam_member": 2,
        "project_service": 1,
        "service_account": 1,
        "service_account_iam_member": 2,
    }
    assert changes["removed"] == [
        'google_pubsub_topic_iam_member.publishes["aggregator publishes collector-jobs"]',
        'google_pubsub_topic_iam_member.publishes["collector_relay publishes collector-jobs"]',
        'google_pubsub_topic_iam_member.publishes["dispatcher publishes collector-jobs"]',
    ]
    assert kinds(changes["replaced"]) == {"storage_bucket_object": 2}
    assert kinds(changes["changed"]) == {"cloudfunctions2_function": 3}


def test_one_collector_by_cloud_tasks_brings_a_queue_with_its_share_and_takes_no_right(
    deployed: World,
) -> None:
    document = yaml.safe_load(SHIPPED.read_text("utf-8"))
    document["scheduler"]["collectors"]["plu"]["transport"] = "cloud_tasks"
    document["scheduler"]["max_concurrent_collectors"] = 10
    world = deployed.configured(yaml.safe_dump(document, allow_unicode=True))

    changes = _safe(world)

    assert "cloud_tasks_queue" in kinds(changes["made"])
    assert "removed" not in changes
    enabled = [
        each for each in document["scheduler"]["collectors"].values() if each.get("enabled", True)
    ]
    (queue,) = world.plan().of("google_cloud_tasks_queue").values()
    assert queue["rate_limits"][0]["max_concurrent_dispatches"] == 10 // len(enabled)


def test_a_second_environment_shares_the_database_and_nothing_else(empty: World) -> None:
    world = empty.given(prefix="staging", firestore={"create": False})

    changes = world.changes()

    assert set(changes) == {"made"}
    assert "firestore_database" not in kinds(changes["made"])
    assert kinds(changes["made"])["firestore_field"] == 30


def test_an_existing_database_is_left_alone(empty: World) -> None:
    made = kinds(empty.changes()["made"])
    shared = kinds(empty.given(firestore={"create": False}).changes()["made"])

    assert {**shared, "firestore_database": 1} == made


def test_an_address_for_alerts_is_a_channel_and_its_absence_none(deployed: World) -> None:
    changes = _safe(deployed.given(alert_email="night@example.com"))

    assert changes["made"] == ["google_monitoring_notification_channel.email[0]"]
    assert kinds(changes["changed"]) == {"monitoring_alert_policy": 6}
    assert set(changes) == {"made", "changed"}


def test_another_region_moves_neither_the_database_nor_a_bucket(deployed: World) -> None:
    moved = deployed.given(region="europe-west1")

    said = moved.refusal()
    assert "The database is in europe-west9 and stays there" in said
    assert "The bucket of reports is in europe-west9 and stays there" in said

    stay = {"bucket_location": "europe-west9", "firestore": {"location": "europe-west9"}}
    changes = _safe(moved.given(**stay, schedule_region="europe-west9"))
    replaced = kinds(changes["replaced"])
    assert replaced["cloudfunctions2_function"] == 3
    assert "cloud_scheduler_job" not in replaced


@pytest.mark.parametrize("location", ["eur3", "europe-west1"])
def test_a_database_is_never_replaced(deployed: World, location: str) -> None:
    said = deployed.given(firestore={"location": location}).refusal()

    assert 'Write firestore = { location = "europe-west9" }' in said


def test_another_bucket_is_no_reason_to_remove_the_reports(deployed: World) -> None:
    url = "${FANFOLD_REPORT_BUCKET:-}"
    said = deployed.configured(_shipped((f"bucket: {url}", "bucket: gs://elsewhere"))).refusal()

    assert "The reports are in demo-fanfold-reports" in said


def test_a_schedule_that_was_paused_by_hand_stays_paused(deployed: World) -> None:
    deployed.write_state("google_cloud_scheduler_job", paused=True)

    assert deployed.changes() == {}


def test_a_wrong_project_number_stops_before_a_function_is_made(
    empty: World, tmp_path: Path
) -> None:
    world = empty.copy(tmp_path).given(project_number="999")

    said = world.refusal("apply", "-auto-approve")

    assert "The number of demo is 123456789012, not 999" in said
    state = json.loads((tmp_path / "state").read_text("utf-8"))
    made = {each["type"] for each in state["resources"]}
    assert "google_cloudfunctions2_function" not in made


def test_what_a_function_is_told_and_built_of_is_known_to_the_plan(empty: World) -> None:
    # "Provider produced inconsistent final plan" is what the provider says to anything else.
    world = empty.given(
        async_collector_members={"callback": ["serviceAccount:slow@demo.iam.gserviceaccount.com"]}
    )
    told = world.plan().of("google_cloudfunctions2_function")
    address = "https://fanfold-callbacks-123456789012.europe-west9.run.app"
    variables = told["collector_relay"]["service_config"][0]["environment_variables"]
    assert variables["FANFOLD_CALLBACK_URL"] == address
    for each in told.values():
        source = each["build_config"][0]["source"][0]["storage_source"][0]
        assert source["bucket"] == "demo-fanfold-bundles"
        assert source["object"].endswith(".zip")


def test_without_the_number_an_address_is_refused_that_only_an_apply_could_tell(
    empty: World,
) -> None:
    members = {"callback": ["serviceAccount:slow@demo.iam.gserviceaccount.com"]}

    said = empty.given(project_number=None, async_collector_members=members).refusal()

    assert "write project_number (gcloud projects describe demo" in said
