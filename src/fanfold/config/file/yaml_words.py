"""What the YAML parser means, in words that lead to the fix."""

from __future__ import annotations

from typing import Any

import yaml

from fanfold.config.checks.problems import Problem
from fanfold.config.file.source import Source


def explain(exc: yaml.YAMLError, source: Source) -> Problem:
    """Return *exc* as a problem with its place and, where it is known, the fix."""
    mark: Any = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
    said = str(getattr(exc, "problem", None) or "it cannot be read").replace("\n", " ")
    context = str(getattr(exc, "context", None) or "")
    if mark is None:
        return Problem("", f"not valid YAML: {said}")
    # The parser may stop behind the last line, or behind a line's end.
    line = max(1, min(mark.line + 1, len(source.lines)))
    text = source.line(line)
    column = max(0, min(mark.column, len(text))) if line == mark.line + 1 else len(text)
    fix = _fix(said, context, text, text[column : column + 1])
    return Problem("", f"not valid YAML: {said}", fix, line=line, column=column + 1, text=text)


def _fix(said: str, context: str, text: str, character: str) -> str:
    if character == "\t" or (
        not text.strip(" \t")[:0] and text[: len(text) - len(text.lstrip())].count("\t")
    ):
        return "YAML is indented with spaces: replace the tab"
    if "mapping values are not allowed" in said:
        return (
            'quote the value: it contains ": "' if text.count(":") > 1 else "check the indentation"
        )
    if "${" in text and "flow" in context:
        return 'quote it: "${...}" needs quotes between { } and [ ]'
    if "alias" in context or "anchor" in context:
        return 'quote it: "* * * * *"'
    if "quoted scalar" in context:
        return "close the quote"
    if "flow" in context:
        return "close the bracket, or put a comma between the values"
    if "cannot start any token" in said and character:
        return f"quote the value: it begins with {character}"
    if "could not find expected ':'" in said:
        return "write a ':' and a space behind the key"
    if "collection" in context or "mapping" in context or "document start" in said:
        return "check the indentation: the keys of one map start in the same column"
    return ""
