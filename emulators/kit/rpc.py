"""gRPC services from plain handlers: faults, counts, status codes and UNIMPLEMENTED in one place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from emulators.kit.faults import Faults, InjectedFault


class StatusError(Exception):
    """An answer other than OK, with the code and message that the real service gives."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Unary:
    """A method with one request and one answer. ``request`` is the raw protobuf class."""

    request: Any
    handler: Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True)
class ServerStream:
    """A method that answers with a stream."""

    request: Any
    handler: Callable[[Any], AsyncIterator[Any]]


@dataclass(frozen=True)
class BidiStream:
    """A method with streams both ways.

    The handler applies the faults of the single requests itself, where that has a meaning; opening
    the stream counts as one call.
    """

    request: Any
    handler: Callable[[AsyncIterator[Any], grpc.aio.ServicerContext[Any, Any]], AsyncIterator[Any]]


Method = Unary | ServerStream | BidiStream


class Service(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # not generic at run time
    """One gRPC service. A method that is not in ``methods`` answers UNIMPLEMENTED, by name."""

    def __init__(self, name: str, methods: dict[str, Method], faults: Faults) -> None:
        self._name = name
        self._prefix = f"/{name}/"
        self._handlers = {key: _wrap(key, method, faults) for key, method in methods.items()}

    def service(self, handler_call_details: Any) -> Any:
        path: str = handler_call_details.method
        if not path.startswith(self._prefix):
            return None
        method = path[len(self._prefix) :]
        return self._handlers.get(method) or _unimplemented(f"{self._name}.{method}")


class Unknown(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # not generic at run time
    """What answers for services that an emulator has not: UNIMPLEMENTED, by name."""

    def service(self, handler_call_details: Any) -> Any:
        return _unimplemented(handler_call_details.method.strip("/").replace("/", "."))


async def _fail(context: Any, error: Exception) -> None:
    if isinstance(error, StatusError):
        await context.abort(error.code, error.message)
    elif isinstance(error, InjectedFault):
        await context.abort(grpc.StatusCode[error.code], str(error))
    else:
        raise error


def _wrap(name: str, method: Method, faults: Faults) -> Any:
    if isinstance(method, Unary):
        return _wrap_unary(name, method, faults)
    if isinstance(method, ServerStream):
        return _wrap_server_stream(name, method, faults)
    return _wrap_bidi(name, method, faults)


def _wrap_unary(name: str, method: Unary, faults: Faults) -> Any:
    async def call(request: Any, context: Any) -> Any:
        try:
            await faults.before(name)
            answer = await method.handler(request)
            faults.after(name)
        except (StatusError, InjectedFault) as error:
            await _fail(context, error)
        else:
            return answer

    return grpc.unary_unary_rpc_method_handler(
        call, request_deserializer=method.request.FromString, response_serializer=_serialize
    )


def _wrap_server_stream(name: str, method: ServerStream, faults: Faults) -> Any:
    async def call(request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            await faults.before(name)
            async for answer in method.handler(request):
                yield answer
            faults.after(name)
        except (StatusError, InjectedFault) as error:
            await _fail(context, error)

    return grpc.unary_stream_rpc_method_handler(
        call, request_deserializer=method.request.FromString, response_serializer=_serialize
    )


def _wrap_bidi(name: str, method: BidiStream, faults: Faults) -> Any:
    async def call(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        try:
            async for answer in method.handler(requests, context):
                yield answer
        except (StatusError, InjectedFault) as error:
            await _fail(context, error)

    return grpc.stream_stream_rpc_method_handler(
        call, request_deserializer=method.request.FromString, response_serializer=_serialize
    )


def _serialize(message: Any) -> bytes:
    return bytes(message.SerializeToString())


def _unimplemented(name: str) -> Any:
    async def call(request: Any, context: Any) -> None:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{name} is not implemented by Fulcrum's emulator")

    return grpc.unary_unary_rpc_method_handler(call)
