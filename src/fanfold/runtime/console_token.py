"""The token of the console: made by the first who asks, kept in the database file, in no log."""

from __future__ import annotations

import secrets

from fanfold.adapters.embedded.database import Database

#: Under which name the database keeps it.
TOKEN = "console_token"  # noqa: S105 - the name of one


def console_token(database: Database) -> str:
    """Return the token that reading and acting need.

    Whoever may read the file may look at everything anyway.
    """
    return database.noted(TOKEN) or database.remembered(TOKEN, secrets.token_urlsafe)


def rotate_console_token(database: Database) -> str:
    """Return a new token, which holds from now on: the old one and all sessions are over."""
    token = secrets.token_urlsafe()
    database.note(TOKEN, token)
    return token
