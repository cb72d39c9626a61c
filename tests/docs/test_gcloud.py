"""Every gcloud line that people are given is one: gcloud's own parser takes it. None is run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.documents import COMMANDS, DOCUMENTS, ROOT, blocks, tokens
from tests.needs import give_up

PARSER = Path(__file__).with_name("gcloud_parser.py")

#: A flag that there is not, and a comma that ends the attribute.
WRONG = (
    ["pubsub", "topics", "publish", "run-requests", "--messag={}"],
    ["pubsub", "topics", "publish", "run-requests", "--attribute=collectors=dvf,plu"],
)

#: A sentence may name a command without its arguments.
IN_A_SENTENCE, INCOMPLETE = ", in a sentence", re.compile(r"[Mm]ust be specified|argument expected")

#: A command within a command: $(gcloud projects describe … --format='value(projectNumber)').
_INSIDE = re.compile(r"\$\(((?:[^()]|\([^()]*\))*)\)")

#: Where Terraform prints a command: between backticks, or as a whole text.
_IN_TERRAFORM = re.compile(r'`(gcloud [^`]*)`|= "(gcloud .*)"$', re.MULTILINE)


def commands(line: str) -> Iterator[list[str]]:
    """Give the arguments of each ``gcloud`` that a shell line runs."""
    outside = _INSIDE.sub("value", line)
    for text in (outside, *_INSIDE.findall(line)):
        if "gcloud" not in text:
            continue
        lexer = shlex.shlex(
            re.sub(r"\$\{?\w+\}?", "name", text), posix=True, punctuation_chars=True
        )
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if not set(word) <= set("();<>|&"):
                words.append(word)
                continue
            if "gcloud" in words:
                yield words[words.index("gcloud") + 1 :]
            words = []


def gcloud_lines() -> list[tuple[str, list[str]]]:
    """Return each gcloud line of the documents and of what Terraform prints, with its place."""
    fenced = [
        (f"{name}:{number}", line)
        for name in DOCUMENTS
        for block in blocks(name)
        if block.kind in COMMANDS
        for number, line in block.lines()
    ]
    inline = [
        (f"{name}{IN_A_SENTENCE}", child.content)
        for name in DOCUMENTS
        for token in tokens(name)
        for child in token.children or ()
        if child.type == "code_inline" and re.match(r"gcloud [a-z]", child.content)
    ]
    printed = [
        (path.name, re.sub(r"\$\{[^}]*\}", "name", "".join(found)).replace('\\"', '"'))
        for path in sorted((ROOT / "infra").glob("*.tf"))
        for found in _IN_TERRAFORM.findall(path.read_text("utf-8"))
    ]
    return [
        (place, arguments)
        for place, line in (*fenced, *inline, *printed)
        if "…" not in line and "─" not in line  # a pattern, a drawing
        for arguments in commands(line)
    ]


def test_commands_are_found_wherever_a_shell_runs_one() -> None:
    line = (
        "x | gcloud a b --c='d;e' && export N=\"$(gcloud f --g='h(i)')\"; "
        "for k in l; do gcloud m $N; done"
    )

    assert list(commands(line)) == [["a", "b", "--c=d;e"], ["m", "name"], ["f", "--g=h(i)"]]


def test_gcloud_takes_every_line(verdicts: list[str]) -> None:
    lines = gcloud_lines()
    assert len(lines) > 30

    wrong = {
        f"{place}: gcloud {shlex.join(arguments)}": why
        for (place, arguments), why in zip(lines, verdicts, strict=False)
        if why and not (IN_A_SENTENCE in place and INCOMPLETE.search(why))
    }
    assert wrong == {}


def test_gcloud_refuses_what_is_no_flag_and_no_value(verdicts: list[str]) -> None:
    no_flag, no_value = verdicts[-2:]

    assert "did you mean '--message'" in no_flag
    assert "Bad syntax for dict arg: [plu]" in no_value


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What gcloud says to each line of the documents, and to two wrong ones: in one process."""
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        give_up("gcloud is not installed")
    lines = [*(arguments for _, arguments in gcloud_lines()), *WRONG]
    return _parse(Path(gcloud).resolve().parents[1], lines, tmp_path_factory.mktemp("gcloud"))


def _parse(sdk: Path, lines: list[list[str]], folder: Path) -> list[str]:
    python = shutil.which("python3", path=os.defpath) or "python3"
    done = subprocess.run(
        [python, "-S", str(PARSER), str(sdk)],
        env={
            "CLOUDSDK_CONFIG": str(folder),
            "CLOUDSDK_CORE_PROJECT": "demo",
            "HOME": str(folder),
            "PATH": os.defpath,
        },
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    verdicts: list[str] = json.loads(done.stdout)
    return verdicts
