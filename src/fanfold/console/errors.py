"""The errors that pages answer with."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.exceptions import NotFound


class NotHere(NotFound):
    """There is no such thing: 404, with what is near.

    Args:
        sentence: What there is none of.
        near: What may have been meant: what it is called, and its path.
    """

    def __init__(self, sentence: str, near: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(sentence)
        self.near = tuple(near)
