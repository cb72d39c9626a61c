"""One POST to a target of ``notify``, and what its answer means: taken, later, or never."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from fanfold.domain.model.errors import TargetAway, TargetRefuses

#: How long a connection and how long each part of an answer may take, in seconds.
TIMEOUT_S = (5.0, 10.0)

#: HTTP statuses below 500 after which the same request may succeed later.
PASSING = frozenset({408, 425, 429})


def post(
    name: str, url: str, body: bytes, headers: Mapping[str, str], *, read_bytes: int = 0
) -> bytes:
    """Post *body* to *url* and return the first *read_bytes* of the answer.

    Args:
        name: The key of the configuration that names the target, for errors.
        url: Where to. No error says it, for it may be a secret.
        body: What is posted.
        headers: Sent with it.
        read_bytes: How much of the answer is read, at most.

    Raises:
        TargetAway: The target may take it later.
        TargetRefuses: It will never take this.
    """
    try:
        with requests.post(
            url,
            data=body,
            headers=headers,
            timeout=TIMEOUT_S,
            allow_redirects=False,
            stream=True,  # of the body of the answer only so much is read as is asked for
            auth=_no_netrc,
        ) as answer:
            status = answer.status_code
            said: bytes = answer.raw.read(read_bytes) if read_bytes else b""
    except requests.exceptions.SSLError:
        what = "its certificate is not trusted here (REQUESTS_CA_BUNDLE names other authorities)"
        raise TargetAway(f"{name} was not told: {what}") from None
    except (requests.RequestException, OSError) as exc:
        # The text of the error holds the URL, which may be a secret.
        raise TargetAway(f"{name} did not answer: {type(exc).__name__}") from None
    if status in PASSING or status >= 500:
        raise TargetAway(f"{name} answered HTTP {status}")
    if 300 <= status < 400:
        raise TargetRefuses(f"{name} answered HTTP {status}: redirects are not followed")
    if not 200 <= status < 300:
        raise TargetRefuses(f"{name} answered HTTP {status}")
    return said


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Return *request* as it is: requests then adds no password from a .netrc file."""
    return request
