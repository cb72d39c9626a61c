"""Topics and subscriptions, against the topology that the embedded host reads as well."""

from __future__ import annotations

from tests.infra.terraform import INFRA, Plan

from fanfold.messages.topology import DEAD_LETTERS, topology


def test_topics_and_subscriptions_are_those_of_the_topology(plan: Plan) -> None:
    assert {key: each["name"] for key, each in plan.of("google_pubsub_topic").items()} == {
        name: name for name in topology().topics
    }
    assert set(plan.of("google_pubsub_subscription")) == set(topology().subscriptions)


def test_the_prefix_stands_before_every_name(full_plan: Plan) -> None:
    for kind in ("google_pubsub_topic", "google_pubsub_subscription"):
        for key, each in full_plan.of(kind).items():
            assert each["name"] == f"staging-{key}"


def test_every_subscription_has_a_dead_letter_but_that_of_the_dead_letters(any_plan: Plan) -> None:
    dead_letters = any_plan.of("google_pubsub_topic")[DEAD_LETTERS]["name"]
    for key, each in any_plan.of("google_pubsub_subscription").items():
        expected = topology().subscriptions[key].max_delivery_attempts
        if key == DEAD_LETTERS:
            assert each["dead_letter_policy"] == []
            continue
        (policy,) = each["dead_letter_policy"]
        assert policy["dead_letter_topic"] == f"projects/demo/topics/{dead_letters}"
        assert policy["max_delivery_attempts"] == expected
        assert 5 <= policy["max_delivery_attempts"] <= 100


def test_deadlines_and_backoffs_are_those_of_the_topology(any_plan: Plan) -> None:
    for key, each in any_plan.of("google_pubsub_subscription").items():
        expected = topology().subscriptions[key]
        assert each["ack_deadline_seconds"] == expected.ack_deadline_s == 600
        assert each["retry_policy"] == [
            {
                "minimum_backoff": f"{expected.min_backoff_s}s",
                "maximum_backoff": f"{expected.max_backoff_s}s",
            }
        ]


def test_no_subscription_expires(any_plan: Plan) -> None:
    subscriptions = any_plan.of("google_pubsub_subscription")

    assert [each["expiration_policy"] for each in subscriptions.values()] == [[{"ttl": ""}]] * 7
    assert subscriptions[DEAD_LETTERS]["message_retention_duration"] == "2678400s"


def test_every_push_says_who_it_is(any_plan: Plan) -> None:
    accounts = any_plan.of("google_service_account")
    for key, each in any_plan.of("google_pubsub_subscription").items():
        function = topology().subscriptions[key].function
        if function is None:
            assert each["push_config"] == []
            continue
        (push,) = each["push_config"]
        (token,) = push["oidc_token"]
        account = accounts[f"to-{function}"]["account_id"]
        assert token["service_account_email"] == f"{account}@demo.iam.gserviceaccount.com"
        # Wrapped: the unwrapped form does not carry the delivery attempt.
        assert push["no_wrapper"] == []


def test_the_token_is_for_the_service_that_is_called() -> None:
    # Addresses are known only after the apply, so this reads the source.
    source = " ".join((INFRA / "pubsub.tf").read_text("utf-8").split())

    uri = "google_cloudfunctions2_function.main[push_config.value].service_config[0].uri"
    assert f"push_endpoint = {uri}" in source
    assert f"audience = {uri}" in source
