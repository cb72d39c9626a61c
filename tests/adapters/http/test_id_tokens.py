from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fanfold.adapters.id_tokens import CachedIdTokens, IdToken
from fanfold.domain.model.errors import NotConfigured, Transient

AUDIENCE = "https://collector.example/"


class Issuer:
    """Issues tokens that last an hour of its own clock."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0
        self.issued = 0
        self.pause = threading.Event()
        self.pause.set()

    def __call__(self, audience: str) -> IdToken:
        assert self.pause.wait(5)
        self.issued += 1
        return IdToken(f"{audience}#{self.issued}", self.now_s + 3600)

    def tokens(self) -> CachedIdTokens:
        return CachedIdTokens(self, time_s=lambda: self.now_s)


def test_a_token_is_kept_until_shortly_before_it_expires() -> None:
    issuer = Issuer()
    tokens = issuer.tokens()

    first = tokens.token(AUDIENCE, 5)
    issuer.now_s += 3600 - 226
    assert tokens.token(AUDIENCE, 5) == first
    issuer.now_s += 2
    assert tokens.token(AUDIENCE, 5) != first
    assert issuer.issued == 2


def test_each_audience_has_its_own_token() -> None:
    tokens = Issuer().tokens()

    assert tokens.token("https://a.example", 5).startswith("https://a.example#")
    assert tokens.token("https://b.example", 5).startswith("https://b.example#")


def test_sixteen_threads_fetch_once() -> None:
    issuer = Issuer()
    issuer.pause.clear()
    tokens = issuer.tokens()
    with ThreadPoolExecutor(16) as pool:
        waiting = [pool.submit(tokens.token, AUDIENCE, 5) for _ in range(16)]
        time.sleep(0.05)
        issuer.pause.set()

    assert len({each.result() for each in waiting}) == 1
    assert issuer.issued == 1


def test_a_slow_issuer_holds_up_nobody_for_longer_than_asked_nor_other_audiences() -> None:
    issuer = Issuer()
    tokens = issuer.tokens()
    other = tokens.token("https://other.example", 5)
    issuer.pause.clear()

    with pytest.raises(Transient, match="no id token within"):
        tokens.token(AUDIENCE, 0.05)
    assert tokens.token("https://other.example", 0) == other
    issuer.pause.set()
    assert tokens.token(AUDIENCE, 5)
    assert issuer.issued == 2


def test_a_failure_is_told_to_all_who_wait_and_then_forgotten() -> None:
    failures = iter([NotConfigured("no identity")])

    def fetch(_: str) -> IdToken:
        for failure in failures:
            raise failure
        return IdToken("good", 9e9)

    tokens = CachedIdTokens(fetch)
    with pytest.raises(NotConfigured, match="no identity"):
        tokens.token(AUDIENCE, 5)
    assert tokens.token(AUDIENCE, 5) == "good"


def test_a_token_never_shows_itself() -> None:
    assert "canary" not in repr(IdToken("canary", 1.0))
