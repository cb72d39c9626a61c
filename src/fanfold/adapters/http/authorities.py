"""Which certificates are trusted: the configuration's, the host's, or the usual authorities."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import certifi

#: Variables that name a file or a folder of certificates; the first one that is set counts.
VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")

#: Where the file of the configuration is written.
NETWORK_CA_FILE = "network.ca_file"


class NoAuthorities(Exception):
    """The certificates cannot be read. The text names the place and who set it."""


@dataclass(frozen=True, slots=True)
class Authorities:
    """A file of certificates, or folders of them (as ``openssl rehash`` makes them)."""

    path: str
    is_folder: bool
    source: str


def authorities(ca_file: str, env: Mapping[str, str]) -> Authorities:
    """Return the certificates to trust: *ca_file*, or those of the variables, or certifi's.

    Raises:
        NoAuthorities: There is nothing to read at the place that is set.
    """
    candidates = [(NETWORK_CA_FILE, ca_file), *((name, env.get(name, "")) for name in VARIABLES)]
    source, path = next(
        ((source, path) for source, path in candidates if path), ("certifi", certifi.where())
    )
    places = path.split(os.pathsep) if source == "SSL_CERT_DIR" else [path]
    is_folder = source == "SSL_CERT_DIR" or Path(path).is_dir()
    if not any(os.access(place, os.R_OK) for place in places):
        raise NoAuthorities(f"the certificates at {path} cannot be read: {source} names them")
    return Authorities(path, is_folder, source)
