"""What is too large for a run's record is refused with its size, never cut."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support import START, catalogue, collector

from fanfold.domain.model.errors import Rejected
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.rules import plan, sizes
from fanfold.domain.rules.sizes import MAX_REASON_CHARS, MAX_SPEC_BYTES, MAX_WORD_CHARS


def refusal(configured: Any, **request: Any) -> str:
    with pytest.raises(Rejected) as caught:
        plan.plan(RunRequest(**request), Arrival("m", START), configured, histories={}, busy={})
    return str(caught.value)


@pytest.mark.parametrize(
    "big",
    [
        pytest.param({"text": "x" * 1_500_000}, id="a text"),
        pytest.param({"text": "é" * 150_000}, id="a text that is larger in ASCII"),
        pytest.param({"list": [1.5] * 500_000}, id="a list"),
        pytest.param({f"k{n}": {"deep": n} for n in range(100_000)}, id="many keys"),
    ],
)
def test_parameters_too_large_for_a_record_are_refused_with_their_size(big: dict[str, Any]) -> None:
    said = refusal(catalogue("dvf", "plu"), params={"dvf": big})
    assert said.startswith("collector 'dvf': its parameters take ")
    assert f"holds {MAX_SPEC_BYTES:,}" in said
    # Configured and asked for together count too, and so do those of a collector that is skipped.
    half = {"half": "x" * (MAX_SPEC_BYTES // 2)}
    assert "parameters" in refusal(
        catalogue(collector("dvf", params=half)), params={"dvf": {"more": half["half"]}}
    )
    assert "parameters" in refusal(catalogue(collector("dvf", params=big, enabled=False)))


def test_settings_too_large_for_a_record_are_refused_with_their_size() -> None:
    said = refusal(catalogue(collector("dvf", tags=("x" * 1_500_000,))))
    assert said.startswith("collector 'dvf': its settings take 1,500,")


@pytest.mark.parametrize("key", ["collectors", "exclude", "tags", "schedule", "cron"])
def test_a_word_that_no_name_can_be_is_refused_with_its_size(key: str) -> None:
    word = "x" * (MAX_WORD_CHARS + 1)
    given: Any = word if key in {"schedule", "cron"} else (word,)
    said = refusal(catalogue("dvf"), **{key: given})
    assert "a text of 1,001 characters, where 1,000 are the most" in said


def test_a_reason_that_nobody_could_read_is_refused_with_its_size() -> None:
    assert "reason: a text of 10,001" in refusal(
        catalogue("dvf"), reason="x" * (MAX_REASON_CHARS + 1)
    )


def test_what_fits_is_not_refused() -> None:
    assert sizes.spec_problem(collector("dvf", params={"a": "x" * 590_000}).spec) is None
    assert sizes.request_problems(RunRequest(reason="x" * MAX_REASON_CHARS)) == []
