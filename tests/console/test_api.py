"""The API gives what the pages show, in the shapes of the command's JSON."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate
from tests.console.conftest import Console
from tests.support import broken

from fanfold.console.openapi import document, text


@pytest.fixture
def answers(console: Console) -> dict[str, Any]:
    """Return the answer of every path of the API, of a ledger with two nights."""
    console.night()
    run_id = console.night(plu=broken(500, retryable=False))
    given = {"{run}": run_id, "{name}": "plu"}
    found = {}
    for path, operations in document()["paths"].items():
        if "get" not in operations:
            continue
        asked = path
        for name, value in given.items():
            asked = asked.replace(name, value)
        if "{letter}" not in asked:
            found[path] = console.get(asked).get_json()
    return found


def test_the_document_is_openapi_3_1_to_a_stock_validator() -> None:
    made = json.loads(json.dumps(document()))
    assert made["openapi"] == "3.1.0"
    validate(made)


def test_the_stored_document_is_the_one_that_is_served(console: Console) -> None:
    stored = (Path(__file__).parents[2] / "docs" / "openapi.json").read_text("utf-8")
    assert stored == text(), "python -m fanfold.console.openapi > docs/openapi.json"
    assert console.get("/api/v1/openapi.json").get_json() == json.loads(stored)


def test_every_answer_is_as_the_document_says(answers: dict[str, Any]) -> None:
    made = json.loads(json.dumps(document()))
    for path, answer in answers.items():
        schema = made["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
        whole = {**schema["schema"], "components": made["components"]}
        jsonschema.Draft202012Validator(whole).validate(answer)


def test_every_path_of_the_application_is_in_the_document(console: Console) -> None:
    rules = {
        (
            rule.rule.replace("<text>", "{run}")
            .replace("<name>", "{name}")
            .replace("<path:letter_id>", "{letter}"),
            method.lower(),
        )
        for rule in console.app.url_map.iter_rules()
        for method in (rule.methods or set()) & {"GET", "POST"}
        if rule.rule.startswith("/api/")
    }
    paths = document()["paths"].items()
    assert rules == {(path, method) for path, operations in paths for method in operations}


def test_the_status_and_the_report_have_the_shapes_of_the_command(
    answers: dict[str, Any],
) -> None:
    for path, package, name in (
        ("/api/v1/status", "fanfold.views", "status.schema.json"),
        ("/api/v1/runs/{run}/report", "fanfold.rendering", "report.schema.json"),
    ):
        schema = json.loads(files(package).joinpath(name).read_text("utf-8"))
        jsonschema.Draft202012Validator(schema).validate(answers[path])
    assert answers["/api/v1/status"]["collectors"]["plu"]["state"] == "new"
    assert answers["/api/v1/collectors/{name}"]["state"] == "new"
    assert [each["status"] for each in answers["/api/v1/runs"]["runs"]] == ["failed", "succeeded"]
    assert answers["/api/v1/schedule"]["slots"][0]["due"] == ["plu", "sirene", "dvf"]


def test_an_open_page_is_told_by_304_that_nothing_changed(console: Console) -> None:
    console.night()
    first = console.get("/api/v1/changes")
    same = {"If-None-Match": first.headers["ETag"]}
    assert console.get("/api/v1/changes", 304, headers=same).data == b""
    console.world.ask(run_id="now")
    console.world.deliver()
    begun = console.get("/api/v1/changes", headers=same)
    assert begun.get_json()["running"] == 1
    console.world.settle()
    ended = console.get("/api/v1/changes", headers={"If-None-Match": begun.headers["ETag"]})
    assert ended.get_json()["running"] == 0


def test_while_a_run_is_under_way_its_progress_is_a_change(console: Console) -> None:
    console.world.ask(run_id="now")
    console.world.deliver()
    first = console.get("/api/v1/changes").headers["ETag"]
    console.world.clock.forward(3)
    console.get("/api/v1/changes", 200, headers={"If-None-Match": first})


def test_an_error_of_the_api_is_json_and_says_what_is_near(console: Console) -> None:
    run_id = console.night()
    answer = console.get("/api/v1/runs/2031", 404).get_json()
    assert answer["near"] == [f"{run_id}: succeeded"]
    assert "there is no page" in console.get("/api/v1/nothing", 404).get_json()["error"]
