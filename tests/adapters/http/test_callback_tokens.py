from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanfold.adapters.callback_tokens import HmacCallbackTokens

TOKENS = HmacCallbackTokens(b"k" * 32)


def test_a_token_matches_its_run_and_collector_and_no_other() -> None:
    token = TOKENS.token("run-1", "dvf")

    assert TOKENS.matches("run-1", "dvf", token)
    assert HmacCallbackTokens(b"k" * 32).matches("run-1", "dvf", token)
    assert not TOKENS.matches("run-1", "plu", token)
    assert not TOKENS.matches("run-2", "dvf", token)
    assert not TOKENS.matches("run-1d", "vf", token)
    assert not HmacCallbackTokens(b"other").matches("run-1", "dvf", token)


@given(st.text())
def test_anything_may_be_offered_as_a_token(token: str) -> None:
    assert TOKENS.matches("r", "c", token) == (token == TOKENS.token("r", "c"))


def test_a_token_fits_into_a_header_and_a_url() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", TOKENS.token("run-1", "dvf"))


def test_there_is_no_token_without_a_key() -> None:
    with pytest.raises(ValueError, match="empty"):
        HmacCallbackTokens(b"")
