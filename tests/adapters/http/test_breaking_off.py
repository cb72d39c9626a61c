"""A call under way can be broken off: by Ctrl-C, and by closing the client."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.adapters.http.calls import blocking_only, call, new_client
from tests.adapters.http.conftest import Serve
from tests.adapters.http.servers import says, sends

from fanfold.domain.protocol.findings import ReportedFigures

ROOT = Path(__file__).parents[3]

WAITS = """
import signal, sys
from tests.adapters.http.calls import call, new_client
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
print("ready", flush=True)
new_client().invoke(call(sys.argv[1], timeout_s=20))
"""


def test_ctrl_c_does_not_wait_for_the_collector() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with subprocess.Popen(
            [sys.executable, "-c", WAITS, url],
            cwd=ROOT,
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as waiting:
            assert waiting.stdout is not None
            assert waiting.stdout.readline() == "ready\n"
            with silent.accept()[0]:
                started = time.monotonic()
                waiting.send_signal(signal.SIGINT)
                _, errors = waiting.communicate(timeout=15)

    assert time.monotonic() - started < 5
    assert waiting.returncode == -signal.SIGINT
    assert errors.rstrip().endswith("KeyboardInterrupt")


@blocking_only
def test_a_closed_client_breaks_off_what_is_under_way_and_may_be_used_again(serve: Serve) -> None:
    asked = threading.Event()

    def never(*_: object) -> None:
        asked.set()
        threading.Event().wait(30)

    client = new_client()
    url = serve(never).url
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        under_way = pool.submit(client.invoke, call(url, timeout_s=20))
        assert asked.wait(5)
        client.close()
        reply = under_way.result(10)

    assert time.monotonic() - started < 6
    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("network", True)
    assert "was broken off here" in reply.failure.message
    answered = client.invoke(call(serve(says(200, {"records": 1})).url))
    assert answered.findings == ReportedFigures(records=1)


def test_calls_leave_no_descriptor_behind(serve: Serve) -> None:
    client = new_client()
    urls = [
        serve(says(200, {"records": 1})).url,
        serve(sends(b"garbage")).url,
        serve(says(200, b" " * 2_000_000)).url,
        "http://127.0.0.1:1/",
        "http://no-such-host.invalid/",
    ]
    for url in urls:
        client.invoke(call(url))
    client.close()
    before = _descriptors()

    for _ in range(5):
        for url in urls:
            client.invoke(call(url))
    client.close()
    until = time.monotonic() + 5
    while _descriptors() > before and time.monotonic() < until:
        time.sleep(0.05)  # the servers of this very process close theirs

    assert _descriptors() <= before


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
