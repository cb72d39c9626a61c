"""JSON from strangers: read as every reader understands it, or refused with a reason."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanfold.domain.protocol.strict_json import MAX_DEPTH, NotJson, is_json_in_base64, read_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_what_json_writes_is_read_back(value: object) -> None:
    text = json.dumps(value)
    assert read_json(text) == value
    assert read_json(text.encode()) == value


@given(st.binary())
def test_any_bytes_are_json_or_refused(text: bytes) -> None:
    try:
        value = read_json(text)
    except NotJson:
        return
    assert json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(b"", "Expecting value at line 1 column 1", id="nothing"),
        pytest.param(b"\xff{}", "not UTF-8 at byte 0", id="not UTF-8"),
        pytest.param(b'{"a": 1, "a": 2}', "the key 'a' is there twice", id="a repeated key"),
        pytest.param(b'{"a": NaN}', "NaN is not a JSON number", id="NaN"),
        pytest.param(b"[-Infinity]", "-Infinity is not a JSON number", id="infinity"),
        pytest.param(b"[1e999]", "1e999 is larger than any number", id="a float that overflows"),
        pytest.param(b"1" * 5000, "digits", id="more digits than Python reads"),
        pytest.param(b'{"a": 1} x', "Extra data at line 1 column 10", id="something after it"),
        pytest.param(rb'["\ud800"]', "half of a surrogate pair", id="half a pair, escaped"),
        pytest.param('["\ud800"]', "half of a surrogate pair", id="half a pair, raw"),
        pytest.param(rb'{"\uDC00": 1}', "half of a surrogate pair", id="half a pair as a key"),
        pytest.param(b"\xef\xbb\xbf{}", r"there is a byte order mark \(U\+FEFF\)", id="a BOM"),
        pytest.param(
            "{\u00a0}", r"a no-break space \(U\+00A0\), not a space", id="a no-break space"
        ),
        pytest.param(
            "{\u201ca\u201d: 1}", "quotation mark .* not a straight quote", id="curly quotes"
        ),
        pytest.param(b"{'a': 1}", "JSON writes texts in double quotes", id="single quotes"),
        pytest.param("{}".encode("utf-16"), "it is UTF-16", id="UTF-16"),
        pytest.param(b"eyJkdWUiOiB0cnVlfQ==", "it is base64", id="base64"),
        pytest.param(b"IHsiYSI6IDF9\n", "it is base64", id="base64 of an indented object"),
        pytest.param(b"[" * 100_000, "nested deeper than 20", id="nested until Python gives up"),
    ],
)
def test_what_readers_disagree_about_is_refused(text: bytes | str, why: str) -> None:
    with pytest.raises(NotJson, match=why):
        read_json(text)


@pytest.mark.parametrize("text", ["dvf,plu", "words", "aGVsbG8=", "", "e", "+++"])
def test_only_base64_of_an_object_is_called_base64(text: str) -> None:
    assert not is_json_in_base64(text)
    with pytest.raises(NotJson) as caught:
        read_json(text)
    assert "base64" not in str(caught.value)


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert read_json(rb'"\ud83d\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_the_deepest_nesting_is_read_and_one_more_is_not(brackets: str) -> None:
    opening = brackets[0] if brackets == "[]" else '{"a":'

    def nested(levels: int) -> str:
        return opening * (levels - 1) + brackets + brackets[1] * (levels - 1)

    read_json(nested(MAX_DEPTH))
    with pytest.raises(NotJson, match="nested deeper"):
        read_json(nested(MAX_DEPTH + 1))


def test_brackets_in_a_text_are_no_nesting() -> None:
    assert read_json('["' + "[" * 50 + '"]') == ["[" * 50]
