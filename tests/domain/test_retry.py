"""What a retry asks: whatever its run asked that did not succeed, with what it was asked with."""

from __future__ import annotations

import pytest
from tests.support import an_answer, catalogue, collector, entry, spec

from fanfold.domain.model.run import Answer, Entry
from fanfold.domain.model.states import Outcome
from fanfold.domain.rules.retry import retry_plan

OUTCOMES = {
    "dvf": Outcome.SUCCEEDED,
    "plu": Outcome.FAILED,
    "sirene": Outcome.TIMED_OUT,
    "insee": Outcome.CANCELLED,
}


def _answers() -> list[Answer]:
    return [an_answer(name, outcome=outcome) for name, outcome in OUTCOMES.items()]


def test_failed_timed_out_and_cancelled_are_repeated_in_the_manifest_s_order() -> None:
    manifest = [entry(name) for name in ("sirene", "plu", "dvf", "insee")]
    repeat = retry_plan("first", manifest, _answers(), catalogue(*OUTCOMES))
    assert repeat.collectors == ("sirene", "plu", "insee")
    assert repeat.others == {"succeeded": ("dvf",)}
    assert repeat.request.collectors == ("sirene", "plu", "insee")
    assert repeat.request.retry_of == "first"


def test_what_was_skipped_is_left_out_with_its_reason() -> None:
    manifest = [entry("dvf"), entry("plu"), entry("rare", skip="not_due")]
    repeat = retry_plan("first", manifest, _answers(), catalogue("dvf", "plu", "rare"))
    assert repeat.collectors == ("plu",)
    assert repeat.others["not_due"] == ("rare",)


def test_what_is_gone_or_disabled_is_left_out() -> None:
    manifest = [entry(name) for name in OUTCOMES]
    now = catalogue("dvf", collector("plu", enabled=False), "sirene")
    repeat = retry_plan("first", manifest, _answers(), now)
    assert repeat.collectors == ("sirene",)
    assert (repeat.others["disabled_now"], repeat.others["gone"]) == (("plu",), ("insee",))


def test_only_parameters_that_differ_from_the_configuration_go_along() -> None:
    then = spec("plu", params={"years": [2024], "deep": True, "since": 1})
    now = catalogue(collector("plu", params={"years": [2023], "deep": True, "new": 2}))
    repeat = retry_plan("first", [Entry(then)], _answers(), now)
    assert repeat.params == {"plu": {"years": [2024], "since": 1}}


def test_without_collectors_there_is_no_request_for_it_would_ask_everything() -> None:
    repeat = retry_plan("first", [entry("dvf")], _answers(), catalogue("dvf"))
    assert repeat.collectors == ()
    with pytest.raises(ValueError, match="nothing to repeat"):
        _ = repeat.request
