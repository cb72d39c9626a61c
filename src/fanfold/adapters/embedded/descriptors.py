"""File descriptors: as many as the system gives, and never so many calls that the core has none."""

from __future__ import annotations

import ctypes
import resource
from contextlib import suppress

#: What is asked for, if the hard limit allows it.
WANTED = 65_536

#: What everything but calls and connections needs: standard streams, the database and its readers,
#: the lock file, the listening socket, a report that is being written.
CORE = 26

#: What one call under way needs: its socket, and what looking up the name takes.
PER_CALL = 2


def raise_limit() -> int:
    """Raise the soft limit of open files as far as it goes; return it as it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return WANTED if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted


def load_for_the_end() -> None:
    """Load the library by which threads end, while there is a descriptor to load it with.

    glibc opens it when the first thread ends. A process that is out of descriptors by then is
    aborted at its exit: "libgcc_s.so.1 must be installed for pthread_exit to work".
    """
    with suppress(OSError):  # other C libraries have none
        ctypes.CDLL("libgcc_s.so.1")


def calls_within(limit: int, wanted: int) -> int:
    """Return how many of *wanted* calls may be under way at once with *limit* descriptors."""
    return max(1, min(wanted, (limit - CORE) // PER_CALL))
