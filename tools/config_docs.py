"""The models as documentation: the JSON Schema that ships, and the tables of docs/configuration.md.

Editors that know JSON Schema complete and check the file when its first line is
``# yaml-language-server: $schema=<path of config.schema.json>``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from fanfold.config.checks.validate import model_in
from fanfold.config.schema.keys import CollectorSection, File


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the file."""
    found = File.model_json_schema(mode="validation")
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["title"] = "fanfold's configuration"
    plain: dict[str, Any] = _without_titles(found)
    return plain


def schema_text() -> str:
    """Return the JSON Schema as it is shipped."""
    return json.dumps(schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _without_titles(part: Any) -> Any:
    """Return *part* without pydantic's titles; a section may be left empty, which is null."""
    if isinstance(part, list):
        return [_without_titles(each) for each in part]
    if not isinstance(part, dict):
        return part
    kept = {
        key: _without_titles(each)
        for key, each in part.items()
        if key != "title" or isinstance(each, dict) or each == "fanfold's configuration"
    }
    if kept.get("type") == "object" and "properties" in kept and "title" not in kept:
        kept["type"] = ["object", "null"]
    return kept


def every_key() -> Iterator[tuple[str, str, str, str]]:
    """Yield every key of the file: dotted name, form, default, meaning."""
    yield from _keys((), File, frozenset())


def _keys(
    above: tuple[str, ...], model: type[BaseModel], leave: frozenset[str]
) -> Iterator[tuple[str, str, str, str]]:
    properties = model.model_json_schema(mode="validation")["properties"]
    for name, field in model.model_fields.items():
        path = (*above, name)
        below, is_dict = model_in(field.annotation)
        if below is not None and name not in leave and _opens(below):
            if below is CollectorSection and not is_dict:
                yield ".".join(path), "map", "", f"{field.description}: any key of a collector"
            else:
                yield from _keys((*path, "NAME") if is_dict else path, below, leave)
            continue
        form = _form(properties[name])
        yield ".".join(path), form, _shown(field.default), field.description or ""


def _opens(below: type[BaseModel]) -> bool:
    return "severity" not in below.model_fields and "bearer" not in below.model_fields


def _form(part: dict[str, Any]) -> str:
    if "x-form" in part:
        return str(part["x-form"])
    if "items" in part:
        return f"list of {_form(part['items'])}"
    if "additionalProperties" in part:
        return f"map of {_form(part['additionalProperties'])}"
    for each in part.get("anyOf", []):
        if each.get("type") != "null":
            return _form(each)
    return str(part.get("type", "text"))


def _shown(default: Any) -> str:
    if default in (None, {}, [], ""):
        return ""
    if isinstance(default, list):
        return f"[{', '.join(default)}]"
    return default if isinstance(default, str) else json.dumps(default)


def tables() -> str:
    """Return the tables of docs/configuration.md, one a section of the file."""
    groups: dict[str, list[str]] = {}
    for name, form, default, meaning in every_key():
        in_collector = name.startswith("scheduler.collectors.NAME.")
        group = "scheduler.collectors.NAME" if in_collector else name.rpartition(".")[0]
        cells = [_code(name), form.replace("|", "\\|"), _code(default), meaning.replace("|", "\\|")]
        groups.setdefault(group, []).append(f"| {' | '.join(cells)} |")
    head = "| key | form | default | meaning |\n|---|---|---|---|\n"
    return "\n".join(
        f"### {f'`{group}`' if group else 'The file'}\n\n{head}" + "\n".join(rows) + "\n"
        for group, rows in groups.items()
    )


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


#: What each word of the command line prints.
_PRINTS = {"schema": schema_text, "keys": tables}


def main(words: list[str]) -> int:
    """Print what *words* ask for; return the exit code."""
    if len(words) != 1 or words[0] not in _PRINTS:
        sys.stderr.write("usage: python -m tools.config_docs schema | keys\n")
        return 2
    sys.stdout.write(_PRINTS[words[0]]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
