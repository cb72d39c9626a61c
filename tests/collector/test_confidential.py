"""The callback's token, and the credential of the request, stand nowhere."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from tests.collector.conftest import TOKEN, Callbacks, posted

from fanfold.collector import Answer, Call, CollectorFailure, collector

CREDENTIAL = "made-up+credential/of=a-request"
SECRETS = (TOKEN, CREDENTIAL, quote(CREDENTIAL, safe=""))


def talks(call: Call) -> Any:
    call.log(f"token {TOKEN} and {CREDENTIAL}")
    call.warn(f"token {TOKEN} and {quote(CREDENTIAL, safe='')}")
    return call.found(artifacts=[f"http://here/?t={TOKEN}"], metrics={TOKEN: CREDENTIAL})


def fails(_call: Call) -> Any:
    raise CollectorFailure(f"it said {TOKEN} and {CREDENTIAL}")


def breaks(call: Call) -> Any:
    callback = call.callback
    raise RuntimeError(f"{TOKEN} {CREDENTIAL} {callback}")


def no_json(call: Call) -> Any:
    return call.found(metrics={"a": {TOKEN}})


@pytest.mark.parametrize("collect", [talks, fails, breaks, no_json])
def test_neither_is_in_an_answer_nor_in_the_log(
    capsys: pytest.CaptureFixture[str], collect: Callable[[Call], Any]
) -> None:
    callback = {"url": "http://127.0.0.1:9/", "token": TOKEN}
    got = posted(
        collector(collect), {"callback": callback}, HTTP_AUTHORIZATION=f"Bearer {CREDENTIAL}"
    )

    printed = capsys.readouterr()
    shown = got.body.decode() + printed.out + printed.err
    assert [each for each in SECRETS if each in shown] == []
    assert printed.out != ""


def test_a_request_that_is_refused_does_not_repeat_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = collector(talks)
    credential = base64.b64encode(b"user:made-up").decode()
    got = posted(app, {"deadline": credential}, HTTP_AUTHORIZATION=f"Basic {credential}")

    assert got.status == 400
    assert credential not in got.body.decode() + capsys.readouterr().out


def test_no_repr_shows_the_token_and_no_traceback_with_its_locals() -> None:
    def collect(call: Call) -> Any:
        answer = Answer.to(call.callback or {})
        callback, secrets = call.callback, call.secrets
        shown.extend([repr(call), repr(callback), f"{callback}", repr(answer), repr(secrets)])
        try:
            int(repr(callback))
        except ValueError as error:
            said = traceback.TracebackException.from_exception(error, capture_locals=True)
            shown.extend(said.format())
        return call.found()

    shown: list[str] = []
    callback = {"url": f"http://127.0.0.1:9/?t={TOKEN}", "token": TOKEN}

    assert posted(collector(collect), {"callback": callback}).status == 200

    assert shown
    assert [each for each in shown if TOKEN in each] == []


def test_what_is_told_later_holds_it_nowhere_but_in_its_header(callbacks: Callbacks) -> None:
    answer = Answer.to(callbacks.callback)
    answer.progress(0.1, f"with {TOKEN}")
    answer.warn(TOKEN)
    answer.found(metrics={"token": TOKEN})

    assert len(callbacks.said) == 2
    assert TOKEN not in str(callbacks.said)


def test_an_answer_that_is_not_delivered_does_not_tell_the_token() -> None:
    token = "made-up\ntoken that no header can hold"
    answer = Answer.to({"url": "http://127.0.0.1:9/", "token": token})

    with pytest.raises(Exception, match="did not take the answer") as caught:
        answer.found()

    said = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert token not in "".join(said.format())
    assert caught.value.__context__ is None
