"""Where things are on the network: URLs, headers and buckets that may be used."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from fanfold.config.file.problems import kind, shown
from fanfold.config.schema.values import Wrong, text

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")

#: Headers that the relay or the connection itself sets.
RESERVED_HEADERS = frozenset(
    {
        *("accept-encoding", "connection", "content-encoding", "content-length", "content-type"),
        *("expect", "host", "idempotency-key", "keep-alive", "te", "trailer", "traceparent"),
        *("tracestate", "transfer-encoding", "upgrade"),
    }
)


def bucket(value: Any) -> str | None:
    """Return ``gs://bucket`` or ``gs://bucket/prefix``, None for none."""
    if value is None or value == "":
        return None
    name, _, prefix = text(value).removeprefix("gs://").partition("/")
    parts = prefix.rstrip("/").split("/") if prefix.rstrip("/") else []
    if not _BUCKET.fullmatch(name) or any(part in {"", ".", ".."} for part in parts):
        raise Wrong(f"{kind(value)} is not a bucket", "write gs://name or gs://name/prefix")
    return "/".join(["gs:/", name, *parts])


def url(value: Any) -> str:
    """Return an absolute http or https URL, empty for none."""
    if not isinstance(value, str):
        raise Wrong(f"{kind(value)} is not a URL", "write it such as https://host/path")
    if not value:
        return ""
    if not value.isascii() or not value.isprintable() or set(value) & set(' \\"<>^`{|}'):
        raise Wrong(
            "the URL holds a character that no URL holds", "remove it, or percent-encode it"
        )
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise Wrong("not a URL", "write it such as https://host/path") from exc
    if not value.startswith(("http://", "https://")) or not parts.netloc:
        raise Wrong(f"{_without_query(value)} is not a URL", "begin with https:// and a host")
    if "@" in parts.netloc:
        raise Wrong("the URL holds a user name or password", "remove it, and use auth:")
    if not host or port == 0 or len(value) > 2000:
        raise Wrong(f"{_without_query(value)} is not a URL", "write it such as https://host/path")
    if "#" in value:
        raise Wrong("the URL holds a fragment, which is never sent", "remove # and what follows")
    return value


def is_loopback(address: str) -> bool:
    """Return whether the URL's host is this machine."""
    host = (urlsplit(address).hostname or "").rstrip(".")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private_enough(address: str) -> bool:
    """Return whether a credential may travel to *address*: over https, or inside this machine."""
    return address.startswith("https:") or is_loopback(address)


def private_url(value: str) -> str:
    """Return a URL to which a secret may travel."""
    if not is_private_enough(url(value)):
        raise Wrong("secrets go over https only, or to this machine", "begin with https://")
    return value


def header_name(value: str) -> str:
    """Return a header's name that a collector may be sent."""
    if not _TOKEN.fullmatch(value):
        raise Wrong(f"{shown(value)} is not a header's name", "letters, digits and '-'")
    lowered = value.lower()
    if lowered in RESERVED_HEADERS or lowered.startswith(("x-fanfold-", "proxy-")):
        raise Wrong(f"fanfold or the connection sets header {value!r}", "use another header")
    return value


def header_value(value: Any) -> str:
    """Return a header's value, or the template of one."""
    if not isinstance(value, str) or not value.strip():
        raise Wrong("a header's value is text", "put it in quotes")
    if not value.isascii() or not value.isprintable() or len(value) > 4000:
        raise Wrong(
            "a header's value is printable ASCII on one line", "remove the other characters"
        )
    return value


def _without_query(address: str) -> str:
    return shown(address.partition("?")[0].rpartition("@")[2])
