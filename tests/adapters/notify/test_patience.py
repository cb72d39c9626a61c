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
    ended = Patience(0.3)({target.key: lambda: target.tell(sample)})

    assert str(ended[target.key]) == "notify.webhook took no message within 0.3 s"
    assert isinstance(ended[target.key], TargetAway)
    assert time.monotonic() - started < 2


def test_a_target_that_hangs_gets_no_second_message_and_keeps_no_other_waiting() -> None:
    patience, free, told = Patience(0.3), threading.Event(), list[str]()

    def hang() -> None:
        free.wait(20)
        told.append("late")

    well = {"to/2": lambda: told.append("to/2")}
    first = patience({"to/1": hang, **well})
    assert "took no message within" in str(first["to/1"])
    assert (first["to/2"], told) == (None, ["to/2"])
    again = patience({"to/1": lambda: told.append("again"), **well})
    assert isinstance(again["to/1"], TargetAway)
    assert told == ["to/2", "to/2"]

    free.set()
    while "late" not in told:
        time.sleep(0.01)
    assert Patience(20)({"to/1": lambda: told.append("free")}) == {"to/1": None}
    assert (told[2], told[-1]) == ("late", "free")


#: Sends a message to a service that never ends its answer, then ends.
_ENDS = """
import sys
from fanfold.adapters.notify.apprise import AppriseTarget
from fanfold.adapters.notify.patience import Patience
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.report.announcement import Announcement

target = AppriseTarget("to[0]", sys.argv[1], EnvironmentSecrets({}))
print(Patience(8)({target.key: lambda: target.say(Announcement("x", "y"))})[target.key])
"""


def test_the_process_ends_although_a_message_to_people_hangs(dripping: str) -> None:
    url = dripping.replace("http://", "json://")
    command = [sys.executable, "-W", "ignore", "-c", _ENDS, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "notify.to took no message within 8 s\n"


def test_what_a_target_raises_is_given_back() -> None:
    why = TargetRefuses("no: 403")

    def refuse() -> None:
        raise why

    assert Patience()({"webhook/1": refuse}) == {"webhook/1": why}
