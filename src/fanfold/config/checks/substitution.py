"""Replaces references in the tree by what they stand for, once, before anything else is read.

Values that bear secrets (``auth`` and ``notify``) keep their templates: those are filled in at the
moment of use and never stored. Here they are only checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

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
from fanfold.config.file.problems import printable
from fanfold.config.file.source import Spot
from fanfold.config.schema import addresses
from fanfold.config.schema.values import Wrong
from fanfold.domain.syntax import references as templates
from fanfold.domain.syntax.references import KEPT_ELSEWHERE, BadTemplate, Reference

#: Names of headers and variables that speak of a secret.
SECRETIVE = re.compile(
    r"auth|token|secret|cookie|passw|credential|api.?key|_key$|^key$", re.IGNORECASE
)

#: A user or password before the host of a URL in which ``$`` stands for each reference.
_LITERAL_PASSWORD = re.compile(r"//[^/@:]*:[^/@$]+@|//[^/@:$]+@")


def substitute(root: Node, env: Mapping[str, str], findings: Findings) -> None:
    """Replace every reference below *root* by its value in *env*, secrets excepted."""
    for path, node in list(root.scalars()):
        if bears_secrets(path) and isinstance(node.value, int | float):
            findings.mask(node.spot)
        if isinstance(node.value, str) and not _substitute_one(path, node, env, findings):
            root.break_at(whole_of(path))


def _substitute_one(path: KeyPath, node: Node, env: Mapping[str, str], findings: Findings) -> bool:
    """Return whether every reference in the text at *path* could be read."""
    late = bears_secrets(path)
    if "$" not in node.value and not late:
        return True
    try:
        found = templates.references(node.value)
    except BadTemplate as exc:
        spot = _spot_of(exc.text, node, findings)
        findings.error(spot, dotted(path), str(exc), exc.fix)
        return False
    node.variables = tuple(each.name for each in found if not each.secret and env.get(each.name))
    node.secrets = tuple(each.name for each in found if each.secret)
    unset = [each for each in found if not _is_set(each, path, node, env, findings)]
    if unset:
        return False
    if late:
        return _check_late(path, node, found, env, findings)
    return _resolve(path, node, found, env, findings)


def _is_set(
    each: Reference, path: KeyPath, node: Node, env: Mapping[str, str], findings: Findings
) -> bool:
    """Return whether *each* has a value; secrets are looked up later.

    An empty variable is a value too, but not under ``auth`` and ``notify``, and not for ``:?``.
    """
    if each.secret or each.default is not None:
        return True
    may_be_empty = each.advice is None and not bears_secrets(path)
    if each.value_in(env) is not None or (may_be_empty and each.name in env):
        return True
    fix = printable(each.advice or "") or f"set {each.name}, or write ${{{each.name}:-default}}"
    state = "empty" if each.name in env else "not set"
    spot = _spot_of(each.text, node, findings)
    findings.not_set(path, spot, f"{each.name} is {state}", fix)
    return False


def _resolve(
    path: KeyPath,
    node: Node,
    found: tuple[Reference, ...],
    env: Mapping[str, str],
    findings: Findings,
) -> bool:
    for each in found:
        if each.secret:
            what = "secrets can stand under auth and notify only: the rest is stored with every run"
            fix = "move it to auth: {header: …} or let the collector read it"
            findings.error(_spot_of(each.text, node, findings), dotted(path), what, fix)
            return False
    for each in found:
        if in_params(path) and SECRETIVE.search(each.name):
            what = f"{each.name} sounds like a secret, and params are stored with every run"
            spot = _spot_of(each.text, node, findings)
            findings.warning(spot, dotted(path), what, "send it with auth: {header: …}")
    filled = templates.fill(node.value, lambda each: each.value_in(env) or "")
    whole = not node.quoted and len(found) == 1 and node.value == found[0].text
    node.value = read_word(filled) if whole else filled
    return True


def _check_late(
    path: KeyPath,
    node: Node,
    found: tuple[Reference, ...],
    env: Mapping[str, str],
    findings: Findings,
) -> bool:
    """Return whether the template at *path* can be used; nothing of its value is shown."""
    where = dotted(path)
    if not found or path[0] == "network":
        what, fix = _written_out(path, node)
        if what:
            findings.mask(node.spot)
            findings.error(node.place, where, what, fix)
            return False
    if any(each.value_in(env) is None for each in found) or (path[0] == "notify" and node.secrets):
        return True
    filled = templates.fill(node.value, lambda each: each.value_in(env) or "")
    if KEPT_ELSEWHERE in filled:  # nothing to judge by
        return True
    if not filled and path[0] != "scheduler":
        node.value = None
        return True
    try:
        _rule_at(path)(filled)
    except Wrong as exc:
        names = ", ".join((*node.variables, *node.secrets))
        what = f"{exc} (in {names})" if names else str(exc)
        findings.mask(node.spot)
        findings.error(node.place, where, what, exc.fix)
        return False
    return True


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
    match path[0]:
        case "network":
            return addresses.proxy
        case "notify":
            return addresses.private_url
    is_bearer = setting_of(path)[1] == "bearer"
    return addresses.bearer_token if is_bearer else addresses.header_value


def _spot_of(text: str, node: Node, findings: Findings) -> Spot:
    """Return where *text* stands in the source of *node*."""
    line = findings.source.line(node.spot.line)
    found = line.find(text, node.spot.column - 1)
    return Spot(node.spot.line, found + 1, len(text)) if found >= 0 else node.spot
