"""The lock file, read: every pin with its hashes, and what each one is there for.

``pip-compile`` says under each pin who asked for it (``# via``). Read backwards that is the
dependency graph, so a function's pins can be taken out of the one lock without asking an index:
what is deployed has the versions that were tested.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==\S+")
_ASKED_BY = re.compile(r"    #(?: via|  ) +([A-Za-z0-9][A-Za-z0-9._-]*)(?: \(.*\))?")


class NotLocked(Exception):
    """A requirement that the lock file does not hold."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One distribution of the lock: its line with the hashes, and who asked for it."""

    name: str
    text: str
    asked_by: frozenset[str]


def read_lock(text: str) -> Mapping[str, Pin]:
    """Return the pins of a lock file that pip-compile wrote with hashes, by normalized name."""
    pins: dict[str, Pin] = {}
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", text):
        match = _PIN.match(block)
        if match is None:
            continue
        lines = block.splitlines()
        pinned = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
        asked_by = (_ASKED_BY.fullmatch(line) for line in lines)
        name = normalized(match[1])
        pins[name] = Pin(
            name,
            "\n".join(pinned),
            frozenset(normalized(found[1]) for found in asked_by if found),
        )
    return pins


def closure(pins: Mapping[str, Pin], names: Iterable[str]) -> tuple[Pin, ...]:
    """Return the pins of *names* and of everything they need, by name.

    Raises:
        NotLocked: One of *names* is not in the lock.
    """
    found: set[str] = set()
    waiting = [normalized(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in pins:
            raise NotLocked(
                f"{name} is not in requirements.lock: add it to pyproject.toml, make lock"
            )
        if name not in found:
            found.add(name)
            waiting += [pin.name for pin in pins.values() if name in pin.asked_by]
    return tuple(pins[name] for name in sorted(found))


def normalized(name: str) -> str:
    """Return *name* as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
