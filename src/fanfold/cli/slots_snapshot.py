"""The slots of a configuration as they were read last, so that a look need not read it again.

To read a configuration takes the YAML parser and the models, which is most of what a look costs.
What was read is kept under the user's cache folder for a day, without what may be a secret or an
address. It counts only for the same file, the same variables and the same version.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from fanfold import __version__
from fanfold.domain.model.collector import Auth, Catalogue
from fanfold.domain.model.console_rules import ConsoleRules
from fanfold.domain.model.errors import BadMessage
from fanfold.messages.records import decode, encode


class RecordedEnvironment(Mapping[str, str]):
    """An environment that notes which variables were asked for.

    ``names`` has them, set or not. It is None once all were asked for: then what was read could
    depend on any.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.names: set[str] | None = set()

    def __getitem__(self, name: str) -> str:
        """Return the variable *name*, and note that it was asked for."""
        if self.names is not None:
            self.names.add(name)
        return self._env[name]

    def __iter__(self) -> Iterator[str]:
        """Go through all names."""
        self.names = None
        return iter(self._env)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._env)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was read. ``digest`` stands for all that it depends on, ``names`` for its variables."""

    digest: str
    names: tuple[str, ...]
    catalogue: Catalogue


def kept_slots(path: Path, env: Mapping[str, str]) -> Catalogue | None:
    """Return the slots of the configuration at *path*, None if they have to be read.

    It has no secret and no address: neither the collectors' URLs, credentials, parameters and
    proxies, nor whom to notify, nor what the console believes.
    """
    place = _place(path, env)
    if place is None:
        return None
    try:
        kept = decode(Snapshot, place.read_text("utf-8"))
        if kept.digest != _digest(path, kept.names, env):
            return None
    except (OSError, ValueError, BadMessage):  # none, damaged, or of another version
        return None
    return kept.catalogue


def keep_slots(path: Path, env: RecordedEnvironment, catalogue: Catalogue) -> None:
    """Keep the slots of *catalogue*, which was read from *path* with the variables of *env*.

    It is no trouble if they cannot be kept.
    """
    names = sorted(env.names or ())
    place = _place(path, env)
    if place is None or env.names is None:
        return
    with suppress(OSError):
        kept = Snapshot(_digest(path, names, env), tuple(names), _bare(catalogue))
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=place.parent, delete=False
        ) as new:
            new.write(encode(kept))
        Path(new.name).replace(place)


def _bare(catalogue: Catalogue) -> Catalogue:
    """Return *catalogue* without what may be a secret or an address; all else stays as it is."""
    collectors = tuple(
        replace(each, spec=replace(each.spec, url="", auth=Auth(), params={}, proxy=""))
        for each in catalogue.collectors
    )
    return replace(
        catalogue,
        collectors=collectors,
        service_account_email="",
        notify={},
        console=ConsoleRules(),
    )


def _digest(path: Path, names: Sequence[str], env: Mapping[str, str]) -> str:
    """Return what changes when the file, a variable, the version or the day (in UTC) does.

    Warnings of a configuration speak of the nights to come: they are looked for once a day.
    """
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    parts = [__version__, day, os.fspath(path.absolute()), *((n, env.get(n)) for n in names)]
    digest = hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogateescape"))
    digest.update(path.read_bytes())
    return digest.hexdigest()


def _place(path: Path, env: Mapping[str, str]) -> Path | None:
    """Return the file for what was read of *path*: a name that says nothing of it."""
    home = env.get("HOME")
    cache = env.get("XDG_CACHE_HOME") or (home and f"{home}/.cache")
    if not cache or not Path(cache).is_absolute():
        return None
    name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]
    return Path(cache) / "fanfold" / f"slots-{name}.json"
