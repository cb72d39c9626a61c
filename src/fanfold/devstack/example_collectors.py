"""The four example collectors, as functions-framework serves them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fanfold.devstack.processes import Served, free_ports
from fanfold.domain.model.errors import NotConfigured

#: Where the examples are, in a checkout.
EXAMPLES = Path("examples/collectors")

#: The example collectors: their folders under :data:`EXAMPLES`.
COLLECTORS = ("dvf", "insee_contours", "plu", "sirene")


def checkout() -> Path:
    """Return the root of the checkout: this folder, one above it, or the package's own.

    Raises:
        NotConfigured: The examples are in none of them.
    """
    here = Path.cwd()
    for root in (here, *here.parents, *Path(__file__).resolve().parents):
        if (root / EXAMPLES / "_kit").is_dir():
            return root
    raise NotConfigured(
        f"this needs a checkout of fanfold: there is no {EXAMPLES} here or above it"
    )


def example_collectors(root: Path, source: str = "") -> Sequence[Served]:
    """Return the example collectors of the checkout at *root*, each on a free port.

    Args:
        root: The checkout.
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
