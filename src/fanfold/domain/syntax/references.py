"""References in values: ``${X}``, ``${X:-default}``, ``${X:?what to do}``, ``${secret:name@7}``.

``$$`` is a dollar sign, and so is a ``$`` before anything but ``{``. What a reference stands for is
never read again for references. The check of the configuration and the call of a collector both
read references with this module, so that the call can fill whatever the check has taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

_PIECE = re.compile(r"\$\$|\$\{(?P<inside>[^{}]*)\}|\$\{")
_SECRET = re.compile(r"(?P<name>[A-Za-z0-9_][A-Za-z0-9_-]{0,254})(@(?P<version>[1-9][0-9]{0,17}))?")
_VARIABLE = re.compile(
    r"(?P<name>[A-Za-z_][A-Za-z0-9_]{0,254})(:-(?P<default>.*)|:\?(?P<advice>.*))?", re.DOTALL
)

#: The forms, for a person.
FORMS = "${NAME}, ${NAME:-default}, ${NAME:?what to do}, ${secret:name} or ${secret:name@7}"

#: What Terraform tells a function of a variable whose secret is another function's.
KEPT_ELSEWHERE = "kept-by-the-function-that-needs-it"


class BadTemplate(ValueError):
    """A ``${`` that begins no reference.

    ``text`` is what stands there, at most up to its closing brace; ``fix`` is what to write.
    """

    def __init__(self, text: str, fix: str = f"write {FORMS}; $$ is a $") -> None:
        shown = text if len(text) <= 60 else text[:57] + "..."
        super().__init__(f"{shown!r} is not a reference")
        self.text = text
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Reference:
    """A part of a value that stands for something else.

    ``name`` is the environment's variable, or the secret where ``secret`` is True; ``text`` the
    reference as written.
    """

    name: str
    text: str
    secret: bool = False
    version: str | None = None
    default: str | None = None
    advice: str | None = None

    def value_in(self, env: Mapping[str, str]) -> str | None:
        """Return what the reference stands for in *env*, or None where it stands for nothing.

        Line breaks at the end are dropped: a careless ``echo`` leaves them behind. What is empty
        then counts as not set. A secret is the variable of its own name, or the variable that
        :func:`secret_variable` names.
        """
        names = (self.name, secret_variable(self.name)) if self.secret else (self.name,)
        for name in names:
            if value := env.get(name, "").rstrip("\r\n"):
                return value
        return self.default


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
        if match[0] == "$$":
            yield "$"
        elif match["inside"] is None:
            raise BadTemplate(template[match.start() :][:40])
        else:
            yield _reference(match[0], match["inside"])
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
    return f"{secret_variable(name)}_COLLECTOR_URL"


def _reference(text: str, inside: str) -> Reference:
    if inside.startswith("secret:"):
        written = inside.removeprefix("secret:")
        secret = _SECRET.fullmatch(written)
        if secret is None:
            raise BadTemplate(text, _secret_fix(written)) if written else BadTemplate(text)
        return Reference(secret["name"], text, secret=True, version=secret["version"])
    variable = _VARIABLE.fullmatch(inside)
    if variable is None:
        raise BadTemplate(text)
    return Reference(variable["name"], text, default=variable["default"], advice=variable["advice"])


def _secret_fix(written: str) -> str:
    """Return what to write instead of ``${secret:`` and *written*."""
    if written.startswith(("-", "?")):
        return "a secret has no default: write ${secret:name}, or a variable not called secret"
    name, at, version = written.partition("@")
    if not _SECRET.fullmatch(name):
        return "a secret's name has 1 to 255 letters, digits, '_' or '-', and does not begin with -"
    if at and version == "latest":
        return f"write ${{secret:{name}}}: without a version the newest one is read"
    return f"a version is a number without leading zeros: write ${{secret:{name}@7}}"
