"""Looks host names up beside the loop, and hands the addresses to libcurl.

libcurl's own resolver is a small pool of threads: ten names whose server is silent hold up every
other name. Here each name that is not known has a thread of its own.
"""

from __future__ import annotations

import socket
import time
from functools import lru_cache
from ipaddress import ip_address

from fanfold.adapters.http.preparing import Prepared
from fanfold.adapters.single_flight import SingleFlight

#: How long an address is believed, in seconds.
KEPT_S = 30.0

#: Most names that are kept: a run of more looks some up again.
MOST_KEPT = 4096


class NoAddress(Exception):
    """A name does not resolve, or not in time. ``code`` is the one that libcurl has for it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Lookups:
    """The addresses of hosts, as libcurl's option RESOLVE takes them. Safe to share."""

    def __init__(self) -> None:
        self._flights: SingleFlight[list[str]] = SingleFlight()
        self._kept: dict[tuple[str, int], tuple[float, list[str]]] = {}

    def known(self, prepared: Prepared) -> list[str] | None:
        """Return the addresses for *prepared*, none if it needs none; None if nobody knows them."""
        found = []
        for name in _names(prepared):
            until, addresses = self._kept.get(name, (0.0, []))
            if until < time.monotonic():
                return None
            found.append(_line(name, addresses))
        return found

    def look_up(self, prepared: Prepared) -> list[str]:
        """Return the addresses for *prepared*, at the latest when its time is over.

        Raises:
            NoAddress: There are none.
        """
        found = []
        for name in _names(prepared):
            left_s = prepared.until - time.monotonic()
            is_proxy = name != (prepared.url.host, prepared.url.port)
            try:
                addresses = self._flights.ask(name, lambda: _addresses(*name), timeout_s=left_s)  # noqa: B023 - asked for at once
            except TimeoutError:
                raise NoAddress(28) from None
            except (OSError, UnicodeError):
                raise NoAddress(5 if is_proxy else 6) from None
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[name] = (time.monotonic() + KEPT_S, addresses)
            found.append(_line(name, addresses))
        return found


def _names(prepared: Prepared) -> tuple[tuple[str, int], ...]:
    """Return host and port of whatever libcurl would look up for *prepared*."""
    proxy = prepared.way_out.proxy
    if not proxy:
        return _if_name(prepared.url.host, prepared.url.port)
    host, _, port = prepared.way_out.place.rpartition(":")
    names = _if_name(host.strip("[]"), int(port))
    if proxy.startswith(("socks4://", "socks5://")):  # these are given an address
        names += _if_name(prepared.url.host, prepared.url.port)
    return names


@lru_cache(maxsize=1024)
def _if_name(host: str, port: int) -> tuple[tuple[str, int], ...]:
    """Return host and port, or nothing where libcurl knows the address without asking."""
    if host.rstrip(".") == "localhost" or host.endswith((".localhost", ".localhost.")):
        return ()
    try:
        ip_address(host)
    except ValueError:
        return ((host, port),)
    return ()


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _line(name: tuple[str, int], addresses: list[str]) -> str:
    shown = ",".join(f"[{each}]" if ":" in each else each for each in addresses)
    return f"{name[0]}:{name[1]}:{shown}"
