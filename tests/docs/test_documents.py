"""What the documents say is so: links lead somewhere, commands exist, numbers are the code's."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer
from tests.docs.documents import (
    COMMANDS,
    DOCUMENTS,
    ROOT,
    anchors,
    blocks,
    fanfold_lines,
    links,
    text_of,
    tracked,
)

from fanfold.cli.app import _hoisted, app

#: Longest README, in lines: one that is longer is not read.
README_LINES = 150

#: Every command line that runs ``fanfold``, with where it stands.
FANFOLD_LINES = [each for name in DOCUMENTS for each in fanfold_lines(name)]


#: What the parser says of a command that lacks an argument or a second word.
_INCOMPLETE = ("MissingParameter", "NoArgsIsHelpError")


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))


def test_every_document_is_looked_at() -> None:
    assert len(DOCUMENTS) > 15
    assert len(FANFOLD_LINES) > 40


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    lost = []
    for link in links(document):
        path, _, anchor = link.partition("#")
        there = (ROOT / document).parent.joinpath(path).resolve() if path else ROOT / document
        if not there.exists():
            lost.append(f"{link}: no such file")
        elif anchor and anchor not in anchors(str(there.relative_to(ROOT))):
            lost.append(f"{link}: no such heading")
    assert lost == []


def test_every_page_is_in_the_readme() -> None:
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert pages - set(links("README.md")) == set()


def test_the_readme_is_short() -> None:
    assert len(text_of("README.md").splitlines()) <= README_LINES


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_verb_of_make_is_a_target(document: str) -> None:
    lines = [
        line
        for block in blocks(document)
        if block.kind in COMMANDS
        for _, each in block.lines()
        for line in re.split(r"&&|;", each)
    ]
    quoted = re.findall(r"`(make [^`]*)`", text_of(document))
    verbs = [
        word
        for line in [*(each.strip() for each in lines), *quoted]
        if line.startswith("make ")
        for word in line.split()[1:2]
    ]
    assert [verb for verb in verbs if verb not in targets()] == []


@pytest.mark.parametrize(
    ("where", "arguments"), FANFOLD_LINES, ids=[f"{a} {' '.join(b)}" for a, b in FANFOLD_LINES]
)
def test_every_command_line_parses(where: str, arguments: list[str]) -> None:
    rest = _hoisted([each for each in arguments if each != "--help"])
    command: Any = typer.main.get_command(app)
    context = command.make_context("fanfold", rest) if rest else None
    while context is not None and hasattr(command, "resolve_command"):
        left = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, left)
        try:
            context = command.make_context(name, rest, parent=context)
        except typer.exceptions.TyperException as exc:
            # A sentence may name a command without what it works on.
            if where.endswith("sentence") and type(exc).__name__ in _INCOMPLETE:
                return
            raise


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_document_names_somebodys_home(document: str) -> None:
    assert re.findall(r"/(?:home|root|Users)/\w+", text_of(document)) == []


#: A file of the project, as documents name it.
_NAMED_FILE = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|sql|css|j2|cfg))`")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_source_file_that_is_named_is_there(document: str) -> None:
    every = [str(path.relative_to(ROOT)) for path in tracked()]
    named = set(_NAMED_FILE.findall(text_of(document)))
    assert [
        each for each in sorted(named) if not any(f"/{path}".endswith(f"/{each}") for path in every)
    ] == []
