"""Counts the files of src/fanfold that one run request touches: ``python -m tools.files_touched``.

A file counts if a function of its own is called between the moment when the request is published
and the moment when report.html is written and announced, in any thread of a service on the embedded
backend with one collector. What happens while a module is imported does not count, nor what only
housekeeping does: the request is made several times in a warm service, and only files that every
time touched are counted. ``-v`` lists them.
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from fanfold.domain.model.request import RunRequest
from fanfold.messages.run_request import encode_run_request
from fanfold.messages.topology import RUN_REQUESTS
from fanfold.runtime.embedded import embedded_parts
from fanfold.runtime.service import embedded_service
from fanfold.settings import Settings

#: The package, whose files are counted.
PACKAGE = Path(sys.modules["fanfold"].__file__ or "").parent

#: How often the request is made: once to warm the service up, then to be counted.
REQUESTS = 5

#: Longest wait for one report, in seconds.
PATIENCE_S = 60.0


class Recorder:
    """Notes the files whose functions are called while it is on. Tracing slows all threads."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.is_on = False

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Note the file of *frame*, as :func:`sys.settrace` asks."""
        path = frame.f_code.co_filename
        is_ours = self.is_on and event == "call" and path.startswith(f"{PACKAGE}/")
        if is_ours and path not in self.files and not _is_import(frame):
            self.files.add(path)


def _is_import(frame: FrameType) -> bool:
    """Return whether *frame* runs because a module of the package is being imported."""
    at: FrameType | None = frame
    while at is not None:
        if at.f_code.co_name == "<module>" and at.f_code.co_filename.startswith(f"{PACKAGE}/"):
            return True
        at = at.f_back
    return False


def touched() -> tuple[str, ...]:
    """Return the files that a run request touches, as paths in the package, in order."""
    recorder = Recorder()
    threading.settrace(recorder)
    with tempfile.TemporaryDirectory() as folder, _collector() as url:
        counted: Counter[str] = Counter()
        try:
            for files in _requests(Path(folder), url, recorder):
                counted.update(files)
        finally:
            threading.settrace(None)
    always = [path for path, times in counted.items() if times == REQUESTS - 1]
    return tuple(sorted(os.path.relpath(path, PACKAGE) for path in always))


def _requests(folder: Path, url: str, recorder: Recorder) -> Iterator[set[str]]:
    """Give the files that each request touches, but for the first, which loads what is lazy."""
    scheduler = {"collectors": {"stub": {"url": url, "auth": "none"}}}
    document = {"version": 2, "scheduler": scheduler, "report": {"folder": str(folder / "reports")}}
    folder.joinpath("config.yaml").write_text(json.dumps(document), "utf-8")
    settings = Settings(config=folder / "config.yaml", database=folder / "fanfold.db")
    parts, owner = embedded_parts(settings, {}, log=lambda *_, **__: None)
    service = embedded_service(parts, owner, max_concurrent=1, schedules=False, listen=None)
    service.start()
    try:
        for number in range(REQUESTS):
            run_id = f"request-{number}"
            recorder.files = set()
            parts.bus.publish(RUN_REQUESTS, [encode_run_request(RunRequest(run_id=run_id))])
            recorder.is_on = number > 0
            until = time.monotonic() + PATIENCE_S
            while (run := parts.ledger.run(run_id)) is None or run.announced_at is None:
                if time.monotonic() > until:
                    raise TimeoutError(f"{run_id} has no report")
                time.sleep(0.02)
            recorder.is_on = False
            if run.report is None or not Path(run.report).is_file():
                raise FileNotFoundError(f"{run_id} has no page: {run.about}")
            if number:
                yield recorder.files
    finally:
        service.stop()
        parts.ledger.close()


class _Stub(http.server.BaseHTTPRequestHandler):
    """Answers each call with a record count."""

    def do_POST(self) -> None:
        """Answer as a collector does."""
        self.rfile.read(int(self.headers["Content-Length"]))
        content = b'{"records": 42}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def _collector() -> Iterator[str]:
    """Give the address of a collector on this machine until the end of the block."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Stub)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def main(arguments: list[str]) -> int:
    """Print the number of files, and with ``-v`` their names."""
    parser = argparse.ArgumentParser(prog="python -m tools.files_touched", description=__doc__)
    parser.add_argument("-v", "--verbose", action="store_true", help="list the files")
    options = parser.parse_args(arguments)
    files = touched()
    if options.verbose:
        print("\n".join(files))
    print(f"{len(files)} files of src/fanfold are touched by one run request")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
