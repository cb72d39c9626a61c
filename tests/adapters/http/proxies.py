"""A proxy on 127.0.0.1: it opens the way (CONNECT), or passes a plain request on."""

from __future__ import annotations

import contextlib
import socket
import threading

from tests.adapters.http.servers import Request, Talk


def passes_on(port: int, *, answer: bytes = b"HTTP/1.1 200 Open\r\nVia: x\r\n\r\n") -> Talk:
    """Return the talk of a proxy that takes every host for 127.0.0.1:*port*."""

    def talk(connection: socket.socket, request: Request) -> None:
        method, target, _ = request.line.split(" ")
        with socket.create_connection(("127.0.0.1", port), timeout=10) as onward:
            if method == "CONNECT":
                connection.sendall(answer)
                back = threading.Thread(target=_copy, args=(onward, connection), daemon=True)
                back.start()
                _copy(connection, onward)
                back.join(5)
                return
            path = "/" + target.split("/", 3)[3]
            head = [f"{method} {path} HTTP/1.1"]
            head += [f"{name}: {value}" for name, value in request.headers.items()]
            onward.sendall("\r\n".join([*head, "Connection: close", "", ""]).encode())
            onward.sendall(request.body)
            while block := onward.recv(65_536):
                connection.sendall(block)

    return talk


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(65_536):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
