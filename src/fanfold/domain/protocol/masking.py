"""Keeps what a collector was sent in confidence out of what it says.

Error pages like to quote the request: its headers, its body, its URL. A :class:`Mask` is applied
to what was decoded (every text of a JSON document, names too, or the text of a page), before
anything is cut, whichever way it came: in the response, by callback, or as a message.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html.entities import html5
from typing import Any

from fanfold.domain.model.collector import CollectorSpec
from fanfold.domain.syntax.urls import BadUrl, read_url

#: What stands for a confidential text.
MASK = "***"

#: A secret of so many characters is masked wherever it stands; a shorter one as a whole word.
ANYWHERE_CHARS = 8

#: A secret shorter than this is a word that anybody may write: it is masked only where a
#: credential stands, that is in quotes, behind ``=`` or ``:``, or behind ``Bearer``.
WORD_CHARS = 4

#: What stands for a collector's words where its secrets cannot be looked up.
LEFT_OUT = "(left out: this collector's secrets cannot be looked up here, so none could be masked)"

#: Words of the contract, which are never masked: a secret that is spelled like one is none.
CONTRACT_WORDS = frozenset(
    {
        *("records", "bytes", "artifacts", "revision", "unchanged", "warnings", "metrics"),
        *("status", "succeeded", "failed", "running", "accepted", "eta_seconds"),
        *("success", "ok", "errors", "fail", "failure", "ko", "nok"),
        *("error", "kind", "message", "detail", "retryable", "retry_after"),
        *("fraction", "records_so_far", "run_id", "collector", ""),
    }
)

#: A signed token of any issuer, as id tokens are: two or three parts in base64.
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")

#: One character, as JSON, URLs and HTML may write it, also where one of them quotes another.
_ESCAPE = re.compile(
    r"\\{1,8}(?:[uU](?P<u>[0-9a-fA-F]{4})|x(?P<x>[0-9a-fA-F]{2})|(?P<c>[^&%]))"
    r"|%(?:25){0,3}(?P<p>[0-9a-fA-F]{2})"
    r"|&(?:amp;){0,3}(?:#0{0,6}(?P<d>[0-9]{1,7});?|#[xX]0{0,6}(?P<h>[0-9a-fA-F]{1,6});?"
    r"|(?P<n>[A-Za-z]{2,12});)",
    re.DOTALL,
)
_ESCAPE_SIGNS = re.compile(r"[\\%&]")

#: How often a text is read again: so many escapes may be one inside another.
_ROUNDS = 4

#: Names of parameters whose value is a secret.
_SECRETIVE = re.compile(r"auth|token|secret|passw|credential|sig|key|code|pwd", re.IGNORECASE)

#: A value that nobody chose: long, with letters and digits.
_OPAQUE = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z]).{20,}", re.DOTALL)

_BEFORE_SHORT = re.compile(r"(?:^|[\"'=:>(\[,]\s?|\b(?:bearer|basic|token|key)\s)$", re.IGNORECASE)
_AFTER_SHORT = frozenset("\"'&;,)}]<")
_URL_SAFE = str.maketrans("+/", "-_")
_NUMBERS = re.compile(r"[0-9][0-9TZ:.+-]{0,39}")
_METRIC_NAME = re.compile(r"[a-z][a-z_]{0,29}")


class Mask:
    r"""Replaces secrets in texts, in every way in which they may be spelled.

    These are: as it is; with the escapes of JSON (``\/``, ``\u002b``), URLs (``%2F``) and HTML
    (``&amp;``, ``&#47;``), alone, mixed, or one inside another; in base64 of either alphabet, with
    or without padding, alone or inside a longer text. A masked base64 text goes as a whole.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {secret.strip() for secret in secrets}
        self._secrets = sorted((each for each in found if each), key=len, reverse=True)
        self._shortest = min((len(each) for each in self._secrets), default=0)
        self._sought: list[_Sought] | None = None

    def text(self, text: str) -> str:
        """Return *text* without the secrets."""
        if text in CONTRACT_WORDS:
            return text
        if "eyJ" in text:
            text = _JWT.sub(MASK, text)
        if not self._secrets or len(text) < self._shortest:
            return text
        if self._sought is None:
            self._sought = [_Sought.of(secret) for secret in self._secrets]
        spans = list(self._spans(_View.of(text)))
        return _without(text, spans) if spans else text

    def document(self, value: Any) -> Any:
        """Return the JSON *value* with every text in it, and every name, masked."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.document(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(item) for item in value]
        return value

    def _spans(self, view: _View) -> Iterator[tuple[int, int]]:
        packed: _View | None = None
        plain = view.plain()
        for each in self._sought or ():
            yield from _found(each.secret, view.whole, len(each.secret))
            yield from _found(each.form, plain, len(each.secret))
            if each.cores:
                packed = packed or view.as_base64()
                for core in each.cores:
                    yield from _found_base64(core, packed)


class _Withheld(Mask):
    """The mask where the secrets are not known: no text of the collector's own is kept.

    Numbers stay, and what consists of digits and the signs of dates and versions.
    """

    def __init__(self) -> None:
        super().__init__(())

    def text(self, text: str) -> str:
        """Return *text* if it is a word of the contract or a number, else that it is left out."""
        return text if text in CONTRACT_WORDS or _NUMBERS.fullmatch(text) else LEFT_OUT

    def document(self, value: Any) -> Any:
        """Return the JSON *value* with its numbers, and without its words."""
        if not isinstance(value, Mapping):
            return super().document(value)
        kept = {key: item for key, item in value.items() if key in CONTRACT_WORDS}
        if isinstance(kept.get("warnings"), list | tuple) and kept["warnings"]:
            kept["warnings"] = [LEFT_OUT]
        if isinstance(kept.get("artifacts"), list | tuple):
            kept["artifacts"] = []
        if isinstance(kept.get("revision"), str) and not _NUMBERS.fullmatch(kept["revision"]):
            kept["revision"] = None
        if isinstance(kept.get("kind"), str):
            kept["kind"] = None
        metrics = kept.pop("metrics", None)
        shown = {key: self.document(item) for key, item in kept.items()}
        if isinstance(metrics, Mapping):
            numbers = {
                key: item
                for key, item in metrics.items()
                if _METRIC_NAME.fullmatch(str(key)) and not isinstance(item, str)
            }
            shown["metrics"] = numbers
        return shown


#: Masks nothing but signed tokens: for whoever was told no secret.
NOTHING_SECRET = Mask(())

#: Keeps the numbers and leaves the words out: for whoever cannot look the secrets up.
WITHHELD: Mask = _Withheld()


def mask_of_call(
    spec: CollectorSpec, headers: Mapping[str, str], token: str = "", also: Iterable[str] = ()
) -> Mask:
    """Return the mask for what the collector of *spec* says.

    Args:
        spec: The collector: its URL's query may hold a secret.
        headers: The credentials that it is sent, filled in.
        token: The callback's token of this run.
        also: Other texts that must not be repeated, such as a proxy's password.
    """
    return Mask([*_in_headers(spec, headers), *_in_url(spec.url), token, *also])


def _in_headers(spec: CollectorSpec, headers: Mapping[str, str]) -> Iterator[str]:
    for name, value in headers.items():
        if "${" not in spec.auth.headers.get(name, "${"):
            continue  # written out in the configuration, and allowed to be
        yield value
        for part in re.split(r"[\s,;=\"]+", value)[1:]:
            if len(part) >= ANYWHERE_CHARS:
                yield part
        scheme, _, credential = value.partition(" ")
        if credential:
            yield credential
        if scheme.lower() == "basic":
            user_and_password = _decoded(credential)
            yield user_and_password
            yield user_and_password.partition(":")[2]


def _in_url(url: str) -> Iterator[str]:
    try:
        query = read_url(url).query
    except BadUrl:
        return
    yield query
    for part in re.split("[&;]", query):
        name, _, value = part.partition("=")
        if _SECRETIVE.search(name) or _OPAQUE.fullmatch(value):
            yield value


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "==").decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


@dataclass(frozen=True, slots=True)
class _Sought:
    """A secret as it is looked for: ``form`` in what is decoded, ``cores`` in base64."""

    secret: str
    form: str
    cores: frozenset[str]

    @classmethod
    def of(cls, secret: str) -> _Sought:
        form = _View.of(secret).plain().decoded
        return cls(secret, form, frozenset(_base64_cores(secret.encode("utf-8", "replace"))))


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
    if name := match["n"]:
        return html5.get(f"{name};")
    if plain := match["c"]:
        return plain
    if decimal := match["d"]:
        code = int(decimal)
    else:
        code = int(match["u"] or match["x"] or match["p"] or match["h"], 16)
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


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """Return *text* with :data:`MASK` for each of *spans*; those that touch become one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    kept: list[str] = []
    at = 0
    for start, end in merged:
        kept += (text[at:start], MASK)
        at = end
    return "".join(kept) + text[at:]
