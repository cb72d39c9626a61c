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
from typing import Any

from fanfold.domain.model.collector import CollectorSpec
from fanfold.domain.protocol.spellings import ANYWHERE_CHARS, Sought, spans_of
from fanfold.domain.syntax.urls import BadUrl, read_url

#: What stands for a confidential text.
MASK = "***"

#: What stands for a collector's words where its secrets cannot be looked up.
LEFT_OUT = "(left out: this collector's secrets cannot be looked up here, so none could be masked)"

#: Words of the contract, which are never masked: a secret that is spelled like one is none.
CONTRACT_WORDS = frozenset(
    {
        *("records", "bytes", "artifacts", "revision", "unchanged", "warnings", "metrics", "log"),
        *("data_until", "schema", "name", "type"),
        *("status", "succeeded", "failed", "running", "accepted", "eta_seconds"),
        *("success", "ok", "errors", "fail", "failure", "ko", "nok"),
        *("error", "kind", "message", "detail", "retryable", "retry_after"),
        *("fraction", "records_so_far", "run_id", "collector", ""),
    }
)

#: A signed token of any issuer, as id tokens are: two or three parts in base64.
SIGNED_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")

#: Names of parameters whose value is a secret.
SECRETIVE = re.compile(
    r"auth|token|secret|passw|pwd|credential|signature|^sig$|key$|^code$", re.IGNORECASE
)

#: A value that nobody chose: long, with letters and digits.
_OPAQUE = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z]).{20,}", re.DOTALL)

_NUMBERS = re.compile(r"[0-9][0-9TZ:.+-]{0,39}")
_METRIC_NAME = re.compile(r"[a-z][a-z_]{0,29}")


class Mask:
    r"""Replaces secrets in texts, in every way in which they may be spelled.

    These are: as it is; with the escapes of JSON (``\/``, ``\u002b``), URLs (``%2F``), HTML
    (``&amp;``, ``&#47;``, ``<wbr>``) and scripts (``\x2f``, ``\057``), alone, mixed, or one inside
    another; in base64 of either alphabet, with or without padding, alone or inside a longer text. A
    masked base64 text goes as a whole. A secret of 8 characters or more is also found in letters of
    the other case, in hexadecimal digits, and with line ends or invisible characters inside.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {secret.strip() for secret in secrets}
        self._secrets = sorted((each for each in found if each), key=len, reverse=True)
        self._shortest = min((len(each) for each in self._secrets), default=0)
        self._sought: list[Sought] | None = None

    def text(self, text: str) -> str:
        """Return *text* without the secrets."""
        if text in CONTRACT_WORDS:
            return text
        if "eyJ" in text:
            text = SIGNED_TOKEN.sub(MASK, text)
        if not self._secrets or len(text) < self._shortest:
            return text
        if self._sought is None:
            self._sought = [Sought.of(secret) for secret in self._secrets]
        spans = list(spans_of(self._sought, text))
        return _without(text, spans) if spans else text

    def document(self, value: Any) -> Any:
        """Return the JSON *value* with every text in it, and every name, masked."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, int | float):
            return value
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.document(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(item) for item in value]
        return value


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
        if kept.get("log"):
            kept["log"] = [LEFT_OUT]
        if isinstance(kept.get("artifacts"), list | tuple):
            kept["artifacts"] = []
        if isinstance(kept.get("revision"), str) and not _NUMBERS.fullmatch(kept["revision"]):
            kept["revision"] = None
        if isinstance(kept.get("kind"), str):
            kept["kind"] = None
        kept.pop("schema", None)  # its columns are words
        if isinstance(kept.get("data_until"), str) and not _NUMBERS.fullmatch(kept["data_until"]):
            kept["data_until"] = None
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
    if not query:
        return
    yield query
    for part in re.split("[&;]", query):
        name, _, value = part.partition("=")
        if SECRETIVE.search(name) or _OPAQUE.fullmatch(value):
            yield value


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "==").decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


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
