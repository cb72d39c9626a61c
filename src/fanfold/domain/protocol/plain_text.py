"""What a body holds: a JSON object, or what a person can read in an HTML page or a line of text."""

from __future__ import annotations

import codecs
import html
import json
import re
from collections.abc import Mapping
from typing import Any

from fanfold.domain.protocol.masking import NOTHING_SECRET, Mask
from fanfold.domain.protocol.strict_json import NotJson, not_in, read_json
from fanfold.domain.syntax.text import one_line

#: Some write it before JSON, where it has no place; it is skipped.
BOM = b"\xef\xbb\xbf"

#: How much of a text is looked at to tell whether it is text, and markup, in characters.
LOOKED_AT_CHARS = 4096

_JSON_TYPE = re.compile(r"\s*(application/json|text/json|[^;]*\+json)\s*(;|$)", re.IGNORECASE)
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_TEXT_CODECS = re.compile(
    r"ascii|utf-(?:8|16|32)(?:-[a-z]+)?|iso8859-\d+|cp\d+|koi8-[a-z]|mac-[a-z]+|big5\w*|gb\w+"
    r"|euc_\w+|shift_jis\w*|iso2022_\w+|tis-620|johab"
)
_MARKUP = re.compile(r"<(?:!doctype|html|head|body|title|h1|p|div|pre|\?xml)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_UNSEEN = re.compile(r"<(script|style|title)\b[^<>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>|<[^<>]*\Z")
#: Tags inside a line: a word goes on behind them.
_INLINE = re.compile(
    r"</?(?:a|abbr|b|big|code|em|font|i|kbd|mark|samp|small|span|strong|tt|u|var|wbr)\b[^<>]*>",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")

#: Of these words consists what only repeats the status: *502 Bad Gateway*, *Error: Server Error*.
_STATUS_WORDS = frozenset(
    [
        "a",
        "access",
        "an",
        "bad",
        "client",
        "code",
        "conflict",
        "denied",
        "entity",
        "error",
        "errors",
        "expired",
        "failed",
        "forbidden",
        "found",
        "gateway",
        "gone",
        "http",
        "https",
        "internal",
        "invalid",
        "is",
        "large",
        "length",
        "long",
        "method",
        "allowed",
        "moved",
        "not",
        "nginx",
        "apache",
        "page",
        "payload",
        "permanently",
        "proxy",
        "request",
        "requests",
        "required",
        "server",
        "service",
        "sorry",
        "status",
        "temporarily",
        "the",
        "time",
        "timeout",
        "too",
        "many",
        "unauthorized",
        "unavailable",
        "unprocessable",
        "upstream",
        "web",
    ]
)


def charset(content_type: str) -> str:
    """Return the codec for the charset that *content_type* declares; UTF-8 if it names none."""
    if "charset" not in content_type.lower():
        return "utf-8"
    declared = _CHARSET.search(content_type)
    try:
        name = codecs.lookup(declared[1]).name if declared else "utf-8"
    except LookupError:
        return "utf-8"
    return name if _TEXT_CODECS.fullmatch(name) else "utf-8"


def decoded(body: bytes, content_type: str) -> str:
    """Return the text of *body*, in the charset that its content type declares.

    Raises:
        NotJson: It is not text in that charset.
    """
    codec = "utf-8" if body.startswith(BOM) else charset(content_type)
    try:
        return body.decode(codec).removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        raise NotJson(not_in(codec, exc)) from exc


def object_in(body: bytes, content_type: str) -> Mapping[str, Any] | None:
    """Return the JSON object that *body* is, or None where it is none and does not say it is.

    Raises:
        NotJson: It calls itself JSON and is not, or is an object that readers disagree about.
    """
    if not body.removeprefix(BOM).strip():
        return None
    announced = _JSON_TYPE.match(content_type)
    try:
        text = decoded(body, content_type).strip()
        if not announced and not text.startswith("{"):
            return None
        document = read_json(text)
    except NotJson as exc:
        is_json = not isinstance(exc.__cause__, json.JSONDecodeError | UnicodeDecodeError)
        if announced or is_json:
            raise
        return None
    return document if isinstance(document, Mapping) else None


def readable(body: bytes, content_type: str = "", mask: Mask = NOTHING_SECRET) -> str:
    """Return what *body* says, masked, as one line that may be long, or ``""``.

    Of markup, the title, unless it only repeats the status; then the text without tags, scripts
    and styles, from the first sentence that says more. Bytes that are not text in the declared
    charset become U+FFFD; a body that is mostly not text is not shown.
    """
    codec = "utf-8" if body.startswith(BOM) else charset(content_type)
    text = body.decode(codec, "replace").removeprefix("\ufeff")
    begun = text[:LOOKED_AT_CHARS]
    if begun.count("\ufffd") + begun.count("\0") > len(begun) // 4:
        return ""
    if _MARKUP.search(text, 0, 1024):
        text = _of_markup(text)
    # Before line ends become blanks: a secret may be folded.
    text = mask.text(text)
    return one_line(text, len(text) + 1)


def _of_markup(text: str) -> str:
    titled = _TITLE.search(text)
    title = html.unescape(titled[1]).strip() if titled else ""
    if title and not _repeats_the_status(title):
        return title
    lines = (html.unescape(line).strip() for line in _TAG.split(_seen(text)))
    said = [line for line in lines if line]
    while said and _repeats_the_status(said[0]):
        title = title or said[0]
        del said[0]
    rest = " ".join(said)
    return rest if rest and (len(_WORD.findall(rest)) >= 3 or not title) else title


def _seen(text: str) -> str:
    return _INLINE.sub("", _UNSEEN.sub("<>", text))


def _repeats_the_status(text: str) -> bool:
    words = _WORD.findall(text.lower())
    return all(word in _STATUS_WORDS or word.isdigit() for word in words)
