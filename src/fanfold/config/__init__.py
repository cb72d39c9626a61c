"""The configuration file: reading, checking, and saying what is wrong with it.

:func:`load` is the way in. Whoever imports this package pays for the YAML parser and the models, so
processes that read no configuration do not import it.
"""

from __future__ import annotations

from fanfold.config.file.problems import ConfigError, Level, Problem, render_problems
from fanfold.config.loading import Loaded, load
from fanfold.config.origins import Origin
from fanfold.config.slots import Slots, load_slots

__all__ = [
    "ConfigError",
    "Level",
    "Loaded",
    "Origin",
    "Problem",
    "Slots",
    "load",
    "load_slots",
    "origins",
    "render_problems",
]


def origins(loaded: Loaded) -> tuple[str, ...]:
    """Return one line a key: ``sirene.timeout = 55m (config.yaml:34)``; secrets are masked."""
    return tuple(f"{key} = {each.value} ({each.where})" for key, each in loaded.origins.items())
