"""Reads YAML into a tree.

Only plain YAML is read: no tags, no anchors, no aliases (a few lines of them can stand for billions
of values), no merge keys, no second document, each key once, at most :data:`MAX_DEPTH` levels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from fanfold.config.file.nodes import Node, read_word
from fanfold.config.file.problems import ConfigError, Problem, kind, shown
from fanfold.config.file.source import TO_HAVE_ONE, Source, Spot, odd_character

#: The deepest nesting that is read.
MAX_DEPTH = 64

#: A value that begins with a star: behind a key, in a list, or in a map between braces.
_STARRED = re.compile(r"(?:^|[:,-]\s+|[\[{]\s*)(\*[^#}\]]*)")

#: What to do instead of an anchor or an alias.
_TO_SHARE = "share settings in scheduler.defaults; quote a value that begins with * or &"

#: What mends an error, by words of the parser's; the first that fits.
_FIXES = (
    ("anchor", "quote the value: it begins with &"),
    ("quoted scalar", "close the quote"),
    ("flow", "close the bracket, or put a comma between the values"),
    ("could not find expected ':'", "write a ':' and a space behind the key"),
    *(
        (words, "check the indentation: the keys of one map start in the same column")
        for words in ("collection", "mapping", "document start")
    ),
)

#: libyaml where it is there: the same tree, ten times faster.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_tree(source: Source) -> Node:
    """Return the file as a tree.

    Raises:
        ConfigError: It is not YAML, or not the plain YAML that is read; duplicates all at once.
    """
    reader = _Reader(source)
    try:
        reader.refuse_what_is_not_plain()
        composed = yaml.compose(source.text, Loader=LOADER)
    except yaml.YAMLError as exc:
        raise ConfigError([_explain(exc, source)], source.name) from exc
    root = reader.node(composed) if composed is not None else None
    if reader.problems:
        raise ConfigError(reader.problems, source.name)
    if root is None or root.value is None:
        raise ConfigError([Problem("", "the file is empty", TO_HAVE_ONE)], source.name)
    if not isinstance(root.value, dict):
        what = f"the file holds {kind(root.value)}, not keys with values"
        raise reader.refusal(root.spot, what, "begin with scheduler:")
    return root


@dataclass(slots=True)
class _Reader:
    """Makes nodes of what the parser composed."""

    source: Source
    problems: list[Problem] = field(default_factory=list)

    def refuse_what_is_not_plain(self) -> None:
        """Read the events once, which takes no memory, before the parser composes a tree of them.

        Raises:
            ConfigError: There are anchors, tags, a second document, or too many levels.
        """
        depth = documents = 0
        for event in yaml.parse(self.source.text, Loader=LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                raise self.refusal(self._spot(event), "a second document begins here", "keep one")
            if getattr(event, "anchor", None):
                what = "anchors (&name) and aliases (*name) are not read"
                value = _starred(self.source.line(self._spot(event).line))
                fix = f'quote it: "{value}"' if " " in value else _TO_SHARE
                raise self.refusal(self._spot(event), what, fix)
            if getattr(event, "tag", None):
                raise self.refusal(
                    self._spot(event), "tags (!name) are not read", "quote the value"
                )
            if depth > MAX_DEPTH:
                raise self.refusal(self._spot(event), f"nested deeper than {MAX_DEPTH} levels", "")

    def node(self, composed: Any) -> Node:
        """Return *composed* and what is below it."""
        spot = self._spot(composed)
        if isinstance(composed, yaml.MappingNode):
            return Node(self._entries(composed), spot)
        if isinstance(composed, yaml.SequenceNode):
            return Node([self.node(each) for each in composed.value], spot)
        quoted = bool(composed.style)  # libyaml says '' of a plain one, PyYAML None
        value = composed.value if quoted else read_word(composed.value)
        return Node(value, spot, written=composed.value, quoted=quoted)

    def _entries(self, composed: Any) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for key, value in composed.value:
            spot, name = self._spot(key), key.value
            if not isinstance(key, yaml.ScalarNode):
                self._problem(spot, "a key must be a word", "quote it")
            elif name == "<<":
                self._problem(spot, "merge keys (<<) are not read", "use scheduler.defaults")
            elif name in entries:
                first = entries[name].key_spot
                what = f"key {shown(name)} stands twice, first in line {first.line if first else 0}"
                self._problem(spot, what, "keep one of them")
            else:
                entries[name] = self.node(value)
                entries[name].key_spot = spot
        return entries

    def _spot(self, marked: Any) -> Spot:
        start, end = marked.start_mark, marked.end_mark
        line = self.source.line(start.line + 1)
        stop = end.column if end.line == start.line else len(line)
        return Spot(start.line + 1, start.column + 1, max(0, stop - start.column))

    def _problem(self, spot: Spot, what: str, fix: str) -> None:
        self.problems.append(self.source.problem(spot, "", what, fix))

    def refusal(self, spot: Spot, what: str, fix: str) -> ConfigError:
        """Return the error that ends the reading, with what was found before."""
        self._problem(spot, what, fix)
        return ConfigError(self.problems, self.source.name)


def _explain(exc: yaml.YAMLError, source: Source) -> Problem:
    """Return *exc* as a problem with its place and, where it is known, the fix."""
    mark: Any = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
    sentence = str(getattr(exc, "problem", None) or "it cannot be read").replace("\n", " ")
    context = str(getattr(exc, "context", None) or "")
    if mark is None:
        return Problem("", f"not valid YAML: {sentence}")
    if "alias" in context or "anchor" in context:
        sentence = "a value without quotes cannot begin with * or &"
    # The parser may stop behind the last line, or behind a line's end.
    line = max(1, min(mark.line + 1, len(source.lines)))
    text = source.line(line)
    column = max(0, min(mark.column, len(text))) if line == mark.line + 1 else len(text)
    fix = _odd_character(line, source) or _fix(sentence, context, text, text[column : column + 1])
    return Problem("", f"not valid YAML: {sentence}", fix, line=line, column=column + 1, text=text)


def _odd_character(line: int, source: Source) -> str:
    """Return how to mend a character in *line*, or before it, that only looks like another one."""
    for number in (line, line - 1):
        text = source.line(number).partition(" #")[0]
        odd = odd_character(text, 1, len(text) + 1)
        if odd:
            return odd if number == line else f"{odd} of line {number}"
    return ""


def _fix(sentence: str, context: str, text: str, character: str) -> str:
    if character == "\t" or "\t" in text[: len(text) - len(text.lstrip())]:
        return "YAML is indented with spaces: replace the tab"
    if "mapping values are not allowed" in sentence:
        return (
            'quote the value: it contains ": "' if text.count(":") > 1 else "check the indentation"
        )
    if "escape code" in sentence:
        return "write the character itself, or a code that there is"
    if "mapping keys are not allowed" in sentence and character == "?":
        return "quote the value: it begins with ?"
    if "${" in text and "flow" in context:
        return 'quote it: "${...}" needs quotes between { } and [ ]'
    if "alias" in context:
        return f'quote it: "{_starred(text)}"' if _starred(text) else _TO_SHARE
    if "cannot start any token" in sentence and character:
        return f"quote the value: it begins with {character}"
    found = (fix for words, fix in _FIXES if words in f"{context}; {sentence}")
    return next(found, "")


def _starred(text: str) -> str:
    """Return the value in the line *text* that begins with a star: mostly a schedule."""
    match = _STARRED.search(text)
    value = re.split(r",\s+\S+:\s", match[1])[0].rstrip(" ,") if match else ""
    # A schedule of stars alone has five, however many were written.
    return value if value.strip("* ") or not value else "* * * * *"
