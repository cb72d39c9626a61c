"""What an offline API is asked, and what it replies."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from _kit.failures import NotInSample

SAMPLES: Final = Path(__file__).resolve().parents[2] / "samples"
#: The only département in the samples: Territoire de Belfort.
DEPARTEMENT: Final = "90"


@dataclass(frozen=True)
class Question:
    """One HTTP request, taken apart. ``fault`` is ``empty``, ``cap`` or None."""

    host: str
    path: str
    query: Mapping[str, str]
    body: Any
    fault: str | None


@dataclass(frozen=True)
class Reply:
    """One HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Answerer = Callable[[Question], Reply]


def json_reply(document: Any, *, status: int = 200) -> Reply:
    """Return *document* as a JSON answer."""
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json"})


def only_sample_departement(code: str | None) -> None:
    """Return if *code*, of a département or a commune, lies in the samples.

    Raises:
        NotInSample: It lies elsewhere. An empty answer would claim that nothing is there.
    """
    if code is None or not code.startswith(DEPARTEMENT):
        raise NotInSample(
            f"the samples hold département {DEPARTEMENT} only, not {str(code)[:40]!r};"
            " start with COLLECTOR_SOURCE=live for the rest of France"
        )


@functools.cache
def sample_bytes(name: str) -> bytes:
    """Return the sample file *name* as it lies on disk; read once."""
    return (SAMPLES / name).read_bytes()


@functools.cache
def sample_json(name: str) -> Any:
    """Return the gzipped JSON sample *name*; read once. Callers do not change it."""
    return json.loads(gzip.decompress(sample_bytes(name)))
