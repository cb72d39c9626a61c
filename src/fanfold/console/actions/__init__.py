"""What answers POST: the sign-in form, the actions of the pages, and those of the API."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint

from fanfold.console.actions import api, letters, pausing, runs, sign_in

#: Everything that is registered with the application.
ACTIONS: Sequence[Blueprint] = (
    sign_in.blueprint,
    runs.blueprint,
    pausing.blueprint,
    letters.blueprint,
    api.blueprint,
)

__all__ = ["ACTIONS"]
