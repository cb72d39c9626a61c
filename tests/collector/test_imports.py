"""What it costs to import the module that a collector is written with."""

from __future__ import annotations

import subprocess
import sys

#: Prints the modules that came with the import and are not the standard library's.
LOADED = (
    "import sys; before = set(sys.modules)\n"
    "import fanfold.collector\n"
    "came = {name for name in set(sys.modules) - before}\n"
    "own = {n for n in came if n.partition('.')[0] not in sys.stdlib_module_names}\n"
    "print(*sorted(own))\n"
)


def test_importing_it_loads_nothing_of_fanfolds_rest_and_no_other_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )

    loaded = done.stdout.split()
    assert "fanfold.collector.service" in loaded
    assert [name for name in loaded if not name.startswith("fanfold.collector")] == ["fanfold"]


def test_importing_it_opens_no_connection_and_no_file_of_its_own() -> None:
    code = (
        "import socket, urllib.request, http.client\n"
        "def no(*a, **k): raise AssertionError('I/O while importing')\n"
        "socket.socket.connect = socket.getaddrinfo = no\n"
        "import fanfold.collector\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_async_function_is_refused_at_once() -> None:
    code = "from fanfold.collector import collector\n@collector\nasync def dvf(call): ...\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "write def, not async def" in done.stderr
