"""The next command to type: made in one place, and one that the command line takes."""

from __future__ import annotations

import ast
import inspect
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from fanfold import cli
from fanfold.cli.app import _hoisted, app
from fanfold.cli.output import words
from fanfold.domain.report.causes import Named
from fanfold.domain.syntax.command_line import fanfold, quoted
from fanfold.rendering.causes import commands

#: What a command is tried with, by the name of the argument that it is for.
SAMPLES: dict[str, Any] = {
    "run_id": "2026-11-23T0215Z-nightly",
    "collectors": ["plu", "dvf"],
    "collector": "plu",
    "key": 'it\'s "hard" $HOME',
    "letter_id": "-a b",
    "topic": "run-requests",
    "database": Path("my file.db"),
    "why": "because",
}

#: Names of :mod:`fanfold.cli.output.words` that make no command line.
OTHERS = ("form_of", "in_or_ago", "slot_words", "json_text")


def proposed() -> Iterator[tuple[str, str]]:
    """Give every command line of fanfold's that the words can make, by the name of what does."""
    for name, value in vars(words).items():
        if name.isupper() and isinstance(value, str):
            yield name, value
        elif inspect.isfunction(value) and value.__module__ == words.__name__:
            parameters = inspect.signature(value).parameters
            if name not in OTHERS and set(parameters) <= set(SAMPLES):
                yield name, value(**{each: SAMPLES[each] for each in parameters})
    for verb in (("run",), ("retry",), ("demo",), ("dead-letters", "replay"), ()):
        yield "help_of", words.help_of(*verb)
    for number in (1, 4, 9):
        bad: list[Named] = [(f"c{each}", {}) for each in range(number)]
        yield from (("page", command) for command, _ in commands(bad, "my-run"))


OURS = [(name, line) for name, line in proposed() if line.startswith("fanfold ")]


def test_there_are_many_to_try() -> None:
    assert len(OURS) > 30


@pytest.mark.parametrize(("name", "line"), OURS, ids=[name for name, _ in OURS])
def test_every_proposed_command_is_one_that_the_command_line_takes(name: str, line: str) -> None:
    command, _, _ = line.partition("   # ")
    arguments = shlex.split(command)[1:]
    if arguments[-1] == "--help":
        arguments = arguments[:-1]
    if not arguments:
        return
    group: Any = typer.main.get_command(app)
    context = group.make_context("fanfold", _hoisted(arguments))
    while hasattr(group, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        verb, group, rest = group.resolve_command(context, rest)
        context = group.make_context(verb, rest, parent=context, resilient_parsing=not rest)


def test_no_other_module_of_the_command_line_writes_one() -> None:
    found = []
    for path in Path(cli.__file__).parent.rglob("*.py"):
        if path.name == "words.py":
            continue
        tree = ast.parse(path.read_text("utf-8"))
        texts = {
            id(each.body[0].value)
            for each in ast.walk(tree)
            if isinstance(each, ast.Module | ast.ClassDef | ast.FunctionDef)
            and each.body
            and isinstance(each.body[0], ast.Expr)
        }
        found += [
            (path.name, each.value)
            for each in ast.walk(tree)
            if isinstance(each, ast.Constant)
            and isinstance(each.value, str)
            and id(each) not in texts
            and each.value.lstrip().startswith(("fanfold ", "next: fanfold", "next    fanfold"))
        ]
    # "fanfold 0.1.0", which --version prints, is no command.
    assert [each for each in found if each != ("app.py", "fanfold ")] == []


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("latest~1", "latest~1"),
        ("~root", "'~root'"),
        ("", "''"),
        ("a b", "'a b'"),
        ("it's", "'it'\"'\"'s'"),
        ("$(id)", "'$(id)'"),
        ("years=[2024]", "'years=[2024]'"),
        ("2026-11-23T0215Z-nightly", "2026-11-23T0215Z-nightly"),
        ("a\nb", "'a\nb'"),
    ],
)
def test_a_word_is_quoted_only_where_a_shell_needs_it(word: str, written: str) -> None:
    assert quoted(word) == written
    assert shlex.split(fanfold("run", word)) == ["fanfold", "run", word]
