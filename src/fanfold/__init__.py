"""fanfold: trigger a set of collectors and fold their answers into one report per run."""

from __future__ import annotations

__version__ = "0.1.0"
