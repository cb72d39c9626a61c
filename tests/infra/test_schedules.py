"""Scheduler jobs, against the same configuration as the code reads it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.infra.terraform import CONFIGURATIONS, Plan

from fanfold import config
from fanfold.messages import events, run_request
from fanfold.ports.bus import Message

#: URLs that the two files leave open.
URLS = dict.fromkeys(
    (
        *(f"{name}_COLLECTOR_URL" for name in ("DVF", "PLU", "SIRENE")),
        *(f"{name}_FUNCTION_URL" for name in ("DVF", "INSEE", "PLU", "SIRENE")),
    ),
    "https://collector.example.com",
)


@pytest.mark.parametrize(("fixture", "name"), [("plan", "old"), ("full_plan", "new")])
def test_terraform_and_the_code_read_the_same_schedules(
    request: pytest.FixtureRequest, fixture: str, name: str
) -> None:
    plan: Plan = request.getfixturevalue(fixture)
    env = {**URLS, "GOOGLE_CLOUD_PROJECT": "demo"}
    catalogue = config.load(CONFIGURATIONS / f"{name}.yaml", env).catalogue
    jobs = _jobs(plan)
    sweep = jobs.pop("sweep")

    crons = {each.cron for each in catalogue.collectors if each.enabled and each.cron}
    assert sorted(job["schedule"] for job in jobs.values()) == sorted(crons)
    assert {job["time_zone"] for job in (*jobs.values(), sweep)} == {catalogue.timezone}
    for job in jobs.values():
        asked = run_request.decode_run_request(_message(job))
        assert (asked.schedule, asked.cron) == (catalogue.schedule, job["schedule"])


def test_the_sweep_is_every_minute(any_plan: Plan) -> None:
    job = _jobs(any_plan)["sweep"]

    assert job["schedule"] == "* * * * *"
    assert events.event_type(_message(job)) == events.SWEEP_TICK


def test_a_scheduled_request_says_what_it_is(any_plan: Plan) -> None:
    for key, job in _jobs(any_plan).items():
        if key != "sweep":
            assert events.event_type(_message(job)) == events.RUN_REQUESTED


def test_jobs_have_names_that_scheduler_allows(full_plan: Plan) -> None:
    assert {job["name"] for job in _jobs(full_plan).values()} == {
        "staging-fanfold-nightly-15_3_x_x_x",
        "staging-fanfold-nightly-15_3_x_x_1-5",
        "staging-fanfold-sweep",
    }


def _jobs(plan: Plan) -> dict[str, dict[str, Any]]:
    return plan.of("google_cloud_scheduler_job")


def _message(job: dict[str, Any]) -> Message:
    (target,) = job["pubsub_target"]
    return Message(base64.b64decode(target["data"]), target["attributes"])
