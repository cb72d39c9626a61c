"""What a collector was sent in confidence is found in every spelling, and nothing else is."""

from __future__ import annotations

import base64
import html
import json
import random
import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fanfold.domain.model.collector import Auth, AuthKind, CollectorSpec
from fanfold.domain.protocol.contract import Progress, read_completion, read_reply
from fanfold.domain.protocol.findings import ReportedFigures
from fanfold.domain.protocol.masking import (
    LEFT_OUT,
    NOTHING_SECRET,
    WITHHELD,
    Mask,
    mask_of_call,
)

SECRET = 'a/b+c&d"e\\f=g<h>i j'
JWT = f"eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL2R2ZiJ9.{'s' * 40}"


def spelled(secret: str) -> dict[str, str]:
    raw = secret.encode()
    return {
        "plain": secret,
        "JSON": json.dumps(secret)[1:-1],
        "JSON of PHP": json.dumps(secret)[1:-1].replace("/", "\\/"),
        "JSON in JSON": json.dumps(json.dumps(secret)[1:-1])[1:-1],
        "JSON, all escaped": "".join(f"\\u{ord(each):04x}" for each in secret),
        "JSON, all escaped, in capitals": "".join(f"\\u{ord(each):04X}" for each in secret),
        "some of JSON": secret.replace("\\", "\\\\")
        .replace("+", "\\u002B")
        .replace("&", "\\u0026"),
        "percent": quote(secret, safe=""),
        "percent in small letters": re.sub(
            "%..", lambda escape: escape[0].lower(), quote(secret, safe="")
        ),
        "all percent": "".join(f"%{each:02x}" for each in raw),
        "a form's": quote_plus(secret),
        "percent twice": quote(quote(secret, safe=""), safe=""),
        "HTML": html.escape(secret),
        "HTML in decimals": "".join(f"&#{each};" for each in raw),
        "HTML in hex": "".join(f"&#x{each:X};" for each in raw),
        "HTML twice": html.escape(html.escape(secret)),
        "HTML of JSON": html.escape(json.dumps(secret)[1:-1]),
        "base64": base64.b64encode(raw).decode(),
        "base64 without padding": base64.b64encode(raw).decode().rstrip("="),
        "base64 for URLs": base64.urlsafe_b64encode(raw).decode(),
        "base64, percent": quote(base64.b64encode(raw).decode(), safe=""),
        **{
            f"base64 behind {n}": base64.b64encode(b"u" * n + raw + b"z" * n).decode()
            for n in range(6)
        },
        "scripts, in octal": "".join(f"\\{each:03o}" for each in raw),
        "scripts, in bytes": "".join(f"\\x{each:02x}" for each in raw),
        "scripts, in braces": "".join(f"\\u{{{each:x}}}" for each in raw),
        "scripts, long": "".join(f"\\U{each:08x}" for each in raw),
        "percent of scripts": "".join(f"%u{each:04x}" for each in raw),
        "base64 in lines": base64.encodebytes(b"q" * 50 + raw + b"w" * 50).decode(),
    }


@pytest.mark.parametrize("way", spelled(SECRET))
@pytest.mark.parametrize("secret", [SECRET, "abcdefgh12", "x+/=x+/=x+/=", "per%2Fcent&amp;s"])
def test_every_spelling_is_masked(secret: str, way: str) -> None:
    text = spelled(secret)[way]
    masked = Mask([secret]).text(f"it said ({text}), no?")

    if way == "base64 in lines":
        assert all(line not in masked for line in text.split() if len(line) > 70)
    else:
        assert masked == "it said (***), no?"


@pytest.mark.parametrize(
    "spell",
    [
        pytest.param(str.upper, id="capitals"),
        pytest.param(str.lower, id="small letters"),
        pytest.param(str.swapcase, id="the other case"),
        pytest.param(lambda secret: secret.encode().hex(), id="hexadecimal"),
        pytest.param(lambda secret: secret.encode().hex().upper(), id="HEXADECIMAL"),
        pytest.param("\u200b".join, id="zero-width spaces"),
        pytest.param("\u00ad".join, id="soft hyphens"),
        pytest.param("&shy;".join, id="soft hyphens of HTML"),
        pytest.param("<wbr>".join, id="places to break a line"),
        pytest.param("\n".join, id="a line a letter"),
        pytest.param(lambda secret: secret[:6] + "\r\n\t" + secret[6:], id="folded"),
        pytest.param(lambda secret: secret[:6] + "\0" + secret[6:], id="a NUL"),
        pytest.param(lambda secret: secret[:6] + "\u202e\ufeff" + secret[6:], id="turned round"),
    ],
)
@pytest.mark.parametrize("secret", ["Canary-3f9A/51+c07b", "abcdefgh12"])
def test_a_long_secret_is_found_whatever_a_page_makes_of_it(
    secret: str, spell: Callable[[str], str]
) -> None:
    mask, text = Mask([secret]), f"it said ({spell(secret)}), no?"
    assert mask.text(text) == "it said (***), no?"
    for body in (json.dumps({"error": text}), text, f"<html><body><p>{text}</p></body></html>"):
        failure = read_reply(503, {"Content-Type": "text/html"}, body.encode(), mask=mask).failure
        assert failure is not None
        assert failure.message == "HTTP 503: it said (***), no?"
    for document in ({"records": 1, "warnings": [text]}, {"records": 1, "metrics": {"m": text}}):
        told = repr(read_completion({"status": "succeeded", **document}, mask))
        assert "it said (***), no?" in told


def test_a_short_secret_is_found_as_it_is_written_alone() -> None:
    mask = Mask(["Tok3n"])
    assert (
        mask.text("Tok3n, TOK3N, Tok\u200b3n, 546f6b336e") == "***, TOK3N, Tok\u200b3n, 546f6b336e"
    )


def test_a_tag_inside_a_word_does_not_part_a_secret() -> None:
    page = "<html><body><p>it was <b>canary</b>-<span class=x>3f9a51</span> so</p></body></html>"
    failure = read_reply(500, {}, page.encode(), mask=Mask(["canary-3f9a51"])).failure
    assert failure is not None
    assert failure.message == "HTTP 500: it was *** so"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40))
@settings(max_examples=200, deadline=None)
def test_every_secret_is_masked_in_every_spelling(secret: str) -> None:
    assume(secret.strip("\\"))
    mask = Mask([secret])
    for way, text in spelled(secret).items():
        masked = mask.text(f"({text})")
        assert secret not in masked
        assert "***" in masked, way


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("your key pw-12 is old", "your key *** is old"),
        ("(pw-12)", "(***)"),
        ("pw%2D12", "***"),
        ("apw-12", "apw-12"),
        ("pw-123", "pw-123"),
        ("pw-12", "***"),
    ],
)
def test_a_short_secret_is_masked_as_a_whole_word(text: str, masked: str) -> None:
    assert Mask(["pw-12"]).text(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("a row of a table has a name", "a row of a table has a name"),
        ("Bearer a", "Bearer ***"),
        ("token=a&b=c", "token=***&b=c"),
        ('{"key": "a"}', '{"key": "***"}'),
        ("a", "***"),
        ("data", "data"),
    ],
)
def test_a_tiny_secret_is_masked_where_a_credential_stands(text: str, masked: str) -> None:
    assert Mask(["a"]).text(text) == masked


def test_signed_tokens_are_masked_whoever_made_them() -> None:
    assert NOTHING_SECRET.text(f"refused {JWT}: expired") == "refused ***: expired"
    assert NOTHING_SECRET.text("eyJust a word.") == "eyJust a word."


def test_names_and_nested_texts_of_a_document_are_masked_and_words_of_the_contract_are_not() -> (
    None
):
    document = {"records": 5, "x": [{"key records-key-1": "s records-key-1"}, 1.5, None, True]}

    assert Mask(["records-key-1", "records", "succeeded"]).document(document) == {
        "records": 5,
        "x": [{"key ***": "s ***"}, 1.5, None, True],
    }


def test_a_secret_of_basic_is_masked_decoded_as_well() -> None:
    basic = base64.b64encode(b"me:sesame-1").decode()
    spec = CollectorSpec("dvf", "https://h/", auth=Auth(AuthKind.HEADER, {"Authorization": "${B}"}))
    mask = mask_of_call(spec, {"Authorization": f"Basic {basic}"})

    for text in (f"Basic {basic}", basic, "me:sesame-1", "password sesame-1"):
        masked = mask.text(f"no: {text}!")
        assert masked in {"no: ***!", "no: password ***!"}


@pytest.mark.parametrize(
    ("url", "text", "masked"),
    [
        ("https://h/run?key=tok-123456", "POST /run?key=tok-123456", "POST /run?***"),
        ("https://h/run?key=tok-123456&n=5", "it is tok-123456 of 5", "it is *** of 5"),
        ("https://h/run?s=0a1b2c3d4e5f6a7b8c9d0e", "0a1b2c3d4e5f6a7b8c9d0e", "***"),
        ("https://h/run?dataset=sales", "sales of May", "sales of May"),
    ],
)
def test_of_a_url_the_query_and_what_is_secret_in_it_are_masked(
    url: str, text: str, masked: str
) -> None:
    assert mask_of_call(CollectorSpec("dvf", url), {}).text(text) == masked


def test_a_header_that_is_written_out_is_no_secret() -> None:
    auth = Auth(AuthKind.HEADER, {"X-Site": "strasbourg", "X-Key": "${K}"})
    spec = CollectorSpec("dvf", "https://h/", auth=auth)
    mask = mask_of_call(spec, {"X-Site": "strasbourg", "X-Key": "key=canary-canary;v=1"}, "token-1")

    assert mask.text("strasbourg, canary-canary, token-1") == "strasbourg, ***, ***"


@pytest.mark.parametrize("status", [200, 400, 503])
def test_nothing_is_cut_before_it_is_masked(status: int) -> None:
    secret = "s3cr3t-" + "x" * 1000
    mask = Mask([secret])
    for at in range(280, 310):
        text = "y" * at + " " + secret + " tail"
        said = read_reply(status, {}, json.dumps({"error": text}).encode(), mask=mask)
        plain = read_reply(status, {}, text.encode(), mask=mask)
        assert "s3cr3t" not in repr((said, plain))
    page = "<html><p>" + "y " * 3000 + secret
    assert "s3cr3t" not in repr(read_reply(status, {}, page.encode(), mask=mask))


def test_where_a_redirect_points_is_masked() -> None:
    mask = Mask(["canary-canary"])
    for location in (
        "https://h/canary-canary/x",
        f"https://h/{'p' * 170}canary-canary",
        "canary%2Dcanary",
    ):
        reply = read_reply(302, {"Location": location}, b"", mask=mask, url="https://h/")
        assert "canary" not in repr(reply)


def test_progress_errors_and_figures_are_masked_whichever_way_they_come() -> None:
    mask = Mask(["canary-canary"])
    text = "it is canary-canary"

    progress = read_completion({"fraction": 0.5, "message": text}, mask)
    failed = read_completion({"status": "failed", "error": {"message": text}}, mask)
    done = read_completion(
        {
            "status": "succeeded",
            "records": 3,
            "warnings": [text],
            "artifacts": ["https://h/?t=canary-canary"],
            "metrics": {text: text, "pages": 2},
        },
        mask,
    )
    twice = read_completion(b'{"canary-canary": 1, "canary-canary": 2}', mask)

    assert progress == Progress(0.5, "it is ***")
    assert not isinstance(failed, Progress)
    assert failed.failure is not None
    assert failed.failure.message == "it is ***"
    assert not isinstance(done, Progress)
    assert done.findings == ReportedFigures(
        records=3,
        warnings=("it is ***",),
        artifacts=("https://h/?t=***",),
        metrics={"it is ***": "it is ***", "pages": 2},
    )
    assert "canary" not in repr(twice)


def test_without_the_secrets_the_numbers_are_kept_and_the_words_left_out() -> None:
    done = read_completion(
        {
            "status": "succeeded",
            "records": 3,
            "bytes": 9,
            "unchanged": False,
            "revision": "2026-10-01",
            "warnings": ["canary", "canary 2"],
            "artifacts": ["canary"],
            "metrics": {"pages": 2, "canary 9": 1, "note": "canary"},
            "canary": "canary",
        },
        WITHHELD,
    )
    failed = read_completion(
        {"status": "failed", "error": {"message": "canary", "kind": "canary"}, "retryable": True},
        WITHHELD,
    )

    assert not isinstance(done, Progress)
    assert done.findings == ReportedFigures(
        records=3, bytes=9, revision="2026-10-01", warnings=(LEFT_OUT,), metrics={"pages": 2}
    )
    assert not isinstance(failed, Progress)
    assert failed.failure is not None
    assert (failed.failure.kind, failed.failure.message) == ("http", LEFT_OUT)
    assert failed.failure.retryable
    named = read_completion({"status": "succeeded", "revision": "canary"}, WITHHELD)
    assert "canary" not in repr((done, failed, named))


def test_a_megabyte_is_masked_in_no_time() -> None:
    chance = random.Random(20261123)
    noise = "".join(chance.choices("ab%2F\\u0026&amp;+/= \n", k=1_000_000))
    started = time.process_time()

    Mask(["canary-canary", "short", SECRET]).text(noise)

    assert time.process_time() - started < 10
