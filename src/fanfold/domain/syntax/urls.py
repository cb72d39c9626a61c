"""URLs: which ones a collector may have, and which hosts are this machine.

The configuration check and the HTTP client read a URL with the same function, so what the check
accepts can be called, and what it refuses is never called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

#: Longest URL, in characters.
MAX_URL_CHARS = 2000

#: Ports that a URL need not write, by scheme.
DEFAULT_PORTS = {"http": 80, "https": 443}

#: What the text of :class:`BadUrl` begins with where the whole is no URL.
NOT_A_URL = "is not a URL"

_URL = re.compile(r"(https?)://([^/?#]*)([^#]*)")
_PLACE = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]*))?")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NO_URL_HOLDS = frozenset(' \\"<>^`{|}')


class BadUrl(ValueError):
    """A text is not a URL that may be called.

    The text of the error is a predicate (*holds a fragment*) without any part of the URL, which
    may hold a secret. ``fix`` is what to write instead.
    """

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Url:
    """A URL, taken apart.

    ``host`` is in lower case and without the brackets of an IPv6 address; ``path`` begins with
    ``/``; ``query`` has no ``?``.
    """

    text: str
    scheme: str
    host: str
    port: int
    path: str
    query: str

    @property
    def place(self) -> str:
        """Host and port, for messages: ``dvf.example:443``, ``[::1]:80``."""
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def without_query(self) -> str:
        """The URL without its query: where it leads, without what may be a secret."""
        return self.text.partition("?")[0]

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine by its very name."""
        return is_loopback(self.host)

    @property
    def may_carry_credentials(self) -> bool:
        """Whether a credential may travel there: over https, or inside this machine."""
        return self.scheme == "https" or self.is_loopback


@lru_cache(maxsize=4096)
def read_url(text: str) -> Url:
    """Return *text* taken apart.

    Raises:
        BadUrl: It is not an http or https URL that may be called.
    """
    if len(text) > MAX_URL_CHARS:
        raise BadUrl(f"{NOT_A_URL}: it is over {MAX_URL_CHARS} characters", "shorten it")
    if not text.isascii() or not text.isprintable() or _NO_URL_HOLDS & set(text):
        raise BadUrl("holds a character that no URL holds", _spelled(text))
    parts = _URL.match(text)
    if parts is None or not parts[2]:
        raise BadUrl(NOT_A_URL, "begin with https:// and a host")
    if "@" in parts[2]:
        raise BadUrl("holds a user name or password", "remove it, and use auth:")
    if "#" in text:
        raise BadUrl("holds a fragment, which is never sent", "remove # and what follows")
    host, port = _host_and_port(parts[2], DEFAULT_PORTS[parts[1]])
    path, _, query = parts[3].partition("?")
    return Url(text, parts[1], host, port, path or "/", query)


def called_place(url: str) -> str | None:
    """Return whom *url* calls: its host, with the port unless its scheme has it; no path.

    None where it is no URL.
    """
    try:
        read = read_url(url)
    except BadUrl:
        return None
    return read.place.removesuffix(f":{DEFAULT_PORTS[read.scheme]}")


@lru_cache(maxsize=4096)
def is_loopback(host: str) -> bool:
    """Return whether *host* is this machine by its very name: nothing is looked up.

    These are ``localhost`` (also ``localhost.``), 127.0.0.0/8 and ``::1``.
    """
    name = host.lower().strip("[]")
    if name.removesuffix(".") == "localhost":
        return True
    try:
        return ip_address(name).is_loopback and "%" not in name
    except ValueError:
        return False


def _host_and_port(place: str, default_port: int) -> tuple[str, int]:
    parts = _PLACE.fullmatch(place)
    if parts is None or not parts[1]:
        raise BadUrl(NOT_A_URL, "write it such as https://host/path")
    port = int(parts[2][:9]) if parts[2] else default_port
    if not 0 < port < 65_536:
        raise BadUrl(f"{NOT_A_URL}: ports are from 1 to 65535", "write a port that there is")
    host = parts[1].lower()
    if host.startswith("["):
        return _ipv6(host[1:-1]), port
    _check_name(host)
    return host, port


def _ipv6(text: str) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise BadUrl(f"{NOT_A_URL}: in [ ] stands no IPv6 address", "write it as [::1]") from None
    if address.scope_id is not None:
        raise BadUrl(f"{NOT_A_URL}: the address names a network card", "remove % and what follows")
    return text


def _check_name(host: str) -> None:
    labels = host.removesuffix(".").split(".")
    if len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels):
        return
    if "*" in host:
        raise BadUrl(f"{NOT_A_URL}: * stands for no host", "write the name of one host")
    raise BadUrl(
        f"{NOT_A_URL}: its host is not a host's name",
        "a name has letters, digits and '-', at most 63 between two dots",
    )


def _spelled(text: str) -> str:
    """Return how to write a URL whose host is not ASCII, or the general advice."""
    parts = _URL.match(text)
    host = parts[2].partition(":")[0] if parts else ""
    if not host.isascii() and host.isprintable():
        try:
            return f"write the host as {host.encode('idna').decode('ascii')}"
        except UnicodeError:
            pass
    return "remove it, or percent-encode it"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
