"""A process without a free file descriptor: its calls wait, and no collector is blamed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.adapters.http.calls import FORM
from tests.adapters.http.conftest import Serve
from tests.adapters.http.servers import says

ROOT = Path(__file__).parents[3]

STARVED = """
import os, resource, sys, threading
from tests.adapters.http import calls
from tests.adapters.http.calls import call, new_client
url, frees = sys.argv[1], sys.argv[2] == "frees"
calls.FORM.append(getattr(calls, sys.argv[3]))
client = new_client()
client.invoke(call("http://127.0.0.1:1/"))
if sys.argv[3] != "LoopClient":  # a loop has its own descriptors from its start
    client.close()
held = []
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
try:
    while True:
        held.append(os.dup(0))
except OSError:
    pass
def free():
    for each in held:
        os.close(each)
if frees:
    threading.Timer(0.6, free).start()
reply = client.invoke(call(url, timeout_s=8 if frees else 1.0))
print(reply.findings.records if reply.findings else repr(reply.failure))
sys.stdout.flush()
os._exit(0)
"""


def _says(url: str, *, frees: bool) -> str:
    return subprocess.run(
        [sys.executable, "-c", STARVED, url, "frees" if frees else "never", FORM[-1].__name__],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_a_call_waits_until_there_is_one(serve: Serve) -> None:
    server = serve(says(200, {"records": 5}))

    assert _says(server.url, frees=True) == "5\n"
    assert len(server.requests) == 1


def test_a_call_that_gets_none_may_be_tried_again_and_says_what_to_do(serve: Serve) -> None:
    server = serve(says(200, {"records": 5}))

    told = _says(server.url, frees=False)

    assert "no free file descriptor" in told
    assert "ulimit -n" in told
    assert "retryable=True" in told
    assert server.requests == []
