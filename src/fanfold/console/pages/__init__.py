"""The pages, a blueprint each: they answer GET and change nothing."""

from __future__ import annotations

from fanfold.console.pages import api, assets, collectors, dead_letters, history, home, runs

#: Everything that is registered with the application.
PAGES = (
    assets.blueprint,
    home.blueprint,
    history.blueprint,
    runs.blueprint,
    collectors.blueprint,
    dead_letters.blueprint,
    api.blueprint,
)

__all__ = ["PAGES"]
