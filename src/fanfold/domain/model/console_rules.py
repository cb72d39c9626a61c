"""What the configuration says of the console: who may look without a token, and who is believed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConsoleRules:
    """The section ``console``.

    Args:
        open: Whether nobody needs a token, where the console listens on a loopback address.
        hosts: Names by which browsers may ask, beside addresses and ``localhost``.
        trusted_proxies: Addresses of proxies, or networks of them, whose ``X-Forwarded-Email`` says
            who asks.
    """

    open: bool = False
    hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
