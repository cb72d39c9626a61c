"""The four public APIs, played by the bundled samples: a transport adapter for ``requests``.

It answers the requests that are really made: pages are sliced, zones are filtered by
partition, points are looked up in contours, parameters are refused where the API refuses
them. What the samples do not hold is an error that says so, never an empty answer.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from _kit.failures import NotInSample

from . import dvf_files, geo_api, gpu, recherche_entreprises
from .reply import Answerer, Question, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

HOSTS: Final[Mapping[str, Answerer]] = {
    "files.data.gouv.fr": dvf_files.answer,
    "www.data.gouv.fr": dvf_files.answer,
    "recherche-entreprises.api.gouv.fr": recherche_entreprises.answer,
    "geo.api.gouv.fr": geo_api.answer,
    "apicarto.ign.fr": gpu.answer,
    "data.geopf.fr": gpu.answer,
}


class OfflineAdapter(BaseAdapter):
    """Answers from the samples, or as *fault* says. Opens no connection."""

    is_sample = True
    #: There is nobody to be polite to.
    requests_per_second = 100_000.0

    def __init__(self, *, fault: str | None = None) -> None:
        super().__init__()
        self._fault = fault
        self._to_response = HTTPAdapter()

    def send(
        self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any
    ) -> requests.Response:
        """Return the answer to *request*, read like one that came over a wire."""
        url = urlsplit(request.url or "")
        if url.netloc not in HOSTS:
            raise NotInSample(f"the samples hold no answer of {url.netloc}")
        question = Question(
            host=url.netloc,
            path=url.path,
            query=dict(parse_qsl(url.query)),
            body=json.loads(request.body) if request.body else None,
            fault=self._fault,
        )
        if self._fault == "503":
            reply = Reply(503, b"<h1>Service Unavailable</h1>", {"Retry-After": "1"})
        else:
            reply = HOSTS[url.netloc](question)
        raw = HTTPResponse(
            body=io.BytesIO(reply.body),
            status=reply.status,
            headers=reply.headers,
            preload_content=False,
        )
        return self._to_response.build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""
