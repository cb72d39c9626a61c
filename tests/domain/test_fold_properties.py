"""Whatever the answers: the report balances, is the same for everybody, and keeps its schema."""

from __future__ import annotations

import json
import unicodedata
from datetime import timedelta
from importlib import resources
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rendering.varieties import START, a_run, an_answer, an_entry, closing

from fanfold.domain.model.run import Answer, CheckedExpectation, Entry, Failure, Skip
from fanfold.domain.model.states import Outcome
from fanfold.domain.report.fold import fold
from fanfold.rendering import to_bytes, to_v1

SCHEMA = json.loads(
    resources.files("fanfold.rendering").joinpath("report.schema.json").read_text("utf-8")
)
UNWANTED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

counts = st.none() | st.integers(0, 10**12)
texts = st.text(max_size=700)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
broken = st.builds(Failure, kind=texts, message=texts)
checks = st.builds(
    CheckedExpectation,
    name=st.just("min_records"),
    expected=st.integers(0, 10),
    actual=st.integers(0, 10),
    ok=st.booleans(),
    severity=st.sampled_from(["fail", "warn"]),
)


@st.composite
def answers_of(draw: st.DrawFn, name: str) -> Answer:
    return an_answer(
        name,
        draw(st.sampled_from(Outcome)),
        start=draw(st.none() | st.floats(-5, 100)),
        end=draw(st.floats(-5, 9000)),
        records=draw(counts),
        bytes=draw(counts),
        error=draw(st.none() | broken),
        warnings=tuple(draw(st.lists(texts, max_size=3))),
        artifacts=tuple(draw(st.lists(texts, max_size=2))),
        metrics=draw(st.dictionaries(texts, scalars, max_size=3)),
        revision=draw(st.none() | texts),
        unchanged=draw(st.booleans()),
        expectations=tuple(draw(st.lists(checks, max_size=2))),
    )


@st.composite
def nights(draw: st.DrawFn) -> tuple[list[Entry], list[Answer]]:
    size = draw(st.integers(0, 6))
    manifest: list[Entry] = []
    answers: list[Answer] = []
    for number in range(size):
        reason = draw(st.none() | st.sampled_from(["not_due", "disabled", "overlap"]))
        skip = Skip(reason, START + timedelta(days=3)) if reason else None
        manifest.append(an_entry(f"c{number}", skip=skip, required=draw(st.booleans())))
        if skip is None:
            answers.append(draw(answers_of(f"c{number}")))
    return manifest, answers


def folded(manifest: list[Entry], answers: list[Answer], **changes: Any) -> dict[str, Any]:
    return fold(a_run(len(manifest), len(answers), **changes), manifest, answers)


@settings(deadline=None)
@given(nights())
def test_the_report_balances(night: tuple[list[Entry], list[Answer]]) -> None:
    manifest, answers = night
    summary = folded(manifest, answers)["summary"]
    parts = ("succeeded", "failed", "timed_out", "cancelled", "skipped")
    assert summary["total"] == sum(summary[part] for part in parts) == len(manifest)
    old = to_v1(folded(manifest, answers))["summary"]
    assert old["total"] == old["succeeded"] + old["failed"] + old["skipped"]


@settings(deadline=None)
@given(nights(), st.randoms(use_true_random=False))
def test_whoever_folds_gets_the_same_bytes(
    night: tuple[list[Entry], list[Answer]], random: Any
) -> None:
    manifest, answers = night
    shuffled = list(answers)
    random.shuffle(shuffled)
    assert to_bytes(folded(manifest, answers)) == to_bytes(folded(manifest, shuffled))


@settings(max_examples=50, deadline=None)
@given(nights(), st.integers(0, 3))
def test_every_report_keeps_its_schema_and_agrees_with_its_closing(
    night: tuple[list[Entry], list[Answer]], tolerated: int
) -> None:
    manifest, answers = night
    report = folded(manifest, answers, tolerated_failures=tolerated)
    VALIDATOR.validate(json.loads(to_bytes(report)))
    run = a_run(len(manifest), len(answers), tolerated_failures=tolerated)
    end = closing(run, manifest, answers)
    assert (report["status"], report["about"], report["summary"]) == (
        end.verdict, end.about, end.summary,
    )  # fmt: skip
    assert not {unicodedata.category(letter) for letter in report["about"]} & UNWANTED
