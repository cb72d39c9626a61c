"""A project of Google Cloud that answers REST calls from a table, in the place of the network."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession
from requests.adapters import BaseAdapter

from fanfold.adapters.google.deployment import ProjectByRest

#: Status and body: a JSON document, bytes, or an exception that the transport raises.
Answer = tuple[int, Any]


class Token(Credentials):
    """Credentials that are made anew without asking anybody."""

    def refresh(self, _: Any) -> None:
        self.token = "t"


@dataclass
class FakeProject(BaseAdapter):
    """Answers by the URL's part behind ``https://``, with its query if that is in the table."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    timeouts: list[Any] = field(default_factory=list)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        url = str(request.url).removeprefix("https://")
        self.asked.append(f"{request.method} {url}")
        self.timeouts.append(options["timeout"])
        status, body = self.answers.get(url) or self.answers.get(
            url.partition("?")[0], (404, {"error": {"message": "nothing is here"}})
        )
        if isinstance(body, BaseException):
            raise body
        answer = requests.Response()
        answer.status_code = status
        answer._content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer.url = str(request.url)
        answer.request = request
        return answer

    def close(self) -> None:
        """Close nothing."""

    def looks(self, timeout_s: float = 30.0, project: str = "p") -> ProjectByRest:
        """Return the looks at this project."""
        make: Callable[..., Any] = AuthorizedSession
        credentials: Callable[..., Any] = Token
        session = make(credentials())
        session.mount("https://", self)
        return ProjectByRest(project, session, time.monotonic() + timeout_s)


def refusal(status: int, message: str) -> Answer:
    """Return what Google's services answer where they refuse."""
    return status, {"error": {"code": status, "message": message}}


def bindings(held: Mapping[str, list[str]]) -> Answer:
    """Return a policy as it is answered."""
    return 200, {"bindings": [{"role": role, "members": who} for role, who in held.items()]}
