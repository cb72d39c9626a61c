"""docs/deploy.md word by word: its files make a configuration without a warning, and a plan."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.docs.documents import ROOT, blocks, text_of
from tests.infra.test_iam import grants
from tests.infra.world import World

from fanfold import config

PAGE = "docs/deploy.md"

#: What the shell of the page knows after its third step.
SHELL = {
    "DVF_COLLECTOR_URL": "https://collector-dvf-123456789012.europe-west9.run.app",
    "NUMBER": "123456789012",
    "PROJECT": "demo",
    "REGION": "europe-west9",
}


def _shell() -> str:
    return "\n".join(block.text for block in blocks(PAGE))


def _file(name: str) -> str:
    """Return what the page writes to *name*, as the shell fills it in."""
    found = re.search(rf"cat > {name} <<('?)EOF'?\n(.*?)\nEOF", _shell(), re.DOTALL)
    assert found, name
    quoted, text = found.groups()
    if quoted:
        return text + "\n"
    text = text.replace("$(gcloud config get-value account)", "you@example.com")
    return re.sub(r"\$(\w+)", lambda each: SHELL[each[1]], text) + "\n"


def _exported() -> dict[str, str]:
    """Return the variables that the page exports for the command, filled in."""
    pairs = re.findall(
        r'((?:FANFOLD|GOOGLE)_\w+)="?([^\s"]+)', _shell().partition("fanfold check")[0]
    )
    return {name: value.replace("$PROJECT", SHELL["PROJECT"]) for name, value in pairs}


@pytest.fixture
def world(empty: World, tmp_path: Path) -> World:
    return empty.copy(tmp_path).configured(_file("config/config.yaml"))


def test_its_configuration_has_no_error_and_no_warning(world: World) -> None:
    env = {**_exported(), "DVF_COLLECTOR_URL": SHELL["DVF_COLLECTOR_URL"]}
    assert env["FANFOLD_BACKEND"] == "google"

    loaded = config.load(world.folder / "config.yaml", env)

    assert [str(each) for each in loaded.warnings] == []
    assert [each.name for each in loaded.catalogue.collectors] == ["dvf"]


def test_its_variables_make_a_plan_that_calls_the_collector_of_step_three(world: World) -> None:
    given = world.folder / "page.tfvars"
    given.write_text(_file("infra/terraform.tfvars"), "utf-8")

    plan = world.plan(f"-var-file={given}")

    rights = grants(plan)
    relay = "serviceAccount:fanfold-relay@demo.iam.gserviceaccount.com"
    assert "roles/run.invoker on service collector-dvf" in rights[relay]
    assert "roles/pubsub.publisher on topic run-requests" in rights["user:you@example.com"]
    bucket = plan.of("google_storage_bucket")["reports"]["name"]
    assert _exported()["FANFOLD_REPORT_BUCKET"] == f"gs://{bucket}"
    schedules = {each["name"] for each in plan.of("google_cloud_scheduler_job").values()}
    fired = set(re.findall(r"gcloud scheduler jobs run (\S+)", _shell()))
    assert schedules == {*fired, "fanfold-sweep"}


def test_the_collector_of_step_three_is_in_the_repository() -> None:
    (deployed,) = re.findall(r"gcloud functions deploy (?:.*\\\n)+.*", _shell())

    folder = re.search(r"--source=(\S+)", deployed)
    source = re.search(r"GOOGLE_FUNCTION_SOURCE=(\S+)", deployed)
    entry = re.search(r"--entry-point=(\S+)", deployed)
    assert folder
    assert source
    assert entry
    (copied,) = re.findall(rf"cp -R (\S+)/\. {folder[1]}\n", _shell())
    written = (ROOT / copied / source[1]).read_text("utf-8")
    assert f"def {entry[1]}(" in written
    assert "COLLECTOR_SOURCE=sample" in deployed
    assert "--build-service-account" in deployed


def test_steps_come_in_the_order_in_which_they_are_needed() -> None:
    page = text_of(PAGE)
    order = [
        "gcloud auth login",
        "gcloud config set project",
        "gcloud services enable serviceusage",
        "gcloud auth application-default login",
        "gcloud auth application-default set-quota-project",
        "gcloud firestore databases list",
        "gcloud functions deploy collector-dvf",
        "gcloud secrets create fanfold-callback-key",
        ".venv/bin/fanfold check",
        "terraform -chdir=infra apply",
        "gcloud pubsub topics publish run-requests",
    ]

    places = [page.index(each) for each in order]

    assert places == sorted(places)
