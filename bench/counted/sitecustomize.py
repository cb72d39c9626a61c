"""Counts what a process asks of Firestore, as it is billed. Python loads it by its name, by itself.

:mod:`bench.scale` puts this folder on the path of the functions. A document read or written is one,
an empty answer and a count are one read. The figures stand in ``$BENCH_COUNTS/<pid>.json``, at most
:data:`WRITE_EVERY_S` old.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc

#: How often the figures are written, in seconds.
WRITE_EVERY_S = 0.5

_connect = grpc.insecure_channel
_counts: Counter[str] = Counter()
_lock = threading.Lock()


def _count(**figures: int) -> None:
    with _lock:
        if not _counts:
            # Only the process that works counts, not the server that it was forked from.
            threading.Thread(target=_write_for_ever, daemon=True).start()
        _counts.update(figures)


def _write_for_ever() -> None:
    path = Path(os.environ["BENCH_COUNTS"], f"{os.getpid()}.json")
    while True:
        with _lock:
            text = json.dumps(_counts)
        beside = path.with_suffix(".new")
        beside.write_text(text, "utf-8")
        beside.replace(path)
        time.sleep(WRITE_EVERY_S)


class _Commits(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    """Counts the writes of each commit that was taken, and the commits that were refused."""

    def intercept_unary_unary(self, go_on: Callable[..., Any], details: Any, request: Any) -> Any:
        call = go_on(details, request)
        if details.method.endswith("/Commit"):
            taken = call.exception() is None
            _count(commits=1, writes=len(request.writes) if taken else 0, refused=0 if taken else 1)
        return call


class _Reads(grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]
    """Counts the documents that each call reads."""

    def intercept_unary_stream(self, go_on: Callable[..., Any], details: Any, request: Any) -> Any:
        call = go_on(details, request)
        if details.method.endswith("/BatchGetDocuments"):
            _count(calls=1, reads=len(request.documents))
        elif details.method.endswith("/RunAggregationQuery"):
            _count(calls=1, reads=1, counts=1)
        elif details.method.endswith("/RunQuery"):
            return _Counted(call)
        return call


class _Counted:
    """The replies to one query, counted as they come."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._found = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            reply = next(self._call)
        except StopIteration:
            _count(calls=1, reads=max(1, self._found))
            raise
        self._found += "document" in reply
        return reply


def _counting_channel(target: str, *arguments: Any, **options: Any) -> Any:
    channel = _connect(target, *arguments, **options)
    if target != os.environ.get("FIRESTORE_EMULATOR_HOST"):
        return channel
    return grpc.intercept_channel(channel, _Commits(), _Reads())


grpc.insecure_channel = _counting_channel
