"""Asks whether a collector could be called, without calling it: the connection and TLS, no request.

Everything that a call needs is prepared as for a call, credentials included; then libcurl opens the
way and shakes hands, and nothing of the request is sent. So no collector starts to work.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pycurl

from fanfold.adapters.http.credentials import Renewable
from fanfold.adapters.http.failures import failure_of
from fanfold.adapters.http.preparing import NotSent, Preparation
from fanfold.adapters.http.transfer import Exchange, load, new_handle, perform
from fanfold.domain.model.collector import CollectorSpec
from fanfold.domain.protocol.contract import Call
from fanfold.ports.outside import Credentials, Secrets


class Step(StrEnum):
    """How far a probe came: what could not be done, or that nothing is missing."""

    PREPARED = "prepared"  # the URL, the proxy's URL, the certificates or the credentials are wrong
    NAME = "name"
    PROXY = "proxy"
    CONNECTION = "connection"
    TLS = "tls"
    BEHIND_PROXY = "behind_proxy"  # the proxy is there; for http it opens no way before a request
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of a probe. ``problem`` is empty where ``step`` is BEHIND_PROXY or DONE.

    ``place`` is the collector's host and port, ``proxy`` the proxy's, empty where it is called
    directly.
    """

    step: Step
    problem: str = ""
    place: str = ""
    proxy: str = ""
    seconds: float = 0.0


#: The step that libcurl's codes stand for; any other is the connection.
_STEPS = {
    5: Step.PROXY,
    6: Step.NAME,
    **dict.fromkeys((35, 53, 54, 58, 59, 60, 66, 77, 80, 82, 83, 90, 91, 98), Step.TLS),
    97: Step.PROXY,
}


class CollectorProbe:
    """Probes collectors. Safe to share between threads.

    Args:
        credentials: Makes the headers that prove who is calling; they are not sent.
        secrets: Fills in the proxy's URL.
        env: Where the host's proxies and certificates are named.
    """

    def __init__(self, credentials: Credentials, secrets: Secrets, env: Mapping[str, str]) -> None:
        renewable = credentials if isinstance(credentials, Renewable) else None
        self._preparation = Preparation(credentials, renewable, secrets, env)

    def probe(self, spec: CollectorSpec, timeout_s: float) -> Probed:
        """Return how far a call to the collector of *spec* would come within *timeout_s*."""
        began = time.monotonic()
        deadline = datetime.now(UTC) + timedelta(seconds=timeout_s)
        call = Call(spec, "probe", 1, deadline, timeout_s)
        try:
            prepared = self._preparation.prepare(call, began + timeout_s)
        except NotSent as exc:
            return Probed(Step.PREPARED, exc.failure.message)
        handle, exchange = new_handle(), Exchange()
        load(handle, prepared, exchange)
        handle.setopt(pycurl.CONNECT_ONLY, 1)
        end = perform(handle)
        handle.close()
        way = prepared.way
        if end.code == 0:
            is_hidden = bool(way.proxy) and prepared.url.scheme == "http"
            step = Step.BEHIND_PROXY if is_hidden else Step.DONE
            return Probed(step, "", way.place, way.proxy, time.monotonic() - began)
        problem = prepared.mask.text(failure_of(end, way, has_status=False).message)
        step = _STEPS.get(end.code, Step.CONNECTION)
        if way.proxy and step is Step.CONNECTION:
            step = Step.PROXY
        return Probed(step, problem, way.place, way.proxy)
