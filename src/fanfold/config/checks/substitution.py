"""Replaces references in the tree by what they stand for, once, before anything else is read.

Values that bear secrets (``auth`` and ``notify``) keep their templates: those are filled in at the
moment of use and never stored. Here they are only checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fanfold.config.checks.findings import Findings
from fanfold.config.file.key_paths import (
    KeyPath,
    bears_secrets,
    dotted,
    in_params,
    setting_of,
    whole_of,
)
from fanfold.config.file.nodes import Node, read_word
from fanfold.config.file.problems import kind
from fanfold.config.file.source import Spot
from fanfold.config.schema import addresses
from fanfold.config.schema.keys import AUTH_WORDS
from fanfold.config.schema.values import Wrong, is_near
from fanfold.domain.syntax import references as templates
from fanfold.domain.syntax.references import KEPT_ELSEWHERE, BadTemplate, Reference
from fanfold.domain.syntax.text import printable_line

#: Names of headers and variables that speak of a secret.
SECRETIVE = re.compile(
    r"auth|token|secret|cookie|passw|credential|api.?key|_key$|^key$", re.IGNORECASE
)

#: Other keys below which a credential may stand.
_CARRIERS = frozenset({"bearer", "basic", "header", "headers"})

#: Keys of the file that sound like a secret and hold none.
_KNOWN_KEYS = frozenset({"use_secret_manager"})

_NOT_STORED = "secrets can stand under auth and notify only: the rest is stored with every run"

#: A user or password before the host of a URL in which ``$`` stands for each reference.
_LITERAL_PASSWORD = re.compile(r"//[^/@:]*:[^/@$]+@|//[^/@:$]+@")


def substitute(root: Node, env: Mapping[str, str], findings: Findings) -> None:
    """Replace every reference below *root* by its value in *env*, secrets excepted."""
    for path, node in list(root.scalars()):
        if _may_be_a_secret(path, node.value):
            findings.mask(node.spot)
        if isinstance(node.value, str) and not _Text(path, node, env, findings).substitute():
            root.break_at(whole_of(path))


def _may_be_a_secret(path: KeyPath, value: object) -> bool:
    """Return whether *value* stands where a credential would, and is no reference.

    The file may be wrong in any way: so keys that sound like a credential count at any place.
    """
    if bears_secrets(path) and isinstance(value, int | float):
        return True
    setting = setting_of(path) or path
    if not isinstance(value, str) or "$" in value or in_params(path):
        return False
    if setting == ("auth",):
        return value not in AUTH_WORDS and not is_near(value, AUTH_WORDS)
    words = {str(part) for part in setting} - _KNOWN_KEYS
    return any(SECRETIVE.search(word) or word in _CARRIERS for word in words)


@dataclass(frozen=True, slots=True)
class _Text:
    """A text of the file, at *path*, and the environment that its references are looked up in."""

    path: KeyPath
    node: Node
    env: Mapping[str, str]
    findings: Findings

    def substitute(self) -> bool:
        """Return whether the text can be used: its references are set, or only ``notify`` waits."""
        node, late = self.node, bears_secrets(self.path)
        if "$" not in node.value and not late:
            return True
        try:
            found = templates.references(node.value)
        except BadTemplate as exc:
            self.findings.error(self._spot_of(exc.text), dotted(self.path), str(exc), exc.fix)
            return False
        node.variables = tuple(
            each.name for each in found if not each.secret and self.env.get(each.name)
        )
        node.secrets = tuple(each.name for each in found if each.secret)
        unset = [each for each in found if not self._is_set(each)]
        if unset:
            return self.path[0] == "notify"  # its target stays, and cannot be told
        return self._check_late(found) if late else self._resolve(found)

    def _is_set(self, each: Reference) -> bool:
        """Return whether *each* has a value; secrets are looked up later.

        An empty variable is a value too, but not under ``auth`` and ``notify``, and not for ``:?``.
        """
        if each.secret or each.default is not None or each.value_in(self.env) is not None:
            return True
        if each.name in self.env and each.advice is None and not bears_secrets(self.path):
            return True
        fix = (
            printable_line(each.advice or "")
            or f"set {each.name}, or write ${{{each.name}:-default}}"
        )
        what = f"{each.name} is {'empty' if each.name in self.env else 'not set'}"
        self.findings.not_set(self.path, self._spot_of(each.text), what, fix)
        return False

    def _resolve(self, found: tuple[Reference, ...]) -> bool:
        """Replace the references by their values, unless one of them is a secret."""
        where = dotted(self.path)
        for each in found:
            spot = self._spot_of(each.text)
            if each.secret:
                what = _NOT_STORED
                fix = "move it to auth: {header: …} or let the collector read it"
                self.findings.error(spot, where, what, fix)
                return False
            if in_params(self.path) and SECRETIVE.search(each.name):
                what = f"{each.name} sounds like a secret, and params are stored with every run"
                self.findings.warning(spot, where, what, "send it with auth: {header: …}")
        node, filled = self.node, self._filled()
        whole = not node.quoted and len(found) == 1 and node.value == found[0].text
        node.value = read_word(filled) if whole else filled
        return True

    def _check_late(self, found: tuple[Reference, ...]) -> bool:
        """Return whether the template can be used; nothing of its value is shown."""
        node = self.node
        if not found or self.path[0] == "network":
            what, fix = _written_out(self.path, node)
            if what:
                return self._refuse(what, fix)
        if any(each.value_in(self.env) is None for each in found):
            return True
        if self.path[0] == "notify" and node.secrets:
            return True
        filled = self._filled()
        if KEPT_ELSEWHERE in filled:  # another function may read the value, and this one may not
            return True
        if not filled and self.path[0] != "scheduler":
            node.value = None
            return True
        try:
            _rule_at(self.path)(filled)
        except Wrong as exc:
            names = ", ".join((*node.variables, *node.secrets))
            # What was filled in, or written out, may be a secret: it is not repeated.
            what = str(exc).replace(kind(filled), "this")
            if names and self.path[0] == "notify":
                self.findings.mask(node.spot)
                self.findings.untold(node.place, dotted(self.path), f"{what} (in {names})", exc.fix)
                return True
            return self._refuse(f"{what} (in {names})" if names else what, exc.fix)
        return True

    def _filled(self) -> str:
        return templates.fill(self.node.value, lambda each: each.value_in(self.env) or "")

    def _refuse(self, what: str, fix: str) -> bool:
        """Add an error that does not show the value; return False."""
        self.findings.mask(self.node.spot)
        self.findings.error(self.node.place, dotted(self.path), what, fix)
        return False

    def _spot_of(self, text: str) -> Spot:
        """Return where *text* stands in the source of the value."""
        spot = self.node.spot
        found = self.findings.source.line(spot.line).find(text, spot.column - 1)
        return Spot(spot.line, found + 1, len(text)) if found >= 0 else spot


def _written_out(path: KeyPath, node: Node) -> tuple[str, str]:
    """Return what is wrong with a secret that stands in the file itself, and the fix."""
    shape = "".join(each if isinstance(each, str) else "$" for each in templates.pieces(node.value))
    if path[0] == "network" and _LITERAL_PASSWORD.search(shape):
        what = "a password in the file would be stored with every run"
        return what, "write http://user:${secret:name}@host:3128"
    if path[0] != "scheduler":
        return "", ""
    if setting_of(path)[1] == "header" and not SECRETIVE.search(str(path[-1])):
        return "", ""
    what = "a secret in the file would be stored with every run"
    return what, "write ${VARIABLE} or ${secret:name}"


def _rule_at(path: KeyPath) -> Callable[[str], object]:
    """Return what holds a value that bears secrets against the form it must have."""
    match path:
        case ("network", *_):
            return addresses.proxy
        case ("notify", "webhook", "secret"):
            return addresses.webhook_secret
        case ("notify", "to", *_):
            return addresses.service_url
        case ("notify", *_):
            return addresses.private_url
    is_bearer = setting_of(path)[1] == "bearer"
    return addresses.bearer_token if is_bearer else addresses.header_value
