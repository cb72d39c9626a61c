from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest

from fanfold.domain.rules.key_strength import guessable


@pytest.mark.parametrize(
    "key",
    [
        "k",
        "a1B2c3D4e5F6g7H8",
        "k" * 64,
        "abc" * 20,
        "0123456789abcdef0123456789abcdef",
        "abcdefghijklmnopqrstuvwxyz",
        "change-me-change-me-change-me",
        "passwordpasswordpassword1",
        "fanfold-callback-key-secret-2026",
        "111122223333444455556666",
        "qwertyuiopasdfghjklzxcvbnm123456",
        "Azertyuiop-Qsdfghjklm-Wxcvbn-09",
        " " * 40,
    ],
)
def test_a_key_that_can_be_guessed_is_named_so(key: str) -> None:
    assert guessable(key)


@pytest.mark.parametrize("make", [lambda: secrets.token_hex(32), lambda: secrets.token_urlsafe(24)])
def test_a_key_that_was_drawn_is_good_enough(make: Callable[[], str]) -> None:
    for _ in range(300):
        assert guessable(make()) == ""


def test_none_is_none() -> None:
    assert guessable("") == ""
