"""What a person can read in a body that is no JSON: a gateway's HTML page, a line of text."""

from __future__ import annotations

import html
import re

from fanfold.domain.syntax.text import one_line

#: How much of a body is looked at for a message, in bytes: an error page says it early.
LOOKED_AT_BYTES = 4096

_MARKUP = re.compile(r"<(?:!doctype|html|head|body|title|h1|p|div|pre|\?xml)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_UNSEEN = re.compile(r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>|<[^<>]*\Z")


def readable(body: bytes, limit: int) -> str:
    """Return the beginning of *body* as one line of at most *limit* characters, or ``""``.

    Of markup, the title if it has one, else its text without tags, scripts and styles. Bytes that
    are not UTF-8 become U+FFFD; a body that is mostly not text is not shown.
    """
    text = body[:LOOKED_AT_BYTES].decode("utf-8", "replace")
    if len(body) > LOOKED_AT_BYTES:
        text = text.rstrip("\ufffd")
    if text.count("\ufffd") + text.count("\0") > len(text) // 4:
        return ""
    if _MARKUP.search(text, 0, 1024):
        titled = _TITLE.search(text)
        text = titled[1] if titled and titled[1].strip() else _TAG.sub(" ", _UNSEEN.sub(" ", text))
        text = html.unescape(text)
    return one_line(text, limit)
