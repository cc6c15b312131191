"""Google's own clients of Cloud Functions, and of Cloud Run, which holds who may call a function.

Imported at the first need (0.4 s of CPU), on channels of the running event loop: to Google with the default
credentials, or to the stand-in that ``FULCRUM_FUNCTIONS_ENDPOINT`` names, which serves both.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from shared.clients.channel import Opened, open_channel
from shared.config import settings

_FUNCTIONS_HOST = "cloudfunctions.googleapis.com"
_RUN_HOST = "run.googleapis.com"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


class Clients(NamedTuple):
    """``functions_v2.FunctionServiceAsyncClient`` and ``run_v2.ServicesAsyncClient``, and their channels."""

    functions: Any
    run: Any
    channels: tuple[Any, ...]


def _import() -> tuple[Any, ...]:
    import google.cloud.functions_v2 as functions_v2
    import google.cloud.run_v2 as run_v2
    from google.cloud.functions_v2.services.function_service import transports as function_transports
    from google.cloud.run_v2.services.services import transports as run_transports

    return functions_v2, run_v2, function_transports, run_transports


async def _open(endpoint: str) -> Clients:
    # Beside the loop: other deliveries go on meanwhile.
    functions_v2, run_v2, function_transports, run_transports = await asyncio.to_thread(_import)
    of_functions = await open_channel(endpoint, _FUNCTIONS_HOST, _SCOPES)
    of_run = await open_channel(endpoint, _RUN_HOST, _SCOPES)
    return Clients(
        functions_v2.FunctionServiceAsyncClient(
            transport=function_transports.FunctionServiceGrpcAsyncIOTransport(channel=of_functions)
        ),
        run_v2.ServicesAsyncClient(transport=run_transports.ServicesGrpcAsyncIOTransport(channel=of_run)),
        (of_functions, of_run),
    )


_opened = Opened(_open)


async def clients() -> Clients:
    """The clients of the running loop; Transient if there are no credentials now."""
    return await _opened.get(settings().functions_endpoint, 30.0)


async def close() -> None:
    """Close the channels of the running loop, if it has any."""
    if (opened := await _opened.take()) is not None:
        for channel in opened.channels:
            await channel.close()
