"""Holds the tree against the models, and tells every difference at its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from fanfold.config.checks.findings import Findings
from fanfold.config.file.key_paths import KeyPath, dotted, whole_of
from fanfold.config.file.nodes import Node, plain
from fanfold.config.file.problems import kind, shown
from fanfold.config.schema.values import Wrong
from fanfold.domain.model.names import did_you_mean

M = TypeVar("M", bound=BaseModel)

#: Beyond so many problems nobody is told what they may have meant: looking for it takes time.
_GUESSES = 50

_NOT_A_MAP = frozenset({"model_type", "dict_type", "model_attributes_type"})


def fit(
    model: type[M], node: Node, path: KeyPath, context: Mapping[str, Any], findings: Findings
) -> M:
    """Return *node* as a *model*, without what does not fit; that is told to *findings*.

    ``path`` is where the node stands in the file.
    """
    while not node.broken:
        try:
            return model.model_validate(plain(node, path), context=dict(context))
        except ValidationError as exc:
            found = exc.errors(include_url=False, include_input=False)
            # What is missing only because it was wrong has been told.
            fresh = [error for error in found if not node.nearest(error["loc"]).broken]
            for error in fresh:
                _tell(error, model, node, path, findings)
            for loc in {whole_of((*path, *error["loc"]))[len(path) :] for error in fresh or found}:
                node.break_at(loc)
    return model()


def _tell(
    error: Any, model: type[BaseModel], node: Node, path: KeyPath, findings: Findings
) -> None:
    where, loc = dotted((*path, *error["loc"])), error["loc"]
    wrong = node.nearest(loc)
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, Wrong):
        inner = where.removesuffix(".value") if node.get(*loc) is None else where
        findings.error(wrong.place, inner, str(cause), cause.fix)
    elif error["type"] == "extra_forbidden":
        name = str(loc[-1])
        known = keys_at(model, loc[:-1])
        near = did_you_mean(name, known) if len(findings.problems) < _GUESSES else ""
        fix = near.removeprefix(": ") or f"known here: {', '.join(known)}"
        spot = wrong.key_spot or wrong.spot
        findings.error(spot, where, f"unknown key {shown(name)}", fix)
    elif error["type"] in _NOT_A_MAP:
        what = f"{kind(wrong.value)} is not a map"
        findings.error(wrong.place, where, what, "write its keys below it, indented")
    elif error["type"] == "list_type":
        what = f"{kind(wrong.value)} is not a list"
        findings.error(wrong.place, where, what, "write a list such as [a, b]")
    elif error["type"] == "missing":
        findings.error(wrong.place, where, f"{loc[-1]} is missing", "write it")
    else:
        findings.error(wrong.place, where, str(error["msg"]))


def keys_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Return the keys that may stand in the map at *path* of *model*."""
    current: type[BaseModel] = model
    parts = iter(path)
    for part in parts:
        field = current.model_fields.get(str(part))
        if field is None:
            break
        below, is_dict = model_in(field.annotation)
        if below is None:
            break
        current = below
        if is_dict:
            next(parts, None)
    return list(current.model_fields)


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
