"""Failures to look at, in sample mode only: ``POST http://127.0.0.1:8081/?fault=empty``.

Three are failures of the upstream, made by the offline transport, so that the collector
meets them as it would meet the real ones. Two are failures of the collector itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fanfold.collector import BadParams

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: What each fault shows.
FAULTS: Final[Mapping[str, str]] = {
    "503": "the upstream answers 503 with Retry-After: 1",
    "slow": "the collector's own answer trickles in over 60 s (seconds=N), deadline or not",
    "empty": "the upstream answers 200 with nothing in it",
    "cap": "the upstream stops at its cap, or in the middle of a file, and says 200",
    "garbage": "the collector answers 200 with a body that is not JSON",
}
#: How long ``slow`` takes unless told, and at most, in seconds.
DEFAULT_SLOW_S: Final = 60.0
MAX_SLOW_S: Final = 3600.0

#: A 200 that breaks the contract: JSON that turns into a proxy's error page.
GARBAGE: Final = b'{"records": 101, "bytes": \xff\xfe<html><h1>Bad Gateway</h1>'


@dataclass(frozen=True)
class Fault:
    """A fault asked for in the URL. ``name`` is None where none was."""

    name: str | None = None
    seconds: float = DEFAULT_SLOW_S

    @property
    def upstream(self) -> str | None:
        """The fault that the transport shall make, if it is one of the upstream's."""
        return self.name if self.name in {"503", "empty", "cap"} else None


def parse_fault(query: Mapping[str, str], *, source: str) -> Fault:
    """Return the fault that the *query* of the URL asks for.

    Raises:
        BadParams: It is unknown, or *source* is the live one.
    """
    name = query.get("fault")
    if name is None:
        return Fault()
    if source != "sample":
        raise BadParams("faults exist only in sample mode: start with COLLECTOR_SOURCE=sample")
    if name not in FAULTS:
        raise BadParams(f"unknown fault {name[:40]!r}; known: {', '.join(FAULTS)}")
    try:
        seconds = float(query.get("seconds", DEFAULT_SLOW_S))
    except ValueError:
        seconds = -1.0
    # Also false for NaN.
    if not 0 <= seconds <= MAX_SLOW_S:
        raise BadParams(f"seconds must be a number from 0 to {MAX_SLOW_S:.0f}")
    return Fault(name, seconds)


def trickle(body: bytes, *, seconds: float) -> Iterator[bytes]:
    """Yield *body* after *seconds* of blanks, one at a time and at most a second apart.

    Blanks may stand before JSON, so the answer is good in the end. To a caller that only
    watches for silence it looks alive all along: only a limit on the total time ends it.
    """
    ends_s = time.monotonic() + seconds
    while (left_s := ends_s - time.monotonic()) > 0:
        yield b" "
        time.sleep(min(1.0, left_s))
    yield body
