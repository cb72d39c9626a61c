"""The shape of the section ``console``: who may look and act, and whom it believes.

Descriptions and defaults are as in :mod:`fanfold.config.schema.keys`.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from fanfold.config.schema import values
from fanfold.config.schema.types import Flag, Section, setting
from fanfold.config.schema.values import Wrong

#: The name of a host, perhaps with a port: ``fanfold.example.org:8443``.
_HOST = re.compile(
    r"(?=.{1,253}(?::|$))[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_-]{1,63})*(?::[0-9]{1,5})?",
    re.ASCII | re.IGNORECASE,
)


def _host(value: Any) -> str:
    name = values.text(value).strip()
    if "://" in name or "/" in name:
        raise Wrong(f"{name!r:.80} is not the name of a host", "leave out https:// and the path")
    if not _HOST.fullmatch(name):
        raise Wrong(f"{name!r:.80} is not the name of a host", "write fanfold.example.org")
    return name.lower()


def _network(value: Any) -> str:
    text = values.text(value).strip()
    try:
        network = ip_network(text, strict=False)
    except ValueError as exc:
        fix = "write 10.0.0.5, or a network such as 10.0.0.0/24"
        raise Wrong(f"{text!r:.80} is not an address", fix) from exc
    if network.prefixlen == 0:
        raise Wrong(
            f"{text!r:.80} is every address: then anybody would be believed", "name the proxy's"
        )
    return str(network)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Host = Annotated[
    str, PlainValidator(_host), WithJsonSchema({"type": "string", "x-form": "host names"})
]
Network = Annotated[
    str,
    PlainValidator(_network),
    WithJsonSchema({"type": "string", "x-form": "addresses or networks"}),
]


class ConsoleSection(Section):
    """Who may look at the console and act in it."""

    open: Flag = setting(
        default=False,
        description="true: on a loopback address nobody needs the token of fanfold console token",
    )
    hosts: Annotated[list[Host], BeforeValidator(_listed)] = setting(
        [], "names by which browsers ask for it, beside addresses and localhost"
    )
    trusted_proxies: Annotated[list[Network], BeforeValidator(_listed)] = setting(
        [],
        "addresses of the proxies whose X-Forwarded-Email is written into the reason of an action; "
        "nobody else's is believed",
    )
