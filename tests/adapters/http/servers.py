"""Collectors on 127.0.0.1 that do exactly what a test says, down to the byte."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Request:
    """One request as it arrived; header names in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int

    def json(self) -> Any:
        return json.loads(self.body)


#: Answers one request on a socket. Returning True keeps the connection for the next one.
Talk = Callable[[socket.socket, Request], object]


@dataclass
class Server:
    """A listening socket and what came in."""

    talk: Talk
    requests: list[Request] = field(default_factory=list)
    connections: list[socket.socket] = field(default_factory=list)
    wrap: Callable[[socket.socket], socket.socket] | None = None

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/collect"
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.thread.join(5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                args = (connection, len(self.connections))
                threading.Thread(target=self._serve, args=args, daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self.wrap is not None:
                connection = self.wrap(connection)
            with connection, connection.makefile("rb") as lines:
                for request in _requests(lines, number):
                    self.requests.append(request)
                    if self.talk(connection, request) is not True:
                        break


def _requests(lines: Any, number: int) -> Iterator[Request]:
    while line := lines.readline().decode("latin-1").strip():
        headers = {}
        while pair := lines.readline().decode("latin-1").strip():
            name, _, value = pair.partition(":")
            headers[name.lower()] = value.strip()
        body = lines.read(int(headers.get("content-length", 0)))
        yield Request(line, headers, body, number)


def response(status: int = 200, body: bytes | Any = b"", **headers: str) -> bytes:
    """Return a whole HTTP response; *body* that is not bytes is sent as JSON."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("Content_Type", "application/json")
    headers.setdefault("Content_Length", str(len(body)))
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def says(status: int = 200, body: bytes | Any = b"", **headers: str) -> Talk:
    """Return a talk that gives the same answer to every request and keeps the connection."""
    whole = response(status, body, **headers)

    def talk(connection: socket.socket, _: Request) -> bool:
        connection.sendall(whole)
        return True

    return talk


def sends(*parts: bytes, pause_s: float = 0.0, repeat: int = 1) -> Talk:
    """Return a talk that sends *parts*, *repeat* times, with pauses, and then hangs up."""
    pause = threading.Event()

    def talk(connection: socket.socket, _: Request) -> None:
        for _round in range(repeat):
            for part in parts:
                connection.sendall(part)
                pause.wait(pause_s)

    return talk
