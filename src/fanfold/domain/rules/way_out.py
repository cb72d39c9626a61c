"""The way out: through which proxy a collector is called, or directly.

The same rule serves the call and ``fanfold check``, which says how each collector will be called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from fanfold.domain.syntax.urls import Url

#: Kinds of proxies that can be used, each with the port that it has where none is written.
DEFAULT_PORTS = {
    "http": 3128,
    "https": 443,
    **dict.fromkeys(("socks4", "socks4a", "socks5", "socks5h"), 1080),
}

#: Where the proxy of the configuration is written.
NETWORK_PROXY = "network.proxy"

_PROXY = re.compile(
    r"(?:(?P<scheme>[A-Za-z0-9]{1,10})://)?(?:(?P<secret>[^/?#]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?/?"
)


#: A port: ASCII digits, and none of Unicode's others.
_PORT = re.compile(r"[0-9]{1,5}")


class BadProxy(ValueError):
    """What should be a proxy's URL is none. The text holds nothing of it, for it may be secret."""


@dataclass(frozen=True, slots=True)
class WayOut:
    """How a call leaves this machine. Without a ``proxy`` it goes directly.

    ``proxy`` is a whole URL and may hold a password; ``place`` is its host and port, for
    messages; ``source`` says where it was set; ``secrets`` are what must not be repeated of it.
    """

    proxy: str = ""
    place: str = ""
    source: str = ""
    secrets: tuple[str, ...] = ()


#: The way to this machine, and to any other where no proxy is set.
DIRECT = WayOut()


def way_out(url: Url, network_proxy: str, env: Mapping[str, str]) -> WayOut:
    """Return the way to *url*.

    This machine is always called directly, and so is what ``NO_PROXY`` names. Otherwise
    *network_proxy* (of the configuration, filled in) is used, or else the variable of the URL's
    scheme (``HTTPS_PROXY``, ``HTTP_PROXY``), or else ``ALL_PROXY``; in lower case they go first.

    Raises:
        BadProxy: What is set is not a proxy's URL.
    """
    if url.is_loopback or _is_exempt(url, variable(env, "NO_PROXY")[0]):
        return DIRECT
    if network_proxy:
        return read_proxy(network_proxy, NETWORK_PROXY)
    for name in (f"{url.scheme.upper()}_PROXY", "ALL_PROXY"):
        value, source = variable(env, name)
        # Behind CGI, HTTP_PROXY is the header "Proxy" of whoever asked.
        if value and not (source == "HTTP_PROXY" and "REQUEST_METHOD" in env):
            return read_proxy(value, source)
    return DIRECT


def read_proxy(text: str, source: str) -> WayOut:
    """Return the proxy that *text*, set by *source*, names. Without a scheme it is http.

    Raises:
        BadProxy: It names none.
    """
    parts = _PROXY.fullmatch(text.strip()) if text.isascii() and text.isprintable() else None
    scheme = (parts["scheme"] or "http").lower() if parts else ""
    port = int(parts["port"] or DEFAULT_PORTS.get(scheme, 0)) if parts else 0
    if parts is None or scheme not in DEFAULT_PORTS or not 0 < port < 65_536:
        raise BadProxy(f"{source} is not a proxy's URL: write it such as http://proxy.example:3128")
    place, secret = f"{parts['host']}:{port}", parts["secret"]
    login = f"{secret}@" if secret else ""
    secrets = (secret, secret.partition(":")[2]) if secret else ()
    return WayOut(f"{scheme}://{login}{place}", place, source, secrets)


def variable(env: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return the value of *name* in lower or upper case, and the name that was set."""
    for spelled in (name.lower(), name):
        if value := env.get(spelled, "").strip():
            return value, spelled
    return "", name


def _is_exempt(url: Url, no_proxy: str) -> bool:
    return any(_matches(url, entry) for entry in re.split(r"[\s,]+", no_proxy.lower()) if entry)


def _matches(url: Url, entry: str) -> bool:
    """Return whether an entry of ``NO_PROXY`` names the host of *url*.

    It is ``*``, a domain (with all below it), an address or a network, each also with a port.
    """
    if entry == "*":
        return True
    host = url.host.removesuffix(".")
    named, colon, port = entry.rpartition(":")
    if colon and _PORT.fullmatch(port) and (":" not in named or named.endswith("]")):
        if int(port) != url.port:
            return False
        entry = named
    entry = entry.strip("[]")
    try:
        address = ip_address(host)
    except ValueError:
        domain = entry.removeprefix("*").strip(".")
        return bool(domain) and (host == domain or host.endswith(f".{domain}"))
    try:
        return address in ip_network(entry, strict=False)
    except ValueError:
        return False
