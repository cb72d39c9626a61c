"""The HTTP sessions behind a collector: the live APIs, or the bundled samples.

``COLLECTOR_SOURCE=sample`` replaces the transport adapter of the session and nothing
above it, so that requests are built, paged, paced and parsed by the same code.
"""

from __future__ import annotations

import functools
import os
from http.cookiejar import DefaultCookiePolicy
from typing import Final

import requests
from requests.adapters import HTTPAdapter

from .failures import Misconfigured

#: Known values of ``COLLECTOR_SOURCE``; the first is the default.
SOURCES: Final = ("live", "sample")


def source() -> str:
    """Return where answers come from, ``live`` or ``sample``.

    Raises:
        Misconfigured: ``COLLECTOR_SOURCE`` holds another word.
    """
    chosen = os.environ.get("COLLECTOR_SOURCE") or SOURCES[0]
    if chosen not in SOURCES:
        raise Misconfigured(f"COLLECTOR_SOURCE must be live or sample, not {chosen[:40]!r}")
    return chosen


def open_session(collector: str, *, fault: str | None) -> requests.Session:
    """Return the session to ask the upstream with.

    The live one keeps its connections for the life of the process. *fault* is only ever
    set in sample mode, and is given to the transport.
    """
    if source() == "live":
        return _live_session(collector)
    # Only sample mode pays for loading this.
    from .offline import OfflineAdapter  # noqa: PLC0415

    session = _session(collector)
    for scheme in ("https://", "http://"):
        session.mount(scheme, OfflineAdapter(fault=fault))
    return session


@functools.cache
def _live_session(collector: str) -> requests.Session:
    session = _session(collector)
    session.mount("https://", HTTPAdapter(pool_connections=4, pool_maxsize=16))
    return session


def _session(collector: str) -> requests.Session:
    session = requests.Session()
    # These APIs ban addresses that misbehave: say who asks, and where to complain.
    contact = os.environ.get("COLLECTOR_CONTACT") or "no contact configured"
    session.headers["User-Agent"] = f"fanfold-example-{collector}/1.0 ({contact})"
    # Shared between threads and requests: nothing a server sets may linger.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session
