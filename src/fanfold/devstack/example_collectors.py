"""The four example collectors, as functions-framework serves them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fanfold.devstack.processes import Served, free_ports
from fanfold.domain.model.errors import NotConfigured

#: Where the examples are, under a root.
EXAMPLES = Path("examples/collectors")

#: The configuration that names them, under the same root.
CONFIG = Path("config/config.yaml")

#: The example collectors: their folders under :data:`EXAMPLES`.
COLLECTORS = ("dvf", "insee_contours", "plu", "sirene")

#: The root of an installed wheel, which has both of them inside of the package.
INSTALLED = Path(__file__).resolve().parent


def examples_root() -> Path:
    """Return the folder that has :data:`EXAMPLES` and :data:`CONFIG` under it.

    It is the checkout that this folder is in, or the one that this package is in, or else
    :data:`INSTALLED`.

    Raises:
        NotConfigured: The examples are in none of them.
    """
    here = Path.cwd()
    for root in (here, *here.parents, *INSTALLED.parents, INSTALLED):
        if (root / EXAMPLES / "_kit").is_dir() and (root / CONFIG).is_file():
            return root
    raise NotConfigured(f"the example collectors are missing: there is no {INSTALLED / EXAMPLES}")


def example_collectors(root: Path, source: str = "") -> Sequence[Served]:
    """Return the example collectors under *root*, each on a free port.

    Args:
        root: What :func:`examples_root` returned.
        source: ``sample`` or ``live``; empty: as ``COLLECTOR_SOURCE`` says, and else ``sample``.
    """
    env = {"COLLECTOR_SOURCE": source or os.environ.get("COLLECTOR_SOURCE") or "sample"}
    ports = free_ports(len(COLLECTORS))
    return [
        Served(name, root / EXAMPLES / name / "main.py", "collect", port, env)
        for name, port in zip(COLLECTORS, ports, strict=True)
    ]


def url_variable(collector: str) -> str:
    """Return the variable by which config/config.yaml finds an example collector."""
    return f"{collector.upper()}_COLLECTOR_URL"
