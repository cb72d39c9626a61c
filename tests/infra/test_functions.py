"""The three functions: what they run, how long, how many at once, and what they are told."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from tests.infra.conftest import URLS, MakePlanner
from tests.infra.terraform import CONFIGURATIONS, Plan

from fanfold.messages.topology import topology
from fanfold.settings import VARIABLES

#: What functions-framework reads, and not fanfold.
SERVER = {"THREADS"}


def _services(plan: Plan) -> dict[str, dict[str, Any]]:
    functions = plan.of("google_cloudfunctions2_function")
    return {key: each["service_config"][0] for key, each in functions.items()}


def test_there_is_a_function_for_every_one_of_the_topology(any_plan: Plan) -> None:
    fed = {each.function for each in topology().fed()}
    functions = any_plan.of("google_cloudfunctions2_function")

    assert set(functions) - {"callbacks", "console"} == fed
    for key, each in functions.items():
        assert each["build_config"][0]["entry_point"] == key
        assert each["event_trigger"] == []


def test_a_function_outlives_its_longest_delivery(any_plan: Plan) -> None:
    for key, service in _services(any_plan).items():
        deadlines_s = [each.ack_deadline_s for each in topology().fed() if each.function == key]
        assert service["timeout_seconds"] > max(deadlines_s, default=60)


def test_with_cloud_tasks_the_relay_outlives_half_an_hour(full_plan: Plan) -> None:
    assert _services(full_plan)["collector_relay"]["timeout_seconds"] > 1800


def test_there_are_as_many_threads_as_requests_at_once(any_plan: Plan) -> None:
    for service in _services(any_plan).values():
        threads = service["environment_variables"]["THREADS"]
        assert threads == str(service["max_instance_request_concurrency"])
        # Cloud Run takes more than one request at once only with a whole CPU.
        assert float(service["available_cpu"]) >= 1


def test_the_relays_carry_no_more_calls_than_the_configuration_allows(
    plan: Plan, full_plan: Plan
) -> None:
    for made, allowed in ((plan, 4), (full_plan, 200)):
        service = _services(made)["collector_relay"]
        calls = service["max_instance_count"] * service["max_instance_request_concurrency"]
        assert 0.9 * allowed <= calls <= allowed


def test_functions_are_told_only_what_somebody_reads(plan: Plan, full_plan: Plan) -> None:
    for made, name in ((plan, "old"), (full_plan, "new")):
        written = (CONFIGURATIONS / f"{name}.yaml").read_text("utf-8")
        asked = set(re.findall(r"\$\{([A-Z_]+)", written))
        known = set(VARIABLES) | SERVER | asked
        known |= {"SERVICE_ACCOUNT_EMAIL"}  # which the old file asks for
        known |= {*URLS, "CLOUD_FUNCTIONS_BASE_URL", "PLU_KEY"}  # of this test's own variables
        for service in _services(made).values():
            assert set(service["environment_variables"]) - known == set()


def test_everybody_is_told_the_backend_and_the_prefix(full_plan: Plan) -> None:
    for service in _services(full_plan).values():
        told = service["environment_variables"]
        assert told["FANFOLD_BACKEND"] == "google"
        assert told["FANFOLD_TOPIC_PREFIX"] == "staging-"
        assert told["GOOGLE_CLOUD_PROJECT"] == "demo"


def test_the_configuration_is_told_to_those_who_read_it(full_plan: Plan) -> None:
    services = _services(full_plan)
    for key in ("aggregator", "dispatcher"):
        told = services[key]["environment_variables"]
        assert told["FANFOLD_CONFIG"] == "config.yaml"
        assert told["DVF_COLLECTOR_URL"] == "https://dvf.example.com"
    assert "FANFOLD_CONFIG" not in services["collector_relay"]["environment_variables"]


def test_who_sends_jobs_is_told_the_queue(plan: Plan, full_plan: Plan) -> None:
    for key, service in _services(full_plan).items():
        told = service["environment_variables"]
        if key in ("collector_relay", "callbacks", "console"):
            assert "FANFOLD_TASKS_QUEUE" not in told
            continue
        assert told["FANFOLD_TASKS_QUEUE"] == "staging-data-collectors"
        assert told["FANFOLD_TASKS_LOCATION"] == "europe-west9"
        assert told["FANFOLD_TASKS_ACCOUNT"] == (
            "staging-fanfold-tasks@demo.iam.gserviceaccount.com"
        )
    assert "FANFOLD_TASKS_QUEUE" not in _services(plan)["dispatcher"]["environment_variables"]


def test_whoever_takes_answers_in_has_the_secrets_to_mask_them(full_plan: Plan) -> None:
    services = _services(full_plan)
    given = {
        key: {each["key"]: each["secret"] for each in service["secret_environment_variables"]}
        for key, service in services.items()
    }

    collectors = {"FUNCTION_AUTH_TOKEN": "auth-token", "PLU_KEY": "plu-key"}
    everything = {"FANFOLD_CALLBACK_KEY": "fanfold-callback-key", **collectors}
    assert given == {
        "aggregator": everything,
        "callbacks": everything,
        "collector_relay": everything,
        "console": {},
        "dispatcher": {},
    }


def test_an_aggregator_that_takes_no_answers_of_collectors_reads_no_secret_of_theirs(
    plan: Plan,
) -> None:
    given = _services(plan)["aggregator"]["secret_environment_variables"]

    assert [each["key"] for each in given] == ["FANFOLD_CALLBACK_KEY"]


def test_who_reads_the_configuration_knows_that_a_secret_is_set(full_plan: Plan) -> None:
    told = _services(full_plan)["dispatcher"]["environment_variables"]

    assert told["FUNCTION_AUTH_TOKEN"] == told["PLU_KEY"] == "kept-by-the-function-that-needs-it"


def test_functions_are_reached_from_inside_unless_collectors_call_back(
    plan: Plan, full_plan: Plan
) -> None:
    def ingress(made: Plan) -> dict[str, str]:
        return {key: each["ingress_settings"] for key, each in _services(made).items()}

    inside = "ALLOW_INTERNAL_ONLY"
    assert set(ingress(plan).values()) == {inside}
    assert ingress(full_plan) == {
        "aggregator": inside,
        "callbacks": "ALLOW_ALL",
        "collector_relay": inside,
        "console": "ALLOW_ALL",
        "dispatcher": inside,
    }


def test_callbacks_have_a_service_of_their_own(plan: Plan, full_plan: Plan) -> None:
    assert "callbacks" not in _services(plan)

    functions = full_plan.of("google_cloudfunctions2_function")
    sources = {
        key: each["build_config"][0]["source"][0]["storage_source"][0]
        for key, each in functions.items()
    }
    assert sources["callbacks"] == sources["collector_relay"]
    assert functions["callbacks"]["build_config"][0]["entry_point"] == "callbacks"


def test_images_are_in_a_repository_of_our_own(any_plan: Plan) -> None:
    (images,) = any_plan.of("google_artifact_registry_repository").values()
    repository = f"projects/demo/locations/europe-west9/repositories/{images['repository_id']}"

    for each in any_plan.of("google_cloudfunctions2_function").values():
        assert each["build_config"][0]["docker_repository"] == repository
    assert [each["action"] for each in images["cleanup_policies"]] == ["KEEP", "DELETE"]


def test_a_bundle_is_named_after_its_content(make_planner: MakePlanner) -> None:
    planner = make_planner("old")
    objects = planner.plan().of("google_storage_bucket_object")

    for key, each in objects.items():
        content = (planner.folder / "build" / f"{key}.zip").read_bytes()
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        assert each["name"] == f"{key}/bundle-{digest}.zip"
    assert len(objects) == 3


def test_only_the_relay_calls_through_the_vpc_that_is_named(make_planner: MakePlanner) -> None:
    connector = "projects/demo/locations/europe-west9/connectors/inside"

    services = _services(make_planner("old").plan(vpc_connector=connector))

    through = {
        key: (each["vpc_connector"], each["vpc_connector_egress_settings"])
        for key, each in services.items()
        if each["vpc_connector"]
    }
    assert through == {"collector_relay": (connector, "ALL_TRAFFIC")}


def test_the_console_is_off_unless_somebody_is_named(plan: Plan, full_plan: Plan) -> None:
    assert "console" not in _services(plan)

    service = _services(full_plan)["console"]
    assert service["environment_variables"]["FANFOLD_CONSOLE_BEHIND"] == "iam"
    assert service["environment_variables"]["FANFOLD_CONFIG"] == "config.yaml"
    assert service["max_instance_count"] == 1
