"""Where things are on the network: URLs, headers and buckets that may be used."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

from fanfold.config.file.problems import kind, shown
from fanfold.config.schema.values import Wrong, text
from fanfold.domain.rules.way_out import NETWORK_PROXY, BadProxy, read_proxy
from fanfold.domain.syntax import headers, services, urls

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")


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
    if value:
        _read(value)
    return value


def private_url(value: str) -> str:
    """Return a URL to which a secret may travel."""
    if not _read(value).may_carry_credentials:
        raise Wrong("secrets go over https only, or to this machine", "begin with https://")
    return value


def service_url(value: str) -> None:
    """Return if *value* may be the URL of a service that Apprise knows."""
    try:
        services.check_service(value)
    except urls.BadUrl as exc:
        raise Wrong(str(exc), exc.fix) from exc


def webhook_secret(value: str) -> None:
    """Return if *value* can sign events as Standard Webhooks does."""
    try:
        key = base64.b64decode(value.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not 24 <= len(key) <= 64:
        raise Wrong(
            "this is no secret of Standard Webhooks",
            "write whsec_ and what openssl rand -base64 32 prints",
        )


def header_name(value: str) -> str:
    """Return a header's name that a collector may be sent."""
    _check(headers.header_name, value)
    return value


def header_value(value: Any) -> str:
    """Return a header's value, or the template of one."""
    if not isinstance(value, str) or not value.strip():
        raise Wrong("a header's value is text", "put it in quotes")
    _check(headers.header_value, value)
    return value


def bearer_token(value: str) -> None:
    """Return if *value* can be sent as a bearer's token."""
    _check(headers.bearer_value, f"Bearer {value}")


def _check(rule: Callable[[str], str], text: str) -> None:
    try:
        rule(text)
    except headers.BadHeader as exc:
        raise Wrong(str(exc), exc.fix) from exc


def proxy(value: str) -> None:
    """Return if *value* is a proxy's URL."""
    try:
        read_proxy(value, NETWORK_PROXY)
    except BadProxy as exc:
        raise Wrong("this is not a proxy's URL", "write http://proxy.example:3128") from exc


def _read(value: str) -> urls.Url:
    try:
        return urls.read_url(value)
    except urls.BadUrl as exc:
        whole = str(exc).startswith(urls.NOT_A_URL)
        subject = shown(value.partition("?")[0].rpartition("@")[2]) if whole else "the URL"
        raise Wrong(f"{subject} {exc}", exc.fix) from exc
