"""One browser for all tests: Debian's Chromium, driven by Playwright.

``axe.min.js`` is axe-core 4.14.1 as npm has it, under the Mozilla Public License 2.0.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, sync_playwright
from tests.console.conftest import FIRST, Console
from tests.support import MovingClock, World
from werkzeug.serving import make_server

from fanfold.domain.model.collector import Catalogue

HERE = Path(__file__).parent

#: The widths of a phone, a tablet, a laptop and a large screen, in px.
WIDTHS = (375, 768, 1440, 1920)

_LOOK = (HERE / "look.js").read_text("utf-8")
_AXE = (HERE / "axe.min.js").read_text("utf-8")

#: What axe is asked: all of its rules; what it cannot decide is no violation.
_RUN_AXE = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(each => each.target)}`);
}"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-quic"],
        )
        yield chromium
        chromium.close()


class Seen:
    """A tab, and what happened in it that should not: errors, dialogs, refused requests."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.trouble: list[str] = []
        page.on("dialog", self._dismiss)
        page.on("pageerror", lambda error: self.trouble.append(f"error {error}"))
        page.on("requestfailed", lambda request: self.trouble.append(f"failed {request.url}"))
        page.on("console", self._listen)

    def _dismiss(self, dialog: Dialog) -> None:
        self.trouble.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _listen(self, told: ConsoleMessage) -> None:
        if told.type == "error":
            self.trouble.append(told.text)

    def looks(self, *widths: int) -> dict[int, list[str]]:
        """Return the complaints about how the page looks, by the width of the window in px."""
        found = {}
        for width in widths or WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            found[width] = self.page.evaluate(_LOOK)
        return {width: complaints for width, complaints in found.items() if complaints}

    def violations(self) -> dict[str, Any]:
        """Return the rules of axe that the page breaks, in light and in dark."""
        self.page.set_viewport_size({"width": 1440, "height": 900})
        self.page.evaluate(_AXE)
        found: dict[str, Any] = {}
        schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for scheme in schemes:
            self.page.emulate_media(color_scheme=scheme)
            found[scheme] = self.page.evaluate(_RUN_AXE)
        return {scheme: broken for scheme, broken in found.items() if broken}


@pytest.fixture
def seen(browser: Browser) -> Iterator[Seen]:
    context = browser.new_context()
    yield Seen(context.new_page())
    context.close()


@pytest.fixture
def served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[Console, str]]]:
    """Serve a console on a configuration; return it, and its address."""
    stops: list[Callable[[], None]] = []

    def serve(configured: Catalogue) -> tuple[Console, str]:
        world = World(tmp_path, configured=configured, clock=MovingClock(FIRST))
        console = Console(world)
        waited = world.clock.wait

        def wait(seconds: float) -> None:
            """Let the functions work while the console waits for them."""
            waited(seconds)
            world.settle()

        monkeypatch.setattr(world.clock, "wait", wait)
        server = make_server("127.0.0.1", 0, console.app, threaded=False)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        stops.extend([server.shutdown, thread.join, server.server_close, world.close])
        return console, f"http://127.0.0.1:{server.server_port}"

    yield serve
    for stop in stops:
        stop()
