"""Compares the tree with the models, and adds a problem for every difference, at its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from fanfold.config.checks import right_form
from fanfold.config.checks.findings import Findings
from fanfold.config.checks.substitution import SECRETIVE
from fanfold.config.file.key_paths import KeyPath, dotted, in_params, setting_of, whole_of
from fanfold.config.file.nodes import Node, plain
from fanfold.config.file.problems import kind, shown
from fanfold.config.schema.keys import AUTH_WORDS
from fanfold.config.schema.values import Wrong
from fanfold.domain.model.names import did_you_mean

M = TypeVar("M", bound=BaseModel)

#: After this many problems there is no more "did you mean": the search takes time.
_GUESSES = 50

_NOT_A_MAP = frozenset({"model_type", "dict_type", "model_attributes_type"})


def fit(
    model: type[M], node: Node, path: KeyPath, context: Mapping[str, Any], findings: Findings
) -> M:
    """Return *node* as a *model*, without what does not fit: that is added to *findings*.

    ``path`` is where the node stands in the file.
    """
    teller = _Teller(model, node, path, context, findings)
    teller.tell_empty_keys(())
    while not node.broken:
        try:
            return model.model_validate(plain(node, path), context=dict(context))
        except ValidationError as exc:
            found = exc.errors(include_url=False, include_input=False)
            # A value that was wrong is broken now, and "missing": its problem is known already.
            fresh = [error for error in found if not node.nearest(error["loc"]).broken]
            for error in fresh:
                teller.tell(error)
            for loc in {whole_of((*path, *error["loc"]))[len(path) :] for error in fresh or found}:
                node.break_at(loc)
    return model()


@dataclass(frozen=True, slots=True)
class _Teller:
    """Makes problems of pydantic's errors, for the *node* at *path* that should be a *model*."""

    model: type[BaseModel]
    node: Node
    path: KeyPath
    context: Mapping[str, Any]
    findings: Findings

    def tell_empty_keys(self, loc: KeyPath) -> None:
        """Tell the unknown keys without a value below *loc*; with one, pydantic finds them."""
        above, section = self.node.get(*loc), section_at(self.model, loc)
        if above is None or above.broken or not isinstance(above.value, dict):
            return
        for key, child in above.value.items():
            full = (*self.path, *loc, key)
            if in_params(full) or child.broken:
                continue
            if child.value is None and section is not None and key not in section.model_fields:
                self._tell_unknown_key(child, full, list(section.model_fields))
                child.broken = True
            elif isinstance(child.value, dict):
                self.tell_empty_keys((*loc, key))

    def tell(self, error: Any) -> None:
        """Tell one error at its place."""
        loc: KeyPath = error["loc"]
        full, wrong = (*self.path, *loc), self.node.nearest(loc)
        where, cause = dotted(full), error.get("ctx", {}).get("error")
        what, fix = str(error["msg"]), ""
        if isinstance(cause, Wrong):
            where = where.removesuffix(".value") if self.node.get(*loc) is None else where
            what, fix = str(cause), cause.fix
            if wrong.variables and setting_of(full) == ("auth",):
                what = f"{shown(wrong.written)} is not one of {', '.join(AUTH_WORDS)}"
                fix = f'write auth: {{bearer: "{wrong.written}"}}'
        elif error["type"] == "extra_forbidden":
            self._tell_unknown_key(wrong, full, keys_at(self.model, loc[:-1]))
            return
        elif error["type"] in _NOT_A_MAP:
            what = f"{kind(wrong.value)} is not a map"
            section = section_at(self.model, loc)
            fix = right_form.as_map(section, str(full[-1]), wrong, self.context)
            if setting_of(full)[:1] == ("auth",) and not wrong.variables:
                # Somebody's token may stand here: it is not repeated.
                what, fix = "this is not a map", right_form.INDENTED
        elif error["type"] == "list_type":
            what, fix = f"{kind(wrong.value)} is not a list", "write a list such as [a, b]"
        elif error["type"] == "missing":
            what, fix = f"{loc[-1]} is missing", "write it"
        self.findings.error(wrong.place, where, _without_secret(what, wrong, full), fix)

    def _tell_unknown_key(self, wrong: Node, full: KeyPath, known: list[str]) -> None:
        name = str(full[-1])
        if SECRETIVE.search(name) or name == "bearer":
            self.findings.mask(wrong.spot)
        near = did_you_mean(name, known) if len(self.findings.problems) < _GUESSES else ""
        fix = (
            right_form.in_its_place(full, wrong)
            or near.removeprefix(": ")
            or f"known here: {', '.join(known)}"
        )
        spot = wrong.key_spot or wrong.spot
        self.findings.error(spot, dotted(full), f"unknown key {shown(name)}", fix)


def _without_secret(what: str, wrong: Node, path: KeyPath) -> str:
    """Return *what* without the value of a variable that may be a secret."""
    near_secrets = path[:1] in {("notify",), ("network",)} or setting_of(path)[:1] == ("auth",)
    secretive = any(SECRETIVE.search(name) for name in wrong.variables)
    if not wrong.variables or not (near_secrets or secretive):
        return what
    told = what.replace(kind(wrong.value), shown(wrong.written))
    return told if str(wrong.value) not in told else f"{shown(wrong.written)} does not fit here"


def keys_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Return the keys that may stand in the map at *path* of *model*."""
    section = section_at(model, path)
    return list(section.model_fields) if section is not None else []


def section_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """Return the section at *path* of *model*; None for a map of sections, or a value."""
    current: type[BaseModel] | None = model
    parts = iter(path)
    for part in parts:
        field = current.model_fields.get(str(part)) if current is not None else None
        if field is None:
            return current if part == "value" else None
        current, is_dict = model_in(field.annotation)
        if is_dict and next(parts, None) is None:
            return None
    return current


def model_in(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the model that *annotation* speaks of, if any, and whether it is in a dict."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    is_dict = get_origin(annotation) is dict
    for part in get_args(annotation):
        found, inner = model_in(part)
        if found is not None:
            return found, is_dict or inner
    return None, False
