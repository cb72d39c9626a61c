"""The collectors of the benchmarks: one fast HTTP server that answers every POST, some slowly.

``python -m bench.stub`` prints its port and serves until its input closes.
"""

from __future__ import annotations

import asyncio
import sys
from urllib.parse import parse_qs, urlsplit

_BODY = b'{"records": 5, "bytes": 100}'
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    + str(len(_BODY)).encode()
    + b"\r\n\r\n"
    + _BODY
)


class Stub(asyncio.Protocol):
    """Answers each request on a kept-alive connection after the ``ms`` that its query names."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection's transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = b""
        self.sent_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Answer every whole request that has arrived."""
        self.received += data
        while True:
            head, found, rest = self.received.partition(b"\r\n\r\n")
            if not found:
                return
            length = _content_length(head)
            if len(rest) < length:
                return
            self.received = rest[length:]
            asked = parse_qs(urlsplit(head.split(b" ", 2)[1].decode()).query)
            delay_ms = float(asked.get("ms", ["0"])[0])
            if "hostile" in asked:
                self._be_hostile(asked["hostile"][0])
            elif delay_ms:
                asyncio.get_running_loop().call_later(delay_ms / 1000, self._answer)
            else:
                self._answer()

    def _be_hostile(self, kind: str) -> None:
        """Never end an answer: say nothing, drip, flood to just under the cap, or lie of a length.

        *kind* is ``hang``, ``drip``, ``flood`` or ``lie``.
        """
        if kind == "hang" or self.transport.is_closing():
            return
        if kind == "lie":
            self.transport.write(_ANSWER.replace(b"Content-Length: ", b"Content-Length: 99"))
            return
        if not self.sent_bytes:
            self.transport.write(_ANSWER.partition(b"Content-Length")[0] + b"\r\n")
        block = b"x" if kind == "drip" else b"x" * 65_536
        if self.sent_bytes + len(block) < 1_000_000:
            self.transport.write(block)
            self.sent_bytes += len(block)
        asyncio.get_running_loop().call_later(0.02, self._be_hostile, kind)

    def _answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_ANSWER)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def serve() -> None:
    """Serve on a free loopback port until the input closes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Stub, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
