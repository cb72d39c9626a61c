"""A Google service of this machine: a gRPC server that speaks the real messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a service: takes a *request* message, returns an *answer* message.

    One that ``streams`` returns an iterator of them.
    """

    work: Callable[[Any, grpc.ServicerContext], Any]
    request: Any
    answer: Any
    streams: bool = False


@contextmanager
def grpc_service(name: str, methods: Mapping[str, Method]) -> Iterator[str]:
    """Yield ``host:port`` of a server of the service *name*, in full."""
    server = grpc.server(ThreadPoolExecutor(64))
    handlers = {
        key: (
            grpc.unary_stream_rpc_method_handler
            if method.streams
            else grpc.unary_unary_rpc_method_handler
        )(
            method.work,
            request_deserializer=method.request.deserialize,
            response_serializer=method.answer.serialize,
        )
        for key, method in methods.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
