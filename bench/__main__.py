"""``make bench``: fanfold's embedded backend beside the design that it replaces, and its goals.

Every contestant runs in a process of its own against the same stub collectors, one after the other
and several times; what is printed are medians and their ratios, for absolute times belong to one
machine and one moment. CPU for each collector is the steadiest figure. ``--write`` puts the table
of the goals into docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.goals import print_goals, write_page

MIB = 1024 * 1024

#: Who runs N collectors side by side.
NAMES = ("old", "old-session", "raw-libcurl", "sqlite-commits", "fanfold")


@dataclass(frozen=True)
class RunFigures:
    """Medians of one contestant's rounds. ``spread`` is its slowest over its fastest round."""

    wall_s: float
    cpu_s: float
    peak_bytes: float
    spread: float


@contextmanager
def _stub() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.stub"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stdin
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
    finally:
        process.stdin.close()
        process.wait(timeout=10)


def measure(
    names: tuple[str, ...], count: int, limit: int, url: str, rounds: int
) -> dict[str, RunFigures]:
    """Return each contestant's medians; the rounds alternate, so that a slow moment hits all."""
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names:
            print(f"  {name}, N = {count}, round {number + 1}/{rounds} …", file=sys.stderr)
            output = subprocess.run(
                [sys.executable, "-m", "bench.contestants", name, str(count), str(limit), url],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
                timeout=1800,
            ).stdout
            seen[name].append(json.loads(output))
    return {name: _medians(all_rounds) for name, all_rounds in seen.items()}


def _medians(rounds: list[dict[str, float]]) -> RunFigures:
    walls = [each["wall_s"] for each in rounds]
    middle = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
    spread = max(walls) / min(walls)
    return RunFigures(middle["wall_s"], middle["cpu_s"], middle["peak_bytes"], spread)


def _print_rows(figures: dict[str, RunFigures], count: int, limit: int) -> None:
    print(f"\nN = {count:,}, at most {limit} at a time, collectors that answer at once")
    print(f"  {'':<16}{'rate':>12}{'wall':>12}{'CPU each':>13}{'peak':>11}{'spread':>9}")
    for name, each in figures.items():
        print(
            f"  {name:<16}{count / each.wall_s:>10.0f}/s{each.wall_s * 1000:>9.0f} ms"
            f"{each.cpu_s / count * 1e6:>10.0f} µs{each.peak_bytes / MIB:>7.0f} MiB"
            f"{each.spread:>9.1f}"
        )


def _cpu_of_command(*arguments: str) -> float:
    """Return the CPU seconds of one ``fanfold`` command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "fanfold", *arguments], check=False, stdout=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _side_by_side(
    url: str, counts: list[int], limit: int, rounds: int
) -> tuple[dict[str, float | None], float]:
    """Measure runs of each of *counts*; return figures by goal, and the widest spread."""
    found: dict[str, float | None] = {}
    spread, each_s = 1.0, {}
    for count in counts:
        is_huge = count > 10_000
        names = ("fanfold",) if is_huge else NAMES
        figures = measure(names, count, limit, url, 1 if is_huge else rounds)
        _print_rows(figures, count, limit)
        spread = max(spread, *(each.spread for each in figures.values()))
        ours = figures["fanfold"]
        each_s[count] = ours.cpu_s / count
        found[f"peak_{count}"] = ours.peak_bytes / MIB
        if 1000 in each_s and count > 1000:
            found[f"growth_{count}"] = each_s[count] / each_s[1000]
        if count == 1000:
            session, old = figures["old-session"], figures["old"]
            floor_s = figures["raw-libcurl"].cpu_s + figures["sqlite-commits"].cpu_s
            found |= {
                "session": session.wall_s / ours.wall_s,
                "session_cpu": session.cpu_s / ours.cpu_s,
                "old": old.wall_s / ours.wall_s,
                "cpu_us": each_s[count] * 1e6,
                "floor": ours.cpu_s / floor_s,
            }
    return found, spread


def _apart(url: str, limit: int, rounds: int) -> dict[str, float]:
    """Measure what has no contestant beside it; return figures by goal."""
    slow = measure(("fanfold",), 1000, 64, f"{url}?ms=100", rounds)["fanfold"]
    warm = measure(("fanfold-warm",), 4, 4, url, rounds)["fanfold-warm"]
    idle = measure(("fanfold-idle",), 10, limit, url, 1)["fanfold-idle"]
    ratios = []
    for _ in range(rounds):
        alone = measure(("neighbours",), 300, 1, url, 1)["neighbours"]
        beside = measure(("neighbours",), 300, 16, url, 1)["neighbours"]
        ratios.append(alone.wall_s / beside.wall_s)
    return {
        "slow": slow.wall_s / (0.1 * -(-1000 // 64)),
        "warm_ms": warm.wall_s * 1000,
        "idle": idle.cpu_s / idle.wall_s * 100,
        "neighbours": statistics.median(ratios),
        "help_s": min(_cpu_of_command("--help") for _ in range(3)),
        "status_s": min(_cpu_of_command("status") for _ in range(3)),
    }


def main() -> None:
    """Run the benchmarks that the options name, and print their figures beside the goals."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--counts", default="1000,10000", help="N, comma-separated (1000,10000)")
    parser.add_argument("--limit", type=int, default=16, help="most calls at a time (16)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds for each contestant (5)")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md's table")
    arguments = parser.parse_args()
    counts = [int(text) for text in arguments.counts.split(",")]
    load_before = os.getloadavg()[0]
    with _stub() as url:
        figures, spread = _side_by_side(url, counts, arguments.limit, arguments.rounds)
        figures |= _apart(url, arguments.limit, arguments.rounds)
    load = max(load_before, os.getloadavg()[0])
    noise = (
        f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, {time.strftime('%Y-%m-%d')}, "
        f"medians of {arguments.rounds} rounds. Noise: a load of up to {load:.1f}; the slowest "
        f"round of a contestant took up to {spread:.1f} times its fastest."
    )
    print(f"\n{noise}\n")
    print_goals(figures)
    if arguments.write:
        write_page(figures, noise)


if __name__ == "__main__":
    main()
