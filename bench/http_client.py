"""What one call to a collector costs: CPU of the caller, side by side with plain requests.

    python bench/http_client.py [CALLS]

A tiny collector in a process of its own answers at once on loopback. Each way makes the same POST
with the same headers and reads the same JSON; the best of five rounds is printed, for CPU time is
disturbed upwards only.
"""

from __future__ import annotations

import json
import multiprocessing
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import requests

from fanfold.adapters.http.client import CurlCollectorClient
from fanfold.adapters.http.credentials import CollectorCredentials
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.model.collector import Auth, AuthKind, CollectorSpec
from fanfold.domain.protocol.contract import Call, request_body, request_headers

ANSWER = b'{"records": 31874, "bytes": 4194304, "revision": "2026-10"}'
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: bench\r\n"
    b"Date: Mon, 23 Nov 2026 02:15:00 GMT\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)
)
ROUNDS = 5


def collector(ports: Any) -> None:
    """Answer every request on every connection, at once, for ever."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    ports.put(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=converse, args=(connection,), daemon=True).start()


def converse(connection: socket.socket) -> None:
    """Answer each request that ends in the closing brace of its JSON body."""
    pending = b""
    while received := connection.recv(65_536):
        pending += received
        if b"\r\n\r\n{" in pending and pending.endswith(b"}"):
            connection.sendall(RESPONSE)
            pending = b""


def cpu_ms(act: Callable[[], Any], calls: int) -> float:
    """Return the CPU time of one *act* in this process, in milliseconds."""
    for _ in range(20):
        act()
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(calls):
            act()
        rounds.append((time.process_time() - start) / calls * 1000)
    return min(rounds)


def main(calls: int) -> None:
    """Print one line for each way of calling."""
    ports: Any = multiprocessing.Queue()
    server = multiprocessing.Process(target=collector, args=(ports,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ports.get(timeout=10)}/collect"

    auth = Auth(AuthKind.BEARER, {"Authorization": "Bearer ${TOKEN}"})
    spec = CollectorSpec("dvf", url, auth=auth, params={"departements": ["35"]})
    call = Call(spec, "2026-11-23T0215Z-nightly", 1, datetime.now(UTC), 30.0)
    secrets = EnvironmentSecrets({"TOKEN": "not-a-real-token"})
    client = CurlCollectorClient(CollectorCredentials(secrets), secrets, {})
    session = requests.Session()
    headers = request_headers(call) | {"Authorization": "Bearer not-a-real-token"}

    def post(send: Callable[..., requests.Response]) -> None:
        send(url, data=json.dumps(request_body(call)), headers=headers, timeout=30).json()

    def sixteen() -> None:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(client.invoke, [call] * calls))

    ways = {
        "requests.post": cpu_ms(lambda: post(requests.post), calls // 4),
        "requests.Session.post": cpu_ms(lambda: post(session.post), calls),
        "fanfold": cpu_ms(lambda: client.invoke(call), calls),
        "fanfold, 16 threads": cpu_ms(sixteen, 1) / calls,
    }
    whole = ways["requests.Session.post"]
    for way, each_ms in ways.items():
        print(f"{way:24} {each_ms:6.3f} ms of CPU a call   {each_ms / whole:5.2f} x Session.post")
    server.terminate()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
