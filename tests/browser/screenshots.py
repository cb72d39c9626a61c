"""``python -m tests.browser.screenshots FOLDER``: pictures of the pages, light and dark."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright
from tests.console.conftest import FIRST, Console, nightly
from tests.rendering.varieties import many, mixed_night
from tests.support import MovingClock, World, broken, ok
from werkzeug.serving import make_server

from fanfold.ports.ledger import DeadLetter
from fanfold.rendering import to_html

#: The widths of a phone and of a laptop, in px.
WIDTHS = (375, 1440)


def main(folder: Path) -> None:
    """Write a picture of each page to *folder*, by its name, width and colours."""
    folder.mkdir(parents=True, exist_ok=True)
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        pages = _reports(Path(scratch))
        console = Console(
            World(
                Path(scratch),
                configured=nightly("plu", "sirene", "dvf", "insee_contours"),
                clock=MovingClock(FIRST),
            )
        )
        server = make_server("127.0.0.1", 0, console.app)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        console.nights(20, sirene=ok(24_160), dvf=ok(31_874))
        run_id = console.night(plu=broken(500, retryable=False))
        console.world.ledger.park(
            DeadLetter("L1", "run-requests", "the message is no JSON", b"{", {}, FIRST)
        )
        address = f"http://127.0.0.1:{server.server_port}"
        pages |= {
            "home": address,
            "run": f"{address}/runs/{run_id}",
            "runs": f"{address}/runs",
            "collectors": f"{address}/collectors",
            "collector": f"{address}/collectors/plu",
            "dead-letters": f"{address}/dead-letters",
            "retry": f"{address}/runs/{run_id}/retry",
            "run-now": f"{address}/run",
            "pause": f"{address}/pause?collector=plu",
            "sign-in": f"{address}/sign-in",
        }
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for width in WIDTHS:
            for scheme in schemes:
                page = browser.new_page(
                    viewport={"width": width, "height": 900}, color_scheme=scheme
                )
                for name, url in pages.items():
                    page.goto(url)
                    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                page.close()
        browser.close()
        server.shutdown()
        console.world.close()


def _reports(scratch: Path) -> dict[str, str]:
    """Return the addresses of the pages of reports, by what they show."""
    found = {}
    for name, report in (("report-4", mixed_night()), ("report-300", many(300, 16, 1))):
        file = scratch / f"{name}.html"
        file.write_text(to_html(report), "utf-8")
        found[name] = file.as_uri()
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
