"""Lengths of time as people type and read them, and the formats that commands print."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fanfold.cli.exit_codes import CommandError
from fanfold.domain.model import names
from fanfold.domain.syntax import durations
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import local


def seconds_of(text: str, option: str) -> float:
    """Return the length of time that *text*, the value of *option*, is.

    Raises:
        CommandError: It is none.
    """
    try:
        return durations.seconds_of(text)
    except durations.NotADuration as exc:
        near = exc.fix or "write a time such as 90s, 10m or 2h"
        raise CommandError(f"{option} {text!r}: {near}", _HELP) from exc


def form_of(text: str, known: Sequence[str]) -> str:
    """Return *text* if it is one of the *known* formats.

    Raises:
        CommandError: It is not.
    """
    if text not in known:
        near = names.did_you_mean(text, known)
        raise CommandError(
            f"--format {text!r}{near or ': use ' + ', '.join(known)}", f"… --format {known[0]}"
        )
    return text


def in_or_ago(at: datetime, now: datetime) -> str:
    """Return ``in 19h00m`` or ``4h00m ago``."""
    seconds = (at - now).total_seconds()
    return f"in {duration(max(seconds, 0))}" if seconds >= 0 else f"{duration(-seconds)} ago"


def slot_words(at: datetime, timezone: str) -> str:
    """Return ``Tue 24 Nov 03:15 Europe/Paris``."""
    return f"{weekday(at, timezone)} {timezone}"


def weekday(at: datetime, timezone: str) -> str:
    """Return ``Tue 24 Nov 03:15``."""
    from fanfold.domain.syntax.text import day, short  # noqa: PLC0415

    there = local(at.isoformat(), timezone)
    return f"{day(there).split()[0]} {short(there)}"


def json_text(document: Any) -> str:
    """Return *document* as JSON for people and programs."""
    return json.dumps(document, ensure_ascii=False, indent=2, default=str)


def text_or_base64(content: bytes) -> dict[str, str]:
    """Return ``{"text": …}`` if *content* is UTF-8, else ``{"base64": …}``."""
    try:
        return {"text": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


_HELP = "… --wait-timeout 30m"
