"""One grammar of the trace context: what is made is read, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanfold.domain.syntax.traceparent import ids_of, trace_id_of, traceparent_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"


def test_a_run_is_one_trace_the_askers_if_there_is_one() -> None:
    assert trace_id_of("r1", TRACEPARENT) == TRACE
    assert trace_id_of("r1", None) == trace_id_of("r1", "garbage") != trace_id_of("r2", None)


@given(st.text(), st.lists(st.one_of(st.text(), st.integers())))
def test_what_is_made_is_read(run_id: str, parts: list[str | int]) -> None:
    trace_id = trace_id_of(run_id, None)
    ids = ids_of(traceparent_of(trace_id, *parts))

    assert ids is not None
    assert ids[0] == trace_id


def test_the_parts_of_a_step_make_its_span() -> None:
    assert ids_of(TRACEPARENT) == (TRACE, SPAN)
    assert traceparent_of(TRACE, "r1", "dvf", 1) != traceparent_of(TRACE, "r1", "dvf", 2)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "00-x",
        TRACEPARENT.upper(),
        f"01-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{TRACEPARENT}\n",
        f"{TRACEPARENT}-x",
    ],
)
def test_what_is_no_trace_context_is_not_read(text: str | None) -> None:
    assert ids_of(text) is None
