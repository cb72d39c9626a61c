"""The schema that ships with the report holds for every kind of run, and lets nothing else in."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Any

import jsonschema
import pytest
from tests.rendering.varieties import (
    RUN_ID,
    a_run,
    after,
    an_answer,
    an_entry,
    green_night,
    many,
    mixed_night,
    notice,
    retried_night,
    revised_night,
)

from fanfold.domain.model.run import Attempt, Job, Lease
from fanfold.domain.model.states import RunStatus
from fanfold.domain.report.fold import fold, fold_so_far
from fanfold.rendering import to_bytes, to_v1

SCHEMA = json.loads(
    resources.files("fanfold.rendering").joinpath("report.schema.json").read_text("utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def a_live_night() -> dict[str, Any]:
    tried = Attempt(1, after(1), after(2), "retry", 503)
    lease = Lease(RUN_ID, "a", 1, "relay", 2, after(40), after(700))
    job = Job(RUN_ID, "a", after(0), after(7200), attempts=(tried,), lease=lease)
    asynchronous = Job(RUN_ID, "b", after(0), after(7200), progress={"fraction": 0.5})
    manifest = [an_entry("a"), an_entry("b"), an_entry("c")]
    return fold_so_far(a_run(3, 3), manifest, [job, asynchronous], [an_answer("c")], after(50))


VARIETIES: dict[str, Callable[[], dict[str, Any]]] = {
    "mixed": mixed_night,
    "green": green_night,
    "revised": revised_night,
    "retried": retried_night,
    "live": a_live_night,
    "many": lambda: many(30, 10, 5),
    "nobody": lambda: fold(a_run(0, 0), [], []),
    "rejected": lambda: notice(RunStatus.REJECTED, "not started"),
    "missed": lambda: notice(RunStatus.MISSED, "no run at 03:15"),
    "planned": lambda: notice(RunStatus.PLANNED, "would ask nobody"),
}


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for value in schema.values():
            yield from objects(value)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_key_is_required_and_no_other_is_allowed() -> None:
    for one in objects(SCHEMA):
        assert one["required"] == list(one["properties"])
        assert one["additionalProperties"] is False


@pytest.mark.parametrize("variety", VARIETIES)
def test_every_kind_of_report_is_valid(variety: str) -> None:
    VALIDATOR.validate(json.loads(to_bytes(VARIETIES[variety]())))


@pytest.mark.parametrize("variety", VARIETIES)
def test_the_keys_stand_in_the_order_of_the_schema(variety: str) -> None:
    report = VARIETIES[variety]()
    assert list(report) == SCHEMA["required"]
    assert list(report["summary"]) == SCHEMA["properties"]["summary"]["required"]
    for one in report["collectors"].values():
        assert list(one) == SCHEMA["$defs"]["collector"]["required"]


def test_a_missing_or_a_foreign_key_is_not_valid() -> None:
    good = mixed_night()
    for spoil in ("about", "summary", "late"):
        bad = copy.deepcopy(good)
        del bad[spoil]
        assert not VALIDATOR.is_valid(bad)
    assert not VALIDATOR.is_valid({**good, "note": ""})
    assert not VALIDATOR.is_valid(to_v1(good))
