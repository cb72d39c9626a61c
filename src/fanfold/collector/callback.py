"""Posting to the callback of a call, with the standard library alone."""

from __future__ import annotations

import json
import math
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from fanfold.collector.masking import MASK

#: Longest wait for one answer of the callback, in seconds: for an answer, and for progress.
TIMEOUT_S = 30.0
PROGRESS_TIMEOUT_S = 5.0

#: Waits between the attempts to deliver an answer, in seconds: about five minutes in all.
WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 120.0)

#: Shortest time between two progress reports of one callback, in seconds, and after one that
#: nobody took.
PROGRESS_EVERY_S = 2.0
PROGRESS_PAUSE_S = 60.0

_METADATA = "/computeMetadata/v1/instance/service-accounts/default/identity?audience="


class NotDelivered(Exception):
    """The callback did not take the answer; the text says why, and holds no token."""


class Callback(dict[str, Any]):
    """The ``url`` and ``token`` by which an answer may come later.

    It is a dictionary, so that ``json.dumps`` or a queue can hand it to another process; that holds
    the token. Its ``repr`` does not.
    """

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        super().__init__(*arguments, **keys)
        #: Until when no progress is told, by the monotonic clock.
        self._quiet_until_s = -math.inf
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Callback(url={self.url!r}, token={MASK!r})".replace(self.token or MASK, MASK)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (dict(self),))

    @property
    def url(self) -> str:
        """Where to post; empty where there is no endpoint."""
        return str(self.get("url") or "")

    @property
    def token(self) -> str:
        """What proves the answer; empty where there is none."""
        return str(self.get("token") or "")

    @property
    def is_postable(self) -> bool:
        """Whether the url is one of HTTP."""
        return self.url.lower().startswith(("http://", "https://"))

    def check(self) -> None:
        """Return if an answer can be posted here.

        Raises:
            ValueError: The url or the token is missing, or the url is of another scheme.
        """
        if not self.is_postable:
            raise ValueError("the callback has no url that begins with http:// or https://")
        if not self.token:
            raise ValueError("the callback has no token")

    def may_tell_progress(self) -> bool:
        """Return whether the last progress report is long enough ago, and count this one."""
        with self._lock:
            now_s = time.monotonic()
            if now_s < self._quiet_until_s:
                return False
            self._quiet_until_s = now_s + PROGRESS_EVERY_S
            return True

    def pause_progress(self) -> None:
        """Tell no progress for a while: nobody took the last report."""
        with self._lock:
            self._quiet_until_s = time.monotonic() + PROGRESS_PAUSE_S


def tell_progress(callback: Callback | None, fraction: float | None, words: str) -> None:
    """Post progress, at most once in :data:`PROGRESS_EVERY_S`. It decides nothing: never raises."""
    if callback is None or not callback.url or not callback.may_tell_progress():
        return
    document: dict[str, Any] = {"message": str(words)} if words else {}
    if isinstance(fraction, int | float) and math.isfinite(fraction):
        document["fraction"] = min(max(float(fraction), 0.0), 1.0)
    if document and not 200 <= _posted(callback, document, PROGRESS_TIMEOUT_S)[0] < 300:
        callback.pause_progress()


def deliver(callback: Callback, body: bytes) -> None:
    """Post *body*, an answer, until it is taken.

    Raises:
        NotDelivered: The callback refuses it, or none of the attempts reached it.
    """
    said = ""
    for wait_s in (*WAITS_S, None):
        status, said = _posted(callback, body, TIMEOUT_S)
        if 200 <= status < 300:
            return
        if wait_s is None or (0 < status < 500 and status not in {408, 425, 429}):
            break
        time.sleep(wait_s)
    raise NotDelivered(f"the callback did not take the answer: {said}")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token elsewhere."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


def _posted(
    callback: Callback, document: Mapping[str, Any] | bytes, timeout_s: float
) -> tuple[int, str]:
    """Return the status of one attempt, 0 where there was none, and words for it.

    Errors end here: their tracebacks would hold the headers, and with them the token.
    """
    try:
        callback.check()
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        with _opener(callback.url).open(_request(callback, body), timeout=timeout_s) as answer:
            return answer.status, f"HTTP {answer.status}"
    except urllib.error.HTTPError as error:
        with error:
            return error.code, f"HTTP {error.code}"
    except ValueError as error:
        # A header or address that cannot be sent. Its text may quote the token.
        return 400, type(error).__name__
    except Exception as error:  # noqa: BLE001 - whatever the network does, it is one sentence
        return 0, type(getattr(error, "reason", error)).__name__


def _opener(url: str) -> urllib.request.OpenerDirector:
    # A proxy is on another machine, where this machine's own addresses lead elsewhere.
    is_here = urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}
    proxies = {} if is_here else urllib.request.getproxies()
    return urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler(proxies))


def _request(callback: Callback, body: bytes) -> urllib.request.Request:
    headers = {"Authorization": f"Bearer {callback.token}", "Content-Type": "application/json"}
    # On Cloud Run the callback lets nobody in without an id token; the run's own stays beside it.
    if "K_SERVICE" in os.environ and callback.url.startswith("https://"):
        headers["X-Serverless-Authorization"] = f"Bearer {_id_token(callback.url)}"
    return urllib.request.Request(callback.url, body, headers)  # noqa: S310 - check() saw the scheme


def _id_token(url: str) -> str:
    """Return an id token of this Cloud Run service for the host of *url*."""
    parts = urlsplit(url)
    host = os.environ.get("GCE_METADATA_HOST") or "metadata.google.internal"
    audience = quote(f"{parts.scheme}://{parts.netloc}", safe="")
    asked = urllib.request.Request(
        f"http://{host}{_METADATA}{audience}", headers={"Metadata-Flavor": "Google"}
    )
    # Never through a proxy: the metadata server is the machine's own.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(asked, timeout=PROGRESS_TIMEOUT_S) as answer:
        return str(answer.read(65_536).decode().strip())
