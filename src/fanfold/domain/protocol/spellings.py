"""Finds a secret in a text, however JSON, URLs, HTML or base64 spell it.

A text is read as its reader would read it, escapes within escapes too, and each character remembers
where it came from. So one search finds every mixture of spellings.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.entities import html5
from string import ascii_lowercase, ascii_uppercase

#: A secret of so many characters is masked wherever it stands; a shorter one as a whole word.
ANYWHERE_CHARS = 8

#: A secret shorter than this is a word that anybody may write: it is masked only where a
#: credential stands, that is in quotes, behind ``=`` or ``:``, or behind ``Bearer``.
WORD_CHARS = 4

#: One character, as JSON, URLs and HTML may write it, also where one of them quotes another.
_ESCAPE = re.compile(
    r"\\{1,8}(?:U(?P<w>[0-9a-fA-F]{8})|u\{(?P<b>[0-9a-fA-F]{1,6})\}|[uU](?P<u>[0-9a-fA-F]{4})"
    r"|x(?P<x>[0-9a-fA-F]{2})|(?P<o>[0-3][0-7]{2})|(?P<c>[^&%]))"
    r"|%(?:25){0,3}(?:u(?P<pu>[0-9a-fA-F]{4})|(?P<p>[0-9a-fA-F]{2}))"
    r"|(?P<wbr><w?br ?/?>)"
    r"|&(?:amp;){0,3}(?:#0{0,6}(?P<d>[0-9]{1,7});?|#[xX]0{0,6}(?P<h>[0-9a-fA-F]{1,6});?"
    r"|(?P<n>[A-Za-z]{2,12});)",
    re.DOTALL,
)
_ESCAPE_SIGNS = re.compile(r"[\\%&<]")

#: What may stand inside a text and shows as nothing there, or as the end of a line.
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp"})

#: How often a text is read again: so many escapes may be one inside another.
_ROUNDS = 4

_BEFORE_SHORT = re.compile(r"(?:^|[\"'=:>(\[,]\s?|\b(?:bearer|basic|token|key)\s)$", re.IGNORECASE)
_AFTER_SHORT = frozenset("\"'&;,)}]<")
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_URL_SAFE = str.maketrans("+/", "-_")


def spans_of(sought: Iterable[Sought], text: str) -> Iterator[tuple[int, int]]:
    """Yield where a secret of *sought* begins and ends in *text*; some may overlap."""
    view = _View.of(text)
    plain, packed = view.plain(), None
    bare = plain.bare()
    for each in sought:
        yield from _found(each.secret, view.whole, len(each.secret))
        yield from _found(each.form, bare if each.is_long else plain, len(each.secret))
        if each.is_long:
            yield from _found(each.hexadecimal, bare, len(each.secret))
        if each.cores:
            packed = packed or view.as_base64()
            for core in each.cores:
                yield from _found_base64(core, packed)


@dataclass(frozen=True, slots=True)
class Sought:
    """A secret as it is looked for: ``form`` in what is decoded, ``cores`` in base64.

    A long one is found in letters of either case, and in hexadecimal digits.
    """

    secret: str
    form: str
    cores: frozenset[str]
    hexadecimal: str
    is_long: bool

    @classmethod
    def of(cls, secret: str) -> Sought:
        """Return *secret* ready to be looked for."""
        plain, is_long = _View.of(secret).plain(), len(secret) >= ANYWHERE_CHARS
        form = (plain.bare() if is_long else plain).decoded
        raw = secret.encode("utf-8", "replace")
        return cls(secret, form, frozenset(_base64_cores(raw)), raw.hex(), is_long)


def _base64_cores(secret: bytes) -> Iterator[str]:
    """Yield what of *secret* in base64 does not depend on what stands before and behind it."""
    if len(secret) < WORD_CHARS:
        return
    whole = base64.urlsafe_b64encode(secret).decode("ascii").rstrip("=")
    if len(secret) < ANYWHERE_CHARS:
        yield whole
        return
    for before in range(3):
        text = base64.urlsafe_b64encode(b"\0" * before + secret).decode("ascii").rstrip("=")
        start = (before * 8 + 5) // 6
        end = (before + len(secret)) * 8 // 6
        yield text[start:end]


@dataclass(frozen=True, slots=True)
class _View:
    """A text as a reader understands it. ``starts`` are where its characters begin in ``raw``.

    ``starts`` is None where every character stands for itself.
    """

    raw: str
    decoded: str
    starts: list[int] | None = None
    ends: list[int] | None = None

    @classmethod
    def of(cls, text: str) -> _View:
        """Return *text* with every escape read, and what comes of that read again."""
        view = cls(text, text)
        for _ in range(_ROUNDS):
            if not _ESCAPE_SIGNS.search(view.decoded):
                break
            view = view._read_once()
        return view

    def _read_once(self) -> _View:
        text, pieces, at = self.decoded, list[str](), 0
        starts: list[int] = []
        ends: list[int] = []
        for match in _ESCAPE.finditer(text):
            stands_for, end = _character(match), match.end()
            if stands_for is None and match[0].startswith("&amp;"):
                stands_for, end = "&", match.start() + len("&amp;")
            if stands_for is None:
                continue
            pieces += (text[at : match.start()], stands_for)
            starts += range(at, match.start())
            ends += range(at + 1, match.start() + 1)
            starts += [match.start()] * len(stands_for)
            ends += [end] * len(stands_for)
            at = end
        if not pieces:
            return self
        pieces.append(text[at:])
        starts += range(at, len(text))
        ends += range(at + 1, len(text) + 1)
        if self.starts is not None and self.ends is not None:
            starts = [self.starts[place] for place in starts]
            ends = [self.ends[place - 1] for place in ends]
        return _View(self.raw, "".join(pieces), starts, ends)

    def plain(self) -> _View:
        """Return what two spellings of one text have in common.

        A form's ``+`` is the blank that it stands for; a backslash may stand for itself or not, so
        it is left out.
        """
        text = self.decoded.replace("+", " ")
        if "\\" not in text:
            return _View(self.raw, text, self.starts, self.ends)
        return self._only(text, [at for at, character in enumerate(text) if character != "\\"])

    def bare(self) -> _View:
        """Return the view in lower case, without what shows as nothing or ends a line.

        A page that breaks or folds a long text, or writes it in capitals, still tells it.
        """
        text = self.decoded.translate(_LOWER)
        if text.isprintable():
            return _View(self.raw, text, self.starts, self.ends)
        kept = [at for at, each in enumerate(text) if unicodedata.category(each) not in _UNSEEN]
        return self._only(text, kept)

    def _only(self, text: str, kept: list[int]) -> _View:
        """Return the view with the characters of *text*, as long as this one, at *kept* alone."""
        places = [self.span(at, at + 1) for at in kept]
        starts, ends = [start for start, _ in places], [end for _, end in places]
        return _View(self.raw, "".join(text[at] for at in kept), starts, ends)

    @property
    def whole(self) -> _View:
        """The text as it is."""
        return _View(self.raw, self.raw)

    def as_base64(self) -> _View:
        """Return the decoded text in the URL-safe alphabet, without line breaks."""
        decoded = self.decoded.translate(_URL_SAFE)
        if "\n" not in decoded and "\r" not in decoded:
            return _View(self.raw, decoded, self.starts, self.ends)
        kept = [at for at, character in enumerate(decoded) if character not in "\r\n"]
        return self._only(decoded, kept)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where the decoded characters from *start* to *end* stand in the raw text."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]

    def joins(self, at: int) -> bool:
        """Return whether no line break was left out before the decoded character at *at*."""
        return self.starts is None or self.ends is None or self.ends[at - 1] == self.starts[at]


def _character(match: re.Match[str]) -> str | None:
    """Return what an escape stands for, None where it is none."""
    if match["wbr"]:
        return ""
    if name := match["n"]:
        return html5.get(f"{name};")
    if plain := match["c"]:
        return plain
    if decimal := match["d"]:
        code = int(decimal)
    elif octal := match["o"]:
        code = int(octal, 8)
    else:
        groups = ("w", "b", "u", "x", "pu", "p", "h")
        code = int(next(filter(None, map(match.group, groups))), 16)
    return chr(code) if code < 0x110000 else None


def _found(sought: str, view: _View, secret_chars: int) -> Iterator[tuple[int, int]]:
    text, at = view.decoded, view.decoded.find(sought) if sought else -1
    while at >= 0:
        end = at + len(sought)
        if secret_chars >= ANYWHERE_CHARS or _stands_alone(text, at, end, secret_chars):
            yield view.span(at, end)
        at = text.find(sought, at + 1)


def _stands_alone(text: str, start: int, end: int, secret_chars: int) -> bool:
    if secret_chars >= WORD_CHARS:
        before, after = text[start - 1 : start], text[end : end + 1]
        return not before.isalnum() and not after.isalnum()
    follows = end == len(text) or text[end] in _AFTER_SHORT
    return follows and bool(_BEFORE_SHORT.search(text[max(0, start - 10) : start]))


def _found_base64(core: str, view: _View) -> Iterator[tuple[int, int]]:
    text, at = view.decoded, view.decoded.find(core)
    while at >= 0:
        start, end = at, at + len(core)
        while start > 0 and _in_base64(text[start - 1]) and view.joins(start):
            start -= 1
        while end < len(text) and (_in_base64(text[end]) or text[end] == "=") and view.joins(end):
            end += 1
        yield view.span(start, end)
        at = text.find(core, end)


def _in_base64(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character in "-_")
