"""Breaks the code on purpose, one small change at a time, and tells which changes no test notices.

``python -m tools.mutants --seed 7 --sample 150`` (or ``make mutants``) draws that many changes by
the seed, spread over the rooms of ``src/fanfold`` by their size. It makes each in a copy of the
sources, and runs the tests that reach the changed line. It prints a line for each change, the
survivors again at the end, and exits with 1 if there are any: a person then writes a test, or says
why no test could tell. ``--room domain/rules`` draws from one room; ``--only 12`` repeats the
twelfth change alone.

Which tests reach a line is measured once, by coverage, and kept in ``build/``; ``--measure`` does
it again. A line that no measured test reaches is tried with the tests of its whole room.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.mutations import PACKAGE, ROOT, Mutant, mutants_of

#: Where the measured reach is kept.
REACH = ROOT / "build" / "reach.json"

#: A change may make a test wait for ever; this ends it, in seconds. It counts as noticed, and is
#: listed: on a busy machine the tests may only have been slow.
TIMEOUT_S = 180.0

#: Most test functions that one change is tried with; those that reach the fewest lines first, for
#: they say most exactly what the line is for.
MOST_TESTS = 20

#: Tests that are measured: those whose code runs in this process, and that take no long time.
MEASURED = (
    *("tests", "-m", "not slow"),
    *("--ignore=tests/bundle", "--ignore=tests/infra", "--ignore=tests/packaging"),
)

#: Room of the package to the folder of its tests, where a line is reached by no measured test.
TESTS_OF = {
    "adapters/embedded": "tests/adapters/embedded",
    "adapters/google": "tests/adapters/google",
    "adapters/http": "tests/adapters/http",
    "runtime": "tests/functions",
    "cli": "tests/cli",
    "devstack": "tests/devstack",
}


#: By file and line, the test functions that reach it.
Reach = Mapping[str, Mapping[str, list[str]]]


def drawn(sample: int, seed: int, room: str | None) -> list[Mutant]:
    """Return *sample* changes, spread over the rooms by their number of possible changes.

    Their order is drawn too: a run that is broken off has looked at every room.
    """
    by_room: dict[str, list[Mutant]] = defaultdict(list)
    for file in sorted(PACKAGE.rglob("*.py")):
        if PACKAGE / "ports" in file.parents:
            continue  # protocols: nothing of them runs
        for each in mutants_of(file):
            if room is None or each.room.startswith(room):
                by_room[each.room].append(each)
    total = sum(map(len, by_room.values()))
    chance = random.Random(seed)
    chosen: list[Mutant] = []
    for _, every in sorted(by_room.items()):
        share = max(1, round(sample * len(every) / total))
        chosen += chance.sample(every, min(share, len(every)))
    chance.shuffle(chosen)
    return chosen[:sample] if room else chosen


def measured() -> Reach:
    """Return, by file and line, the test functions that reach it; measured now if never before."""
    if not REACH.is_file():
        measure()
    found: Reach = json.loads(REACH.read_text("utf-8"))
    return found


def measure() -> None:
    """Run the tests once under coverage, and keep which of them reach which line."""
    from coverage import CoverageData  # noqa: PLC0415 - a development library, for this alone

    REACH.parent.mkdir(exist_ok=True)
    raw = REACH.with_suffix(".coverage")
    raw.unlink(missing_ok=True)
    settings = REACH.with_suffix(".rc")
    settings.write_text(
        f"[run]\ndata_file = {raw}\nsource = {PACKAGE}\ndynamic_context = test_function\n"
        "concurrency = thread\n",
        "utf-8",
    )
    command = ["-m", "coverage", "run", f"--rcfile={settings}", "-m", "pytest", "-q", *MEASURED]
    print("measuring which tests reach which line; this takes some minutes", file=sys.stderr)
    done = subprocess.run([sys.executable, *command], cwd=ROOT, check=False, stdout=subprocess.PIPE)
    # A test that fails without a change would notice every change, so it may judge none.
    failed = {name.partition("[")[0] for name in _failed(done.stdout)}
    for each in sorted(failed):
        print(f"left out, for it fails without a change: {each}", file=sys.stderr)
    data = CoverageData(str(raw))
    data.read()
    reach: dict[str, dict[str, list[str]]] = {}
    for file in data.measured_files():
        lines = data.contexts_by_lineno(file)
        reach[str(Path(file).relative_to(ROOT))] = {
            str(line): sorted(each for each in contexts if each and _node(each) not in failed)
            for line, contexts in lines.items()
        }
    REACH.write_text(json.dumps(reach), "utf-8")


def _failed(printed: bytes) -> list[str]:
    """Return the tests that failed, by what pytest *printed*."""
    return [name.decode() for name in re.findall(rb"(?m)^(?:FAILED|ERROR) (\S+)", printed)]


def widths(reach: Reach) -> Mapping[str, int]:
    """Return how many lines each test function reaches."""
    return Counter(
        context for lines in reach.values() for contexts in lines.values() for context in contexts
    )


def tests_for(mutant: Mutant, reach: Reach, width: Mapping[str, int]) -> list[str]:
    """Return the arguments for pytest: test functions that reach the line, or the room's folder."""
    lines = reach.get(str(mutant.file.relative_to(ROOT)), {})
    found = [context for context in lines.get(str(mutant.line), []) if _node(context)]
    if not found:
        # What runs when the module is loaded: its value shows where its name stands.
        found = [context for context in _of_name(mutant, reach) if _node(context)]
    if not found:
        room = mutant.room
        while room and room not in TESTS_OF:
            room = room.rpartition("/")[0]
        return [TESTS_OF.get(room, f"tests/{mutant.room.partition('/')[0]}")]
    nearest = sorted(found, key=lambda context: (width[context], context))[:MOST_TESTS]
    return sorted({_node(context) for context in nearest})


def _of_name(mutant: Mutant, reach: Reach) -> set[str]:
    """Return the tests that reach a line with the name of the constant that *mutant* is in.

    Those that reach any line of its file, where there is no name or no such line.
    """
    tree = ast.parse(mutant.file.read_text("utf-8"))
    inside = (each for each in tree.body if each.lineno <= mutant.line <= (each.end_lineno or 0))
    names = {
        node.id
        for each in inside
        if isinstance(each, ast.Assign | ast.AnnAssign)
        for node in ast.walk(each)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    found: set[str] = set()
    if names:
        spelled = re.compile(rf"\b(?:{'|'.join(names)})\b")
        for file, lines in reach.items():
            texts = (ROOT / file).read_text("utf-8").splitlines()
            for line, contexts in lines.items():
                if contexts and spelled.search(texts[int(line) - 1]):
                    found |= set(contexts)
    own = reach.get(str(mutant.file.relative_to(ROOT)), {})
    return found or {context for contexts in own.values() for context in contexts}


def _node(context: str) -> str:
    """Return ``tests/a/test_b.py::test_c`` for the context ``tests.a.test_b.test_c``.

    Empty for a contract's test: pytest collects it where an adapter subclasses the contract.
    """
    words = context.split(".")
    for cut in range(len(words) - 1, 0, -1):
        file = Path(*words[:cut]).with_suffix(".py")
        if file.name.startswith("test_") and (ROOT / file).is_file():
            return "::".join([str(file), *words[cut:]])
    return ""


def noticed_by(mutant: Mutant, tests: Sequence[str], copy: Path) -> str:
    """Return what fails on the copy of the sources in which *mutant* was made, "" if nothing does.

    A test's name, ``the time`` where the tests did not end, or ``pytest`` where none could begin.
    """
    target = copy / mutant.file.relative_to(ROOT)
    before = target.read_bytes()
    target.write_bytes(before[: mutant.start] + mutant.new.encode() + before[mutant.end :])
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    env = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=copy, env=env, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "the time"
    finally:
        target.write_bytes(before)
    if done.returncode == 5 or (done.returncode == 4 and b"not found: " in done.stderr):
        raise SystemExit(f"{mutant}: pytest ran no test of {tests}")
    if done.returncode == 0:
        return ""
    return next(iter(_failed(done.stdout)), "pytest")


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the changes that were drawn; return 1 if one was not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--sample", type=int, default=150)
    parser.add_argument("--room", help="a folder below src/fanfold, such as domain/rules")
    parser.add_argument("--only", type=int, help="the number of one change, from 1")
    parser.add_argument("--measure", action="store_true", help="measure the tests' reach again")
    asked = parser.parse_args(arguments)
    if asked.measure:
        REACH.unlink(missing_ok=True)
    chosen = drawn(asked.sample, asked.seed, asked.room)
    print(f"seed {asked.seed}: {len(chosen)} changes", flush=True)
    reach = measured()
    width = widths(reach)
    survivors, timed_out = [], 0
    with tempfile.TemporaryDirectory(prefix="fanfold-mutants-") as folder:
        copy = Path(folder) / "copy"
        made = shutil.ignore_patterns(".git", ".venv", "build", ".*_cache", "__pycache__")
        shutil.copytree(ROOT, copy, ignore=made)
        for number, each in enumerate(chosen, 1):
            if asked.only in (None, number):
                by = noticed_by(each, tests_for(each, reach, width), copy)
                word = "noticed " if by else "SURVIVED"
                print(f"{number:4} {word} {each}{f' ({by})' if by else ''}", flush=True)
                survivors += [] if by else [(number, each)]
                timed_out += by == "the time"
    print(f"{len(survivors)} of {len(chosen)} survived, {timed_out} noticed by the time alone")
    for number, each in survivors:
        print(f"{number:4} {each}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
