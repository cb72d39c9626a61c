"""The one topology hangs together."""

from __future__ import annotations

from pathlib import Path

from fanfold.messages import topology as module
from fanfold.messages.topology import topology

FUNCTIONS = Path(__file__).parents[2] / "functions"


def test_every_topic_has_a_subscription_that_keeps_its_messages() -> None:
    assert all(topology().of_topic(topic) for topic in topology().topics)
    assert {each.topic for each in topology().subscriptions.values()} == set(topology().topics)


def test_every_named_topic_is_there() -> None:
    named = {value for name, value in vars(module).items() if name.isupper()}
    assert named - {module.NOTIFICATIONS} == set(topology().topics)
    assert topology().subscriptions[module.NOTIFICATIONS].topic == module.RUN_REPORTS


def test_every_subscription_that_feeds_a_function_has_its_folder_and_a_dead_letter() -> None:
    for subscription in topology().fed():
        assert (FUNCTIONS / str(subscription.function) / "main.py").is_file()
        assert subscription.max_delivery_attempts is not None


def test_what_pubsub_allows_is_kept() -> None:
    for each in topology().subscriptions.values():
        assert 10 <= each.ack_deadline_s <= 600
        assert 0 < each.min_backoff_s <= each.max_backoff_s <= 600
        assert each.max_delivery_attempts is None or 5 <= each.max_delivery_attempts <= 100
