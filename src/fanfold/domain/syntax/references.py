"""References in values: ``${X}``, ``${X:-default}``, ``${X:?what to do}``, ``${secret:name@7}``.

``$$`` is a dollar sign, and so is a ``$`` before anything but ``{``. What a reference stands for is
never read again for references.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_PIECE = re.compile(r"\$\$|\$\{(?P<inside>[^{}]*)\}|\$\{")
_SECRET = re.compile(
    r"secret:(?P<name>[A-Za-z0-9_][A-Za-z0-9_-]{0,254})(@(?P<version>[0-9]{1,18}))?"
)
_VARIABLE = re.compile(
    r"(?P<name>[A-Za-z_][A-Za-z0-9_]{0,254})(:-(?P<default>.*)|:\?(?P<advice>.*))?", re.DOTALL
)

#: The forms, for a person.
FORMS = "${NAME}, ${NAME:-default}, ${NAME:?what to do}, ${secret:name} or ${secret:name@7}"


class BadTemplate(ValueError):
    """A reference that cannot be read. ``text`` is it, as far as it goes."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a reference")
        self.text = text


@dataclass(frozen=True, slots=True)
class Reference:
    """What stands in a value for something else.

    ``name`` is the environment's variable, or the secret where ``secret`` is True; ``text`` the
    reference as written.
    """

    name: str
    text: str
    secret: bool = False
    version: str | None = None
    default: str | None = None
    advice: str | None = None


def pieces(template: str) -> Iterator[str | Reference]:
    """Yield the text and the references of *template*, in order.

    Raises:
        BadTemplate: A ``${`` begins no reference.
    """
    end = 0
    for match in _PIECE.finditer(template):
        if match.start() > end:
            yield template[end : match.start()]
        end = match.end()
        yield "$" if match[0] == "$$" else _reference(match[0], match["inside"], template, match)
    if end < len(template):
        yield template[end:]


def references(template: str) -> tuple[Reference, ...]:
    """Return the references of *template*.

    Raises:
        BadTemplate: A ``${`` begins no reference.
    """
    return tuple(piece for piece in pieces(template) if isinstance(piece, Reference))


def fill(template: str, stands_for: Callable[[Reference], str]) -> str:
    """Return *template* with every reference replaced by what *stands_for* returns.

    Raises:
        BadTemplate: A ``${`` begins no reference.
    """
    return "".join(
        piece if isinstance(piece, str) else stands_for(piece) for piece in pieces(template)
    )


def secret_variable(name: str) -> str:
    """Return the variable that holds secret *name* where Secret Manager is not used.

    ``fanfold-slack-webhook`` is ``FANFOLD_SLACK_WEBHOOK``.
    """
    return name.upper().replace("-", "_")


def collector_variable(name: str) -> str:
    """Return the variable that holds the URL of collector *name*: ``DVF_COLLECTOR_URL``."""
    return f"{name.upper().replace('-', '_')}_COLLECTOR_URL"


def _reference(text: str, inside: str | None, template: str, match: re.Match[str]) -> Reference:
    secret = _SECRET.fullmatch(inside or "")
    if secret:
        return Reference(secret["name"], text, secret=True, version=secret["version"])
    variable = _VARIABLE.fullmatch(inside or "")
    if variable is None:
        raise BadTemplate(text if inside is not None else template[match.start() :][:40])
    return Reference(variable["name"], text, default=variable["default"], advice=variable["advice"])
