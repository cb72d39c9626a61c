"""The documents as the tests read them: their links, headings, fenced blocks and command lines."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]

#: Every document that people are sent to.
DOCUMENTS = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "tests/README.md",
    "infra/README.md",
    "examples/collectors/README.md",
    "examples/monitoring/README.md",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
)

#: The kinds of fenced block that hold commands; the help in docs/cli.md is ``text``.
COMMANDS = ("", "sh", "console", "bash")

#: Where a command runs ``fanfold``: by its path, or as the first word after variables.
_FANFOLD = re.compile(r"\S*bin/fanfold(?=\s|$)|^(?:[A-Z_]+=\S+ +)*fanfold(?=\s|$)")

_COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the document and line that it stands in, its kind and its text."""

    document: str
    line: int
    kind: str
    text: str

    def lines(self) -> Iterator[tuple[int, str]]:
        """Give each command line with its number; a backslash at the end joins two."""
        joined, first = "", 0
        for number, line in enumerate(self.text.splitlines(), self.line + 1):
            first = first if joined else number
            joined += line.removeprefix("$ ")
            if joined.endswith("\\"):
                joined = joined[:-1]
                continue
            yield first, _COMMENT.sub("", joined)
            joined = ""


@cache
def tracked() -> tuple[Path, ...]:
    """Return the repository's files outside of what ``make`` makes."""
    folders = ("src", "functions", "examples", "infra", "tests", "bench", "tools", "config")
    return tuple(path for each in folders for path in (ROOT / each).rglob("*") if path.is_file())


def text_of(document: str) -> str:
    """Return the document's text."""
    return (ROOT / document).read_text(encoding="utf-8")


@cache
def tokens(document: str) -> tuple[Token, ...]:
    """Return the document as Markdown reads it."""
    return tuple(MarkdownIt("commonmark").enable("table").parse(text_of(document)))


def blocks(document: str) -> list[Block]:
    """Return the document's fenced blocks."""
    return [
        Block(document, each.map[0] + 1, each.info.strip(), each.content)
        for each in tokens(document)
        if each.type == "fence" and each.map
    ]


def links(document: str) -> list[str]:
    """Return where the document's links go, those to other sites left out."""
    inline = (child for each in tokens(document) for child in each.children or ())
    targets = (str(each.attrGet("href")) for each in inline if each.type == "link_open")
    return [each for each in targets if not re.match(r"[a-z]+:", each)]


@cache
def anchors(document: str) -> frozenset[str]:
    """Return the anchors of the document's headings, made as GitHub makes them."""
    every = tokens(document)
    titles = (
        "".join(child.content for child in after.children or ())
        for each, after in pairwise(every)
        if each.type == "heading_open"
    )
    return frozenset(re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in titles)


def fanfold_lines(document: str) -> list[tuple[str, list[str]]]:
    """Return each command line that runs ``fanfold``: where it stands, and the arguments."""
    return [
        (f"{document}:{number}", arguments)
        for block in blocks(document)
        for number, line in block.lines()
        if block.kind in COMMANDS or "ExecStart=" in line
        for arguments in _arguments(line)
    ] + [
        (f"{document}, in a sentence", shlex.split(each.content)[1:])
        for token in tokens(document)
        for each in token.children or ()
        if each.type == "code_inline" and re.match(r"(\.venv/bin/)?fanfold [a-z-]", each.content)
    ]


def _arguments(line: str) -> Iterator[list[str]]:
    """Give the arguments of each ``fanfold`` that a shell line runs."""
    for part in re.split(r"&&|\|\|?|;|\s\d?>|=\$\(|\)", line):
        found = _FANFOLD.search(part.strip())
        if found:
            yield shlex.split(part.strip()[found.end() :])
