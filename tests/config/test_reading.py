"""Files that are no configuration get one clear message each, and cannot harm the reader."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.config.cases import NOW, errors, read, refused
from tests.needs import give_up

from fanfold.config import ConfigError, load
from fanfold.config.file import reader
from fanfold.config.file.source import MAX_BYTES

LAUGHS = b"a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n"


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = getattr(yaml, request.param, None)
    if loader is None:
        give_up("PyYAML was built without libyaml")
    monkeypatch.setattr(reader, "LOADER", loader)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", "the file is empty", id="nothing"),
        pytest.param(b"# only words\n", "the file is empty", id="a comment"),
        pytest.param(b"---\n", "the file is empty", id="a document of nothing"),
        pytest.param(b"- a\n- b\n", "a list, not keys", id="a list at the top"),
        pytest.param(b"words\n", "'words', not keys", id="a word at the top"),
        pytest.param(b"a: \xff\n", "byte 0xff is not UTF-8", id="latin-1"),
        pytest.param(b"\xff\xfea\x00", "UTF-16", id="UTF-16"),
        pytest.param(b"\xef\xbb\xbfa: 1", "byte order mark", id="a BOM"),
        pytest.param(b"a: \x00\n", "a NUL character", id="NUL"),
        pytest.param(b"a: \x1b[31m\n", "control character U+001B", id="an escape"),
        pytest.param(b"a:\n\tb: 1\n", "not valid YAML", id="a tab"),
        pytest.param(b"a: b: c\n", "not valid YAML", id="a colon"),
        pytest.param(b"a: {b: ${X}}\n", "not valid YAML", id="a reference in braces"),
        pytest.param(b"a: 'b\n", "not valid YAML", id="an open quote"),
        pytest.param(b"a: * * *\n", "not valid YAML", id="an unquoted cron"),
        pytest.param(b"a: 1\n--- \nb: 1\n", "second document", id="two documents"),
        pytest.param(LAUGHS, "anchors (&name) and aliases", id="a billion laughs"),
        pytest.param(b"a: !!python/object/apply:os.system [ls]", "tags (!name)", id="a tag"),
        pytest.param(b"a: !x 1", "tags (!name)", id="a tag of somebody's own"),
        pytest.param(b"<<: {a: 1}\n", "merge keys", id="a merge key"),
        pytest.param(b"[a]: 1\n", "a key must be a word", id="a list as key"),
        pytest.param(b"a: " + b"[" * 65 + b"]" * 65, "deeper than 64", id="too deep"),
        pytest.param(b"a: " + b"[" * 300_000, "deeper than 64", id="a depth bomb"),
        pytest.param(b"a: " + b"{b: " * 100_000, "deeper than 64", id="another"),
        pytest.param(b"#" * (MAX_BYTES + 1), "larger than 1024 KiB", id="too large"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(content: bytes, sentence: str) -> None:
    (only,) = errors(content)
    assert sentence in only


def test_every_duplicate_key_is_refused_at_its_second_place() -> None:
    found = refused(b"a: 1\nb: {c: 1, c: 2}\na: 2\n").problems
    assert [(each.line, each.column, each.what) for each in found] == [
        (2, 11, "key 'c' stands twice, first in line 2"),
        (3, 1, "key 'a' stands twice, first in line 1"),
    ]


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        (b"a:\n\tb: 1\n", "replace the tab"),
        (b"a: b: c\n", 'quote the value: it contains ": "'),
        (b"a: {b: ${X}}\n", "quote it"),
        (b"a: 'b\n", "close the quote"),
        (b"a: * * *\n", 'quote it: "* * * * *"'),
        (b"a: */5 * * * *\n", 'quote it: "*/5 * * * *"'),
        (b"a: *5 * * * *  # odd\n", 'quote it: "*5 * * * *"'),
        (b"a: {s: */5 1,2 * * *, u: x}\n", 'quote it: "*/5 1,2 * * *"'),
        (b"a:\n  - */5\n", 'quote it: "*/5"'),
        (b"a:\n  b:\xc2\xa010m\n  c: 1\n", "not the no-break space (U+00A0) in column 5 of line 2"),
        (b"a: & x\n", "begins with &"),
        (b"a: @x\n", "quote the value: it begins with @"),
        (b"a: [1, 2\nb: 3\n", "close the bracket"),
        (b"a: 1\n b: 2\n", "check the indentation"),
    ],
)
def test_broken_yaml_says_how_to_mend_it(content: bytes, fix: str) -> None:
    (only,) = refused(content).problems
    assert fix in only.fix
    assert only.line > 0


def test_a_file_that_is_not_there_is_a_message(tmp_path: Path) -> None:
    for path, sentence in [
        (tmp_path / "none.yaml", "no file"),
        (tmp_path, "is a folder"),
        (Path("a\0b"), "cannot read"),
        (tmp_path / ("x" * 300), "cannot read"),
    ]:
        with pytest.raises(ConfigError, match=sentence) as caught:
            load(path, {}, now=NOW)
        assert "0 warnings" in caught.value.render()


def test_a_file_that_may_not_be_read_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(self: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(ConfigError, match="no permission to read"):
        load("config.yaml", {}, now=NOW)


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("timeout:\u00a010m", "write a space, not the no-break space (U+00A0) in column 15"),
        ("\u00a0timeout: 10m", "write a space, not the no-break space (U+00A0) in column 7"),
        (
            "timeout: 10\u202fm",
            "write a space, not the narrow no-break space (U+202F) in column 18",
        ),
        ("timeout: \u200b10m", "delete the zero width space (U+200B) in column 16"),
        ("timeout: \ufeff10m", "delete the byte order mark (U+FEFF) in column 16"),
        ("timeout: \u201c10m\u201d", "not the left double quotation mark (U+201C) in column 16"),
        ("schedule: '0 1\u20135 * * *'", "write -, not the en dash (U+2013) in column 21"),
    ],
)
def test_a_character_that_looks_like_another_is_named(line: str, fix: str) -> None:
    text = f"version: 2\nscheduler:\n  collectors:\n    dvf:\n      {line}\n"
    assert fix in refused(text).problems[0].fix


def test_a_no_break_space_in_a_comment_or_a_text_is_nobodys_business() -> None:
    text = "version: 2 # voil\u00e0\u00a0:\nscheduler: {collectors: {dvf: {upstream: 'a b'}}}\n"
    params = text.replace("upstream: 'a b'", "params: {region: \u00cele\u00a0de\u00a0France}")
    assert read(text).warnings == read(params).warnings == ()


@pytest.mark.parametrize(
    ("lines", "fix"),
    [
        # YAML takes the space for a part of the name, and stumbles over the line after it.
        (("timeout\u00a0: 10m", "mode: sync: x"), "in column 14 of line 5"),
        (("timeout: 10m", "mode: sync: x", "tags\u00a0: [a]"), ""),
        (("a\u00a0: 10m", "timeout: 10m", "mode: sync: x"), ""),
    ],
)
def test_a_lookalike_is_sought_in_the_line_and_in_the_one_before(
    lines: tuple[str, ...], fix: str
) -> None:
    inner = "".join(f"      {line}\n" for line in lines)
    text = f"version: 2\nscheduler:\n  collectors:\n    dvf:\n{inner}"
    (only,) = refused(text).problems
    assert only.fix.endswith(fix)
    assert ("no-break space" in only.fix) == bool(fix)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a: b: c\n", (1, 5)),
        (b"a: @x\n", (1, 4)),
        (b"a:\n\tb: 1\n", (2, 1)),
        (b"a: 1\nb: c: d\n", (2, 5)),
        (b"a: ? x\n", (1, 4)),
    ],
)
def test_the_caret_stands_under_what_broke_the_yaml(content: bytes, place: tuple[int, int]) -> None:
    (only,) = refused(content).problems
    assert (only.line, only.column) == place
