"""A console on a world whose nights a test lets pass, and what a browser would get from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.support import MovingClock, Says, World, catalogue, collector
from werkzeug.test import Client, TestResponse

from fanfold.console.access import WithToken
from fanfold.console.application import make_application
from fanfold.console.attempts import Attempts
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.console_rules import ConsoleRules
from fanfold.domain.model.request import RunRequest
from fanfold.messages import run_request
from fanfold.messages.topology import RUN_REQUESTS
from fanfold.views.slots import SlotsRead

#: The first slot: Thu 29 Oct 05:00 in Paris.
FIRST = datetime(2026, 10, 29, 4, 0, tzinfo=UTC)

CRON = "0 5 * * *"


@dataclass
class Console:
    """The application on a world, asked as a browser on this machine asks; open at first."""

    world: World
    unknown: tuple[str, ...] = ()
    rules: ConsoleRules = field(default_factory=lambda: ConsoleRules(open=True))
    token: str = "the-right-token"
    listens_on: str = "127.0.0.1"
    has_configuration: bool = True
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        parts = self.world.parts
        self.access = WithToken(
            lambda: self.token,
            lambda: self.rules,
            listens_on=self.listens_on,
            clock=parts.clock,
            attempts=Attempts(parts.clock, parts.log),
        )
        self.app = make_application(parts, self.access, place="here.db", slots=self.slots)
        self.client = Client(self.app)

    def slots(self) -> SlotsRead:
        return SlotsRead(self.world.configured if self.has_configuration else None, self.unknown)

    def get(self, path: str, status: int = 200, **given: Any) -> TestResponse:
        response = self.client.get(path, base_url="http://127.0.0.1:8080", **given)
        assert response.status_code == status, response.text[:3000]
        return response

    def post(self, path: str, status: int = 303, **form: Any) -> TestResponse:
        """Post *form* with the word of the page that has it, as a browser does."""
        found = re.search(r'name="word" value="([0-9a-f]+)"', self.client.get("/run").text)
        word = {"word": found[1]} if found else {}
        response = self.client.post(path, base_url="http://127.0.0.1:8080", data=word | form)
        assert response.status_code == status, response.text[:3000]
        return response

    def page(self, path: str, status: int = 200) -> Page:
        response = self.get(path, status)
        return Page(response.text)

    def night(self, **says: Says) -> str:
        """Let the next slot pass with what each collector *says*, and return its run's id."""
        clock = self.world.clock
        slot = datetime.combine(clock.at.date() + timedelta(days=1), FIRST.timetz())
        if clock.at < FIRST:
            slot = FIRST
        clock.at = slot
        for name, word in says.items():
            self.world.client.says(name, word)
        request = RunRequest(schedule="nightly")
        self.world.publish(RUN_REQUESTS, run_request.encode_run_request(request))
        self.world.live(600.0)
        return f"{slot:%Y-%m-%dT%H%MZ}-nightly"

    def nights(self, number: int, **says: Says) -> list[str]:
        return [self.night(**says) for _ in range(number)]


class Page(HTMLParser):
    """A page as it is read: ``text`` in one line, and every tag with its attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.tags: list[tuple[str, Mapping[str, str]]] = []
        self._texts: list[str] = []
        self.feed(source)
        self.text = " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self._texts.append(data)

    def links(self) -> list[str]:
        return [attrs["href"] for tag, attrs in self.tags if tag == "a" and "href" in attrs]

    def titles(self) -> list[str]:
        return [attrs["title"] for _, attrs in self.tags if "title" in attrs]


def nightly(*names: str, **changes: Any) -> Catalogue:
    made = catalogue(*(collector(name, cron=CRON, max_attempts=1) for name in names))
    return replace(made, timezone="Europe/Paris", **changes)


@pytest.fixture
def console_of(tmp_path: Path) -> Iterator[Callable[..., Console]]:
    """Make a console on a configuration, on a clock that stands before the first slot."""
    worlds: list[World] = []

    def make(configured: Catalogue) -> Console:
        clock = MovingClock(FIRST - timedelta(hours=1))
        folder = tmp_path / str(len(worlds))
        folder.mkdir()
        worlds.append(World(folder, configured=configured, clock=clock))
        return Console(worlds[-1])

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def console(console_of: Callable[..., Console]) -> Console:
    return console_of(nightly("plu", "sirene", "dvf"))
