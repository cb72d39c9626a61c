"""The collectors of docs/collectors.md, served as it says, and called by ``fanfold run``."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.collector.conftest import Folder
from tests.docs.documents import blocks

from fanfold.cli import main
from fanfold.devstack.processes import free_ports

#: What the documented collectors ask.
SOURCE = "https://geo.api.gouv.fr/departements"

#: How long a server may take until it answers, in seconds.
READY_S = 60.0

FUNCTIONS = ("-m", "functions_framework", "--target", "communes", "--source", "main.py")
UVICORN = ("-m", "uvicorn", "--no-access-log", "main:app")
FLASK = ("-m", "flask", "--app", "main", "run")

#: A plain WSGI server of the standard library, for a callable of main.py.
WSGI = (
    "import sys\n"
    "from wsgiref.simple_server import make_server\n"
    "import main\n"
    "make_server('127.0.0.1', int(sys.argv[1]), main.application).serve_forever()\n"
)

#: The CGI of a web server, as far as it is needed: the script's ``Status`` becomes the answer's.
CGI = (
    "import os, subprocess\n"
    "def application(environ, start_response):\n"
    "    size = int(environ['CONTENT_LENGTH'] or 0)\n"
    "    env = {'PATH': os.environ['PATH'], 'CONTENT_LENGTH': str(size)}\n"
    "    done = subprocess.run(['sh', 'communes.cgi'], env=env, check=True,\n"
    "                          input=environ['wsgi.input'].read(size), capture_output=True)\n"
    "    head, _, body = done.stdout.partition(b'\\r\\n\\r\\n')\n"
    "    headers = [line.split(': ', 1) for line in head.decode().splitlines()]\n"
    "    status = next((text for name, text in headers if name == 'Status'), '200 OK')\n"
    "    start_response(status, [tuple(each) for each in headers if each[0] != 'Status'])\n"
    "    return [body]\n"
)


class _Source(http.server.BaseHTTPRequestHandler):
    """Knows two départements; of any other it says 503."""

    communes: ClassVar = {"90": 101, "25": 4}

    def do_GET(self) -> None:
        count = self.communes.get(self.path.split("/")[2], 0)
        named = [{"nom": f"C{number}", "code": f"{number:05}"} for number in range(count)]
        body = json.dumps(named).encode()
        self.send_response(200 if count else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def source() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Source)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/departements"
    server.shutdown()
    server.server_close()


@pytest.fixture
def serve(tmp_path: Path, source: str) -> Iterator[Callable[..., str]]:
    """Serve a block of the page with a command of Python's, and give its address."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(mark: str, *command: str, file: str = "main.py", more: str = "") -> str:
        served = tmp_path / "served"
        served.mkdir()
        (text,) = (each.text for each in blocks("docs/collectors.md") if mark in each.text)
        assert SOURCE in text
        served.joinpath(file).write_text(text.replace(SOURCE, source) + more, "utf-8")
        (port,) = free_ports(1)
        where = [str(port)] if command[0] == "-c" else ["--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen([sys.executable, *command, *where], cwd=served)
        started.append(process)
        await_answer(f"http://127.0.0.1:{port}/", process)
        return f"http://127.0.0.1:{port}/"

    yield begin
    for each in started:
        each.terminate()
        each.wait(timeout=30)


def await_answer(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.05)
        else:
            return


def test_the_twelve_lines_are_twelve() -> None:
    (text,) = (each.text for each in blocks("docs/collectors.md") if "@collector" in each.text)
    assert len([line for line in text.splitlines() if line.strip()]) == 12


def test_the_twelve_lines_run_under_functions_framework_and_are_called_by_fanfold_run(
    serve: Callable[..., str], folder: Folder
) -> None:
    address = serve("@collector", *FUNCTIONS)

    code, entry = folder.run(address, params={"codes": ["90", "25"]})
    assert (code, entry["status"], entry["records"]) == (0, "succeeded", 105)

    code, entry = folder.run(address, params={"codes": ["90", "01"]})
    assert (code, entry["status"]) == (1, "failed")
    assert entry["error"] == "HTTP 503: 127.0.0.1 answered 503"

    code, entry = folder.run(address)
    assert entry["error_kind"] == "bad_params"
    assert entry["error"] == "HTTP 400: params has no 'codes'"

    assert probed(folder, address) == (0, "✓ communes succeeded: 105 records")
    assert probed(folder, address, "--conformance") == (
        0,
        "✓ communes keeps the contract: 12 passed",
    )


def test_the_twelve_lines_are_a_plain_wsgi_application(
    serve: Callable[..., str], folder: Folder
) -> None:
    address = serve("@collector", "-c", WSGI, more="\napplication = communes\n")

    code, entry = folder.run(address, params={"codes": ["90"]})

    assert (code, entry["records"]) == (0, 101)


@pytest.mark.parametrize(
    ("mark", "command"),
    [
        pytest.param("flask.Flask", FLASK, id="Flask"),
        pytest.param("FastAPI()", UVICORN, id="FastAPI"),
    ],
)
def test_the_same_in_a_framework(
    serve: Callable[..., str], folder: Folder, mark: str, command: tuple[str, ...]
) -> None:
    address = serve(mark, *command)

    code, entry = folder.run(address, params={"codes": ["90", "25"]})
    assert (code, entry["records"]) == (0, 105)

    code, entry = folder.run(address, params={"codes": ["01"]})
    assert (code, entry["error"]) == (1, "HTTP 503: geo.api.gouv.fr answered 503")

    code, verdict = probed(folder, address, "--conformance")
    assert (code, verdict.partition(":")[0]) == (0, "✓ communes keeps the contract")


@pytest.mark.needs("curl")
def test_the_same_as_a_shell_script_behind_a_cgi(serve: Callable[..., str], folder: Folder) -> None:
    begin = WSGI.replace("import main\n", CGI).replace("main.application", "application")
    address = serve("#!/bin/sh", "-c", begin, file="communes.cgi")

    code, entry = folder.run(address, params={"codes": ["90"]})
    assert (code, entry["records"]) == (0, 101)

    code, entry = folder.run(address, params={"codes": ["01"]})
    assert (code, entry["error"]) == (1, "HTTP 503: geo.api.gouv.fr did not answer")

    code, entry = folder.run(address)
    assert (code, entry["error_kind"]) == (1, "bad_params")

    code, verdict = probed(folder, address, "--conformance", codes=["90"])
    assert (code, verdict.partition(":")[0]) == (0, "✓ communes keeps the contract")


def probed(
    folder: Folder, address: str, *options: str, codes: Sequence[str] = ("90", "25")
) -> tuple[int, str]:
    """Probe the collector at *address*; return the exit code, and the verdict without its time."""
    folder.capture.readouterr()
    code = main(["probe", address, "--param", f"codes={json.dumps(codes)}", *options])
    printed = folder.capture.readouterr()
    return code, printed.out.splitlines()[-1].partition("   ")[0]
