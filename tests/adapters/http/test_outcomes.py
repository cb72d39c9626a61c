"""Whatever libcurl says, it is one reply with a kind and a sentence."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import replace

import pycurl
import pytest
from tests.adapters.http.calls import BEARER, CANARY, blocking_only, call, loop_only, new_client

from fanfold.adapters.http import client as blocking
from fanfold.adapters.http import failures, loop, transfer, transfers
from fanfold.adapters.http.failures import TransferEnd, Way, failure_of
from fanfold.domain.model.run import Failure

NAMED = {
    value
    for name in dir(pycurl)
    if name.startswith("E_") and isinstance(value := getattr(pycurl, name), int) and value > 0
}
#: libcurl's codes up to 101, and one that no version has yet.
CODES = sorted({*NAMED, *range(1, 102), 4711})

KINDS = {"network", "timeout", "bad_response", "too_large"}


@blocking_only
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("proxy", ["", "proxy.example:3128"])
def test_every_code_is_a_reply(monkeypatch: pytest.MonkeyPatch, code: int, proxy: str) -> None:
    class Failing:
        def __getattr__(self, name: str) -> Callable[..., int]:
            return lambda *_: 0

        def perform(self) -> None:
            raise pycurl.error(code, f"something with {CANARY} in it")

    monkeypatch.setattr(blocking, "new_handle", Failing)
    env = {"ALL_PROXY": f"http://{proxy}"} if proxy else {}

    reply = new_client(env).invoke(call("https://dvf.example/run?key=1", auth=BEARER))

    assert reply.failure is not None
    assert reply.failure.kind in KINDS
    assert reply.failure.message
    assert "key=1" not in reply.failure.message
    assert CANARY not in reply.failure.message


@loop_only
@pytest.mark.parametrize("proxy", ["", "127.0.0.1:1"])
def test_every_code_is_a_reply_in_the_loop(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    codes = list(CODES)

    def end_of(handle: pycurl.Curl, exc: pycurl.error) -> TransferEnd:
        return replace(transfer.end_of(handle, exc), code=codes[-1], message=f"with {CANARY}")

    monkeypatch.setattr(transfers, "end_of", end_of)
    client = new_client({"ALL_PROXY": f"http://{proxy}"} if proxy else {})
    url = "https://192.0.2.1/run?key=1" if proxy else "http://127.0.0.1:1/run?key=1"
    while codes:
        reply = client.invoke(call(url, auth=BEARER))

        assert reply.failure is not None
        assert reply.failure.kind in KINDS, codes.pop()
        assert reply.failure.message
        assert "key=1" not in reply.failure.message
        assert CANARY not in reply.failure.message
        codes.pop()
    client.close()


def test_a_code_that_nobody_knows_may_pass() -> None:
    found = failure_of(TransferEnd(4711), Way("dvf.example:443", 5.0), has_status=False)

    assert found == Failure("network", "dvf.example:443: the connection broke", retryable=True)


def test_the_numbers_without_a_name_are_those_that_libcurl_takes() -> None:
    handle = transfer.new_handle()

    for option, value in transfer.FIXED:
        handle.setopt(option, value)


@pytest.mark.parametrize(
    "setting",
    [
        (pycurl.FRESH_CONNECT, 1),
        (pycurl.FORBID_REUSE, 1),
        (pycurl.FOLLOWLOCATION, 0),
        (pycurl.HTTP09_ALLOWED, 0),
        (pycurl.NOSIGNAL, 1),
        (pycurl.SSL_VERIFYPEER, 1),
        (pycurl.SSL_VERIFYHOST, 2),
        (pycurl.PROXY_SSL_VERIFYPEER, 1),
        (pycurl.NOPROXY, ""),
        (pycurl.NOPROGRESS, 0),
        (265, 1),  # SUPPRESS_CONNECT_HEADERS
        (322, 1),  # QUICK_EXIT
    ],
)
def test_the_settings_that_are_promises_stand(setting: tuple[int, object]) -> None:
    assert setting in transfer.FIXED


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_a_lack_of_files_is_known_by_its_errno(number: int) -> None:
    assert failures.is_starved(TransferEnd(7, os_errno=number))
    assert not failures.is_starved(TransferEnd(7, os_errno=number, is_sent=True))
    assert not failures.is_starved(TransferEnd(7, os_errno=errno.ECONNREFUSED))
    assert not failures.is_starved(TransferEnd())


@blocking_only
def test_a_call_waits_for_a_file_and_is_charged_to_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends = [TransferEnd(27, os_errno=errno.EMFILE)] * 3 + [TransferEnd(6)]
    monkeypatch.setattr(blocking, "STARVED_PAUSE_S", 0.01)
    monkeypatch.setattr(blocking, "perform", lambda _: ends.pop(0))

    reply = new_client().invoke(call("http://dvf.example/"))

    assert ends == []
    assert reply.failure is not None
    assert "does not resolve" in reply.failure.message


@loop_only
def test_a_call_waits_for_a_file_in_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = [TransferEnd(27, os_errno=errno.EMFILE)] * 3 + [TransferEnd(6)]
    monkeypatch.setattr(loop, "STARVED_PAUSE_S", 0.01)
    monkeypatch.setattr(transfers, "end_of", lambda *_: ends.pop(0))

    reply = new_client().invoke(call("http://127.0.0.1:1/"))

    assert ends == []
    assert reply.failure is not None
    assert "does not resolve" in reply.failure.message


@loop_only
def test_a_call_that_never_gets_a_file_says_what_to_do_in_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "STARVED_PAUSE_S", 0.05)
    monkeypatch.setattr(transfers, "end_of", lambda *_: TransferEnd(6, os_errno=errno.EMFILE))
    started = time.monotonic()

    reply = new_client().invoke(call("http://127.0.0.1:1/", timeout_s=0.4))

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("network", True)
    assert "ulimit -n" in reply.failure.message
    assert 0.3 < time.monotonic() - started < 1.4


@blocking_only
def test_a_call_that_never_gets_a_file_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking, "STARVED_PAUSE_S", 0.05)
    monkeypatch.setattr(blocking, "perform", lambda _: TransferEnd(6, os_errno=errno.EMFILE))
    started = time.monotonic()

    reply = new_client().invoke(call("http://dvf.example/", timeout_s=0.4))

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("network", True)
    assert "ulimit -n" in reply.failure.message
    assert 0.3 < time.monotonic() - started < 1.4
