"""``make bench``: fanfold's embedded backend beside the design that it replaces.

Every contestant runs in a process of its own against the same stub collectors, one after the other
and several times; what is printed are medians and their ratios, for absolute times belong to one
machine and one moment. Goals: docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class RunFigures:
    """Medians of one contestant's rounds."""

    wall_s: float
    cpu_s: float
    peak_bytes: float


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


def _measure(
    names: list[str], count: int, limit: int, url: str, rounds: int
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
                timeout=600,
            ).stdout
            seen[name].append(json.loads(output))
    return {
        name: RunFigures(*(statistics.median(each[key] for each in all_rounds) for key in _KEYS))
        for name, all_rounds in seen.items()
    }


_KEYS = ("wall_s", "cpu_s", "peak_bytes")


def _print_row(label: str, count: int, figures: RunFigures) -> None:
    print(
        f"  {label:<14}{count / figures.wall_s:>10.0f}/s{figures.wall_s * 1000:>11.0f} ms"
        f"{figures.cpu_s / count * 1000:>11.2f} ms{figures.peak_bytes / MIB:>9.0f} MiB"
    )


def _instant(url: str, counts: list[int], limit: int, rounds: int) -> None:
    cpu_ms: dict[int, float] = {}
    names = ["old", "old-session", "fanfold"]
    for count in counts:
        figures = _measure(names, count, limit, url, rounds)
        print(f"\nN = {count:,}, at most {limit} at a time, collectors that answer at once")
        print(f"  {'':<14}{'rate':>12}{'wall':>14}{'CPU each':>14}{'peak':>13}")
        for name in names:
            _print_row(name, count, figures[name])
        ours = figures["fanfold"]
        cpu_ms[count] = ours.cpu_s / count * 1000
        for name, goal in (("old-session", "0.9"), ("old", "1.6")):
            ratio = figures[name].wall_s / ours.wall_s
            print(f"  fanfold / {name}: {ratio:.2f} of its rate (goal at N = 1,000: {goal})")
    if 100 in cpu_ms and max(counts) > 100:
        growth = cpu_ms[max(counts)] / cpu_ms[100]
        print(f"\nCPU per collector, N = {max(counts):,} over N = 100: {growth:.2f} (goal 1.2)")


def _slow(url: str) -> None:
    count, limit, ms = 1000, 64, 100
    ideal_s = ms / 1000 * -(-count // limit)
    figures = _measure(["fanfold"], count, limit, f"{url}?ms={ms}", 1)["fanfold"]
    print(f"\nN = {count:,} collectors of {ms} ms, at most {limit} at a time")
    print(f"  wall over the ideal {ideal_s:.1f} s: {figures.wall_s / ideal_s:.2f} (goal 1.15)")


def _warm(url: str) -> None:
    figures = _measure(["fanfold-warm"], 4, 4, url, 3)["fanfold-warm"]
    print(f"\nN = 4, warm, trigger to report: {figures.wall_s * 1000:.0f} ms (goal 30 ms)")


def main() -> None:
    """Run the benchmarks that the options name, and print their figures."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--counts", default="4,100,1000,10000", help="N, comma-separated")
    parser.add_argument("--limit", type=int, default=16, help="most calls at a time (16)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds for each contestant (3)")
    arguments = parser.parse_args()
    counts = [int(text) for text in arguments.counts.split(",")]
    with _stub() as url:
        _warm(url)
        _instant(url, counts, arguments.limit, arguments.rounds)
        _slow(url)


if __name__ == "__main__":
    main()
