"""Google's own clients of Cloud Functions, and of Cloud Run, which holds who may call a function.

Imported at the first need, on channels of the running event loop: to Google with the default credentials, or
to the stand-in that ``FULCRUM_FUNCTIONS_ENDPOINT`` names, which serves both.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from shared.clients.channel import Opened, open_channel
from shared.config import settings

_FUNCTIONS_HOST = "cloudfunctions.googleapis.com"
_RUN_HOST = "run.googleapis.com"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_OPEN_SECONDS = 30.0


class _Client(NamedTuple):
    """A client and its channel."""

    client: Any
    channel: Any


def _functions(channel: Any) -> Any:
    import google.cloud.functions_v2 as functions_v2
    from google.cloud.functions_v2.services.function_service import transports

    transport = transports.FunctionServiceGrpcAsyncIOTransport(channel=channel)
    return functions_v2.FunctionServiceAsyncClient(transport=transport)


def _run(channel: Any) -> Any:
    import google.cloud.run_v2 as run_v2
    from google.cloud.run_v2.services.services import transports

    return run_v2.ServicesAsyncClient(transport=transports.ServicesGrpcAsyncIOTransport(channel=channel))


def _import_functions() -> None:
    # Google's base looks for aiohttp, for a transport that is not used here. Where it is installed, as it is
    # beside the local stack, importing it takes as long as all the rest.
    missing = "aiohttp" not in sys.modules
    if missing:
        sys.modules["aiohttp"] = None  # type: ignore[assignment]  # what import takes for "is not there"
    try:
        import google.cloud.functions_v2  # noqa: F401 for what it costs
    finally:
        if missing:
            del sys.modules["aiohttp"]


def _import_run() -> None:
    import google.cloud.run_v2  # noqa: F401 for what it costs


async def _open(endpoint: str, host: str, load: Callable[[], None], make: Callable[[Any], Any]) -> _Client:
    # Beside the loop: other deliveries go on meanwhile.
    await asyncio.to_thread(load)
    channel = await open_channel(endpoint, host, _SCOPES)
    return _Client(make(channel), channel)


_of_functions = Opened(lambda at: _open(at, _FUNCTIONS_HOST, _import_functions, _functions))
_of_run = Opened(lambda at: _open(at, _RUN_HOST, _import_run, _run))


async def functions() -> Any:
    """``functions_v2.FunctionServiceAsyncClient`` of the running loop; Transient without credentials."""
    return (await _of_functions.get(settings().functions_endpoint, _OPEN_SECONDS)).client


async def run() -> Any:
    """``run_v2.ServicesAsyncClient`` of the running loop; Transient without credentials."""
    return (await _of_run.get(settings().functions_endpoint, _OPEN_SECONDS)).client


async def close() -> None:
    """Close the channels of the running loop, if it has any."""
    for opened in (_of_functions, _of_run):
        if (found := await opened.take()) is not None:
            await found.channel.close()
