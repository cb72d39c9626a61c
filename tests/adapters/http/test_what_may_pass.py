"""Which outcomes of libcurl and of a proxy are tried again, and of which kind each one is."""

from __future__ import annotations

import pytest

from fanfold.adapters.http import failures
from fanfold.adapters.http.failures import TransferEnd, Way, failure_of

WAY = Way("dvf.example:443", 5.0, authorities="/etc/ca.pem")
PROXIED = Way("dvf.example:443", 5.0, proxy="proxy.example:3128")

#: Codes that say the same tomorrow: a wrong set-up here, or an answer that breaks the rules.
FOR_GOOD = {3, 4, 8, 28, 41, 43, 48, 53, 54, 58, 59, 61, 63, 66, 77, 82, 98, 100}
BAD_RESPONSES, TOO_LARGE = {1, 8, 61}, {63, 100}


def kind_of(code: int) -> str:
    if code == 28:
        return "timeout"
    return (
        "too_large" if code in TOO_LARGE else "bad_response" if code in BAD_RESPONSES else "network"
    )


@pytest.mark.parametrize("code", range(1, 102))
def test_each_code_has_its_kind_and_passes_or_stays(code: int) -> None:
    failure = failure_of(TransferEnd(code, is_connected=True, is_sent=True), WAY, has_status=True)
    assert (failure.kind, failure.retryable) == (kind_of(code), code not in FOR_GOOD)


def test_what_comes_before_any_status_may_be_no_http_and_may_pass() -> None:
    failure = failure_of(TransferEnd(8, is_connected=True), WAY, has_status=False)
    assert (failure.kind, failure.retryable) == ("bad_response", True)
    unreached = failure_of(TransferEnd(28), WAY, has_status=False)
    assert (unreached.kind, unreached.retryable) == ("network", True)


@pytest.mark.parametrize(
    ("status", "passes"),
    [
        *[(status, False) for status in (300, 301, 400, 403, 407, 409, 428, 430, 499)],
        *[(status, True) for status in (408, 429, 500, 502, 503, 504, 599)],
    ],
)
def test_what_a_proxy_says_to_connect(status: int, *, passes: bool) -> None:
    failure = failure_of(TransferEnd(56, proxy_status=status), PROXIED, has_status=False)
    assert (failure.kind, failure.retryable) == ("network", passes)
    assert ("HTTP 407" if status == 407 else f"HTTP {status}") in failure.message
    assert "proxy.example:3128" in failure.message


@pytest.mark.parametrize("status", [200, 204, 299])
def test_behind_a_proxy_that_opened_the_way_it_is_the_collector(status: int) -> None:
    end = TransferEnd(56, is_connected=True, proxy_status=status)
    failure = failure_of(end, PROXIED, has_status=False)
    assert failure.message == "dvf.example:443: the connection broke"


@pytest.mark.parametrize("code", [1, 7, 8, 28, 52, 55, 56])
def test_a_proxy_that_fails_is_named_and_may_pass(code: int) -> None:
    failure = failure_of(TransferEnd(code), PROXIED, has_status=False)
    assert (failure.kind, failure.retryable) == ("network", True)
    assert "the proxy proxy.example:3128" in failure.message
    # What was sent through it went to the collector.
    sent = failure_of(TransferEnd(code, is_sent=True), PROXIED, has_status=False)
    assert "proxy" not in sent.message


def test_a_reason_is_told_where_it_says_more() -> None:
    def reason(code: int, message: str) -> str:
        return failure_of(TransferEnd(code, message), WAY, has_status=False).message

    expired = "server certificate verification: SSL certificate problem: certificate has expired"
    shows = "dvf.example:443 shows no valid certificate: "
    assert reason(60, expired) == f"{shows}certificate has expired"
    assert reason(60, "SSL: no alternative name") == f"{shows}no alternative name"
    assert reason(60, "") == f"{shows}it is not trusted"
    assert reason(60, "self-signed") == f"{shows}self-signed"
    assert reason(7, "whatever it was") == "dvf.example:443: no connection"
    assert reason(58, "no key") == "TLS cannot be set up here: no key"
    assert reason(4, "no such part") == "this libcurl cannot make the call: no such part"


def test_starvation_may_pass_and_a_missing_login_may_not() -> None:
    assert failures.starved(WAY).retryable
    assert not failures.proxy_asks_for_login(PROXIED).retryable
    closed, foreign = (failures.broken_off(WAY, has_status=each) for each in (True, False))
    assert (closed.kind, closed.retryable) == ("network", True)
    assert (foreign.kind, foreign.retryable) == ("bad_response", True)
