"""Numbers, names and alerts in the documents are those of topology.json and of infra/."""

from __future__ import annotations

import configparser
import re
import shlex

from tests.docs.documents import blocks, text_of

from fanfold.messages.topology import topology
from fanfold.runtime.metrics import KINDS
from fanfold.settings import VARIABLES


def test_delivery_attempts_and_deadlines_are_the_topology() -> None:
    of = topology().subscriptions
    most = {name: each.max_delivery_attempts for name, each in of.items()}
    operations, limits = text_of("docs/operations.md"), text_of("docs/deploy.md")
    assert (
        f"{most['sweep-ticks']} times for a tick, {most['run-requests']} for a request or a "
        f"result, {most['collector-jobs']} for a job"
    ) in " ".join(operations.split())
    assert most["run-requests"] == most["collector-results"]
    assert f"{most['collector-jobs']} for jobs, {most['collector-results']} for results" in limits
    assert f"allows, {most['collector-jobs']}," in text_of("infra/README.md")
    deadlines = {f"{each.ack_deadline_s:.0f}" for each in of.values()}
    assert [
        f"| one push delivery | {each} s, the ack deadline |" in limits for each in deadlines
    ] == [True]
    jobs = of["collector-jobs"]
    backoff = f"again after {jobs.min_backoff_s:.0f} to {jobs.max_backoff_s:.0f} s"
    assert backoff in text_of("infra/README.md")


def test_every_topic_and_subscription_that_is_named_is_in_the_topology() -> None:
    known = {*topology().topics, *topology().subscriptions}
    for document in ("README.md", "docs/operations.md", "docs/deploy.md", "docs/architecture.md"):
        named = re.findall(
            r"pubsub (?:topics publish|subscriptions (?:pull|describe)) ([a-z-]+)",
            text_of(document),
        )
        assert set(named) - known == set(), document


def test_the_table_of_dead_letters_names_every_subscription_that_has_them() -> None:
    table = text_of("docs/operations.md").partition("| from |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)
    every = topology().subscriptions.values()
    assert sorted(named) == sorted(each.name for each in every if each.max_delivery_attempts)


def test_every_alert_has_its_section() -> None:
    alerts = re.findall(r'display_name +=.*fanfold: ([a-z ]+)"', text_of("infra/monitoring.tf"))
    assert len(alerts) == 6
    assert [
        each for each in alerts if f"### Alert: {each}\n" not in text_of("docs/operations.md")
    ] == []


def test_the_unit_file_runs_a_command_with_variables_that_exist() -> None:
    (block,) = [each for each in blocks("docs/operations.md") if each.kind == "ini"]
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(block.text)
    service = unit["Service"]
    assert shlex.split(service["ExecStart"])[1:] == ["serve"]
    given = dict(each.split("=", 1) for each in shlex.split(service["Environment"]))
    assert set(given) <= set(VARIABLES)
    assert given["FANFOLD_DB"].startswith(f"/var/lib/{service['StateDirectory']}/")


def test_the_table_of_failures_names_every_kind() -> None:
    table = (
        text_of("docs/operations.md").partition("## A collector failed\n")[2].partition("\n## ")[0]
    )
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == KINDS
