"""The pages, a blueprint each: they answer GET and change nothing."""

from __future__ import annotations

from fanfold.console.pages import assets, home, runs

#: Everything that is registered with the application.
PAGES = (assets.blueprint, home.blueprint, runs.blueprint)

__all__ = ["PAGES"]
