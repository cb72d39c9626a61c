"""Equal causes have one name, in the report, the sentence and the message to people."""

from __future__ import annotations

from typing import Any

from tests.support import an_answer, entry

from fanfold.domain.model.run import Failure
from fanfold.domain.model.states import Outcome, RunStatus
from fanfold.domain.report.causes import titles
from fanfold.domain.report.entries import answered_entry
from fanfold.domain.report.tally import tally_of


def bad(name: str, message: str, kind: str = "http", **of: Any) -> tuple[str, dict[str, Any]]:
    answer = an_answer(
        name, outcome=Outcome.FAILED, records=None, error=Failure(kind, message, retryable=True)
    )
    return name, answered_entry(entry(name, **of), answer)


INSEE = {"upstream": "api.insee.fr"}
DOWN = "api.insee.fr is down (5 collectors failed first)"


def test_who_waited_behind_a_source_has_the_cause_of_those_who_found_it_down() -> None:
    found = titles(
        [
            *(bad(f"c{n}", f"HTTP 503: try {n}", **INSEE) for n in range(5)),
            bad("d", "HTTP 429", **INSEE),
            *(bad(f"e{n}", DOWN, "upstream", **INSEE) for n in range(6)),
            bad(
                "f", "other.fr is down (2 collectors failed first)", "upstream", upstream="other.fr"
            ),
        ]
    )
    assert found == {
        **{f"c{n}": "api.insee.fr answered 503" for n in range(5)},
        "d": "api.insee.fr answered 429",
        **{f"e{n}": "api.insee.fr answered 503" for n in range(6)},
        "f": "other.fr is down",
    }


def test_equal_host_and_equal_kind_are_one_cause_without_an_upstream() -> None:
    here = {"url": "https://api.insee.fr/a"}
    errors = ("connection refused by 1.2.3.4", "connection reset")
    found = titles([bad(f"c{n}", text, "network", **here) for n, text in enumerate(errors)])
    assert set(found.values()) == {"api.insee.fr cannot be reached"}
    found = titles([bad(f"c{n}", f"HTTP 503: {n}", **here) for n in range(2)])
    assert set(found.values()) == {"api.insee.fr answered 503"}


def test_a_single_collector_that_is_not_reached_keeps_its_own_words() -> None:
    assert titles([bad("a", "connection refused", "network", **INSEE)])["a"] == "connection refused"


def test_the_sentence_about_a_run_names_a_cause_that_many_share_once() -> None:
    named = dict(
        [
            *(bad(f"c{n:02}", f"HTTP 503: {n}", **INSEE) for n in range(12)),
            bad("plu", "HTTP 404: no such page", **INSEE),
        ]
    )
    assert tally_of(named.items()).about(RunStatus.FAILED) == (
        "0 of 13 succeeded: api.insee.fr answered 503: 12 collectors (c00, c01, c02 and 9 more), "
        "1 failed (plu)"
    )
