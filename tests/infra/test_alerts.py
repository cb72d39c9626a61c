"""Alerts: what each one watches, and that it can be made in a project that is minutes old."""

from __future__ import annotations

import re
from typing import Any

from tests.infra.terraform import ROOT, Plan

#: Which alerts read the log; the others read metrics of Pub/Sub.
IN_THE_LOG = {"no_report", "refused", "run_failed"}


def _conditions(plan: Plan, name: str) -> list[dict[str, Any]]:
    return list(plan.of("google_monitoring_alert_policy")[name]["conditions"])


def test_what_a_log_line_says_needs_no_metric_of_our_own(any_plan: Plan) -> None:
    # Monitoring answers 404 for up to 10 minutes about a metric that was just made.
    assert any_plan.of("google_logging_metric") == {}
    for name, policy in any_plan.of("google_monitoring_alert_policy").items():
        for condition in policy["conditions"]:
            assert len(condition["condition_matched_log"]) == int(name in IN_THE_LOG)
            for kind in ("condition_threshold", "condition_absent"):
                for watched in condition[kind]:
                    (metric,) = re.findall(r'metric.type = "([^"]+)"', watched["filter"])
                    assert metric.startswith("pubsub.googleapis.com/")


def test_an_alert_on_log_lines_has_one_condition_and_a_rate(any_plan: Plan) -> None:
    # Monitoring refuses such a policy with two conditions, or without a limit of its mails.
    for name in IN_THE_LOG:
        policy = any_plan.of("google_monitoring_alert_policy")[name]
        assert len(policy["conditions"]) == 1
        assert policy["alert_strategy"][0]["notification_rate_limit"][0]["period"]


def test_a_refused_schedule_and_an_unreadable_configuration_raise_an_alert(full_plan: Plan) -> None:
    (condition,) = _conditions(full_plan, "refused")
    read = condition["condition_matched_log"][0]["filter"]

    assert '("staging-fanfold-aggregator" OR "staging-fanfold-dispatcher")' in read
    assert 'severity=ERROR AND (jsonPayload.status="rejected" OR ' in read
    assert 'jsonPayload.configuration="unreadable")' in read


def test_a_sweep_that_stands_still_raises_an_alert(any_plan: Plan) -> None:
    (condition,) = _conditions(any_plan, "no_sweep")

    assert condition["condition_absent"][0]["duration"] == "900s"
    assert 'metric.labels.response_class = "ack"' in condition["condition_absent"][0]["filter"]


def test_alerts_reach_somebody_if_there_is_somebody(plan: Plan, full_plan: Plan) -> None:
    assert set(plan.of("google_monitoring_alert_policy")) == {
        "dead_letters",
        "no_report",
        "no_sweep",
        "oldest_unacked",
        "refused",
        "run_failed",
    }
    assert plan.of("google_monitoring_notification_channel") == {}
    assert full_plan.of("google_monitoring_notification_channel")["email"]["labels"] == {
        "email_address": "night@example.com"
    }


def test_every_subscription_that_feeds_a_function_is_watched(any_plan: Plan) -> None:
    policy = any_plan.of("google_monitoring_alert_policy")["oldest_unacked"]
    fed = {
        each["name"]
        for each in any_plan.of("google_pubsub_subscription").values()
        if each["push_config"]
    }

    watched = {condition["display_name"].split(" ")[0] for condition in policy["conditions"]}
    assert watched == fed


def test_the_price_table_counts_the_conditions_that_there_are(any_plan: Plan) -> None:
    conditions = [
        condition
        for policy in any_plan.of("google_monitoring_alert_policy").values()
        for condition in policy["conditions"]
    ]
    in_the_log = sum(bool(each["condition_matched_log"]) for each in conditions)

    said = (
        f"{len(conditions)} conditions: {len(conditions) - in_the_log} on metrics, {in_the_log} on"
    )
    assert said in (ROOT / "docs" / "deploy.md").read_text("utf-8")
