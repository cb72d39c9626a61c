"""Patience: no target takes for ever, and a slow one gets one message at a time."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from fanfold.adapters.clock import SystemClock
from fanfold.adapters.notify.patience import Patience
from fanfold.adapters.notify.webhook import WebhookTarget
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.model.errors import TargetAway, TargetRefuses
from fanfold.messages import events


@pytest.fixture
def dripping() -> Iterator[str]:
    """Yield the URL of a server that sends a byte of its answer every 0.1 s, and never ends."""
    stop = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        server.settimeout(60)
        connection, _ = server.accept()
        connection.settimeout(None)
        with connection, suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not stop.wait(0.1):
                connection.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    stop.set()
    thread.join()
    server.close()


def test_a_target_that_drips_is_given_up_in_time(dripping: str) -> None:
    target = WebhookTarget(dripping, None, EnvironmentSecrets({}), SystemClock())
    sample = events.encode_sample(at=SystemClock().now())
    started = time.monotonic()
    with pytest.raises(TargetAway, match=r"notify\.webhook took no message within 0\.3 s"):
        Patience(0.3)(target.key, lambda: target.tell(sample))

    assert time.monotonic() - started < 2


def test_a_target_that_hangs_gets_no_second_message_and_keeps_no_other_waiting() -> None:
    patience, free, told = Patience(0.1), threading.Event(), list[str]()

    def hang() -> None:
        free.wait(10)

    with pytest.raises(TargetAway, match=r"notify\.to took no message within"):
        patience("to/1", hang)
    with pytest.raises(TargetAway, match="busy with an earlier message"):
        patience("to/1", lambda: told.append("to/1"))
    patience("to/2", lambda: told.append("to/2"))
    assert told == ["to/2"]

    free.set()
    for _ in range(100):
        try:
            patience("to/1", lambda: told.append("to/1"))
            break
        except TargetAway:
            time.sleep(0.01)
    assert told == ["to/2", "to/1"]


#: Sends a message to a service that never ends its answer, then ends.
_ENDS = """
import sys
from fanfold.adapters.notify.apprise import AppriseTarget
from fanfold.adapters.notify.patience import Patience
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.model.errors import TargetAway
from fanfold.domain.report.announcement import Announcement

target = AppriseTarget("to[0]", sys.argv[1], EnvironmentSecrets({}))
try:
    Patience(8)(target.key, lambda: target.say(Announcement("x", "y")))
except TargetAway as exc:
    print(exc)
"""


def test_the_process_ends_although_a_message_to_people_hangs(dripping: str) -> None:
    url = dripping.replace("http://", "json://")
    command = [sys.executable, "-W", "ignore", "-c", _ENDS, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "notify.to took no message within 8 s\n"


def test_what_a_target_raises_is_raised() -> None:
    def refuse() -> None:
        raise TargetRefuses("no: 403")

    with pytest.raises(TargetRefuses, match="no: 403"):
        Patience()("webhook/1", refuse)
