"""A requests adapter that sends one request within one deadline, and does nothing else.

No cookies, no redirects, no proxies or netrc from the environment, no hooks, no retries: what is
left of requests is what it is good at, pools and TLS.
"""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast

from requests import PreparedRequest, RequestException
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util import Timeout
from urllib3.util.ssl_ import create_urllib3_context

from fanfold.adapters.http.deadline import DeadlinePool, DeadlineTlsPool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

#: Longest wait for a connection, in seconds.
MAX_CONNECT_S = 10.0

#: Most origins whose connections are kept.
_MAX_ORIGINS = 10_000


class BadUrl(ValueError):
    """A collector's URL cannot be called. The text says why and holds nothing of the URL."""


@dataclass(frozen=True, slots=True)
class Target:
    """A collector's URL, taken apart once. ``place`` is host and port, for messages."""

    pool: HTTPConnectionPool
    path: str
    place: str
    is_private: bool

    def post(self, headers: Mapping[str, str], body: bytes, timeout_s: float) -> BaseHTTPResponse:
        """Return the response once its headers are read; its body keeps to the same deadline.

        Raises:
            urllib3.exceptions.HTTPError: There is none.
        """
        return self.pool.urlopen(
            "POST",
            self.path,
            body=body,
            headers=headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=Timeout(connect=min(MAX_CONNECT_S, timeout_s), total=timeout_s),
            preload_content=False,
            decode_content=False,
        )


class Transport:
    """Finds the pool for a URL. Safe to share between threads."""

    def __init__(self, *, ca_file: str | None = None, connections_per_host: int = 64) -> None:
        self._ca_file = ca_file
        self._maxsize = connections_per_host
        self._lock = threading.Lock()
        self._targets: dict[str, Target] = {}
        self._adapters: dict[str, HTTPAdapter] = {}

    def target(self, url: str) -> Target:
        """Return where *url* leads.

        Raises:
            BadUrl: Nowhere that may be called.
        """
        target = self._targets.get(url)
        if target is None:
            with self._lock:
                target = self._targets[url] = self._resolve(url)
        return target

    def close(self) -> None:
        """Let go of every connection."""
        with self._lock:
            self._targets.clear()
            for adapter in self._adapters.values():
                adapter.close()
            self._adapters.clear()

    def _resolve(self, url: str) -> Target:
        request = PreparedRequest()
        try:
            request.prepare_url(url, None)
        except (RequestException, ValueError) as exc:
            raise BadUrl("the collector's URL is not a URL") from exc
        scheme, _, rest = (request.url or "").partition("://")
        if scheme not in {"http", "https"}:
            raise BadUrl("the collector's URL must begin with https:// or http://")
        if "@" in rest.partition("/")[0].partition("?")[0]:
            raise BadUrl("the collector's URL holds a user or password: write them under auth:")
        adapter = self._adapters.get(scheme) or self._adapter(scheme)
        pool = cast(
            "HTTPConnectionPool", adapter.get_connection_with_tls_context(request, verify=True)
        )
        host = f"[{pool.host}]" if ":" in pool.host else pool.host
        return Target(
            pool=pool,
            path=request.path_url,
            place=f"{host}:{pool.port}",
            is_private=scheme == "https" or is_loopback(pool.host),
        )

    def _adapter(self, scheme: str) -> HTTPAdapter:
        adapter = self._adapters[scheme] = HTTPAdapter(max_retries=0)
        options: dict[str, Any] = {}
        if scheme == "https":
            options["ssl_context"] = tls_context(self._ca_file)
        adapter.init_poolmanager(_MAX_ORIGINS, self._maxsize, **options)
        pools = {"http": DeadlinePool, "https": DeadlineTlsPool}
        adapter.poolmanager.pool_classes_by_scheme = pools
        return adapter


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Return a context that verifies, always: against *ca_file*, or the usual authorities."""
    context = create_urllib3_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    context.load_verify_locations(ca_file or DEFAULT_CA_BUNDLE_PATH)
    return context


def is_loopback(host: str) -> bool:
    """Return whether *host* is this machine by its very name: no lookup, nobody to trust."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
