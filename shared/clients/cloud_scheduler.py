"""Cloud Scheduler by Google's own client: switching jobs of ``services.yaml`` on and off.

``FULCRUM_SCHEDULER_ENDPOINT`` names a stand-in. One client for each event loop, made at the first call. A
function that uses it has ``schedules`` among its stores, ``google-cloud-scheduler`` in its requirements.

Jobs go by their short names. Transient where the service cannot be asked, or does not say.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from shared import names
from shared.clients.channel import Opened
from shared.config import settings
from shared.errors import Transient

_SECONDS = 10.0


async def _open(emulator: str) -> Any:
    from google.cloud.scheduler_v1 import CloudSchedulerAsyncClient
    from google.cloud.scheduler_v1.services.cloud_scheduler.transports import (
        CloudSchedulerGrpcAsyncIOTransport,
    )

    if not emulator:
        return CloudSchedulerAsyncClient()
    import grpc.aio

    channel = grpc.aio.insecure_channel(emulator)
    return CloudSchedulerAsyncClient(transport=CloudSchedulerGrpcAsyncIOTransport(channel=channel))


_opened = Opened(_open)


async def close() -> None:
    """Close the client of the running loop, if it has one."""
    if (client := await _opened.take()) is not None:
        await client.transport.close()


async def exists(job: str) -> bool:
    """Whether there is such a job."""
    return await _call("get_job", job) != "NOT_FOUND"


async def pause(job: str) -> bool:
    """Switch a job off; one that is off stays so. False where there is none."""
    return await _switch("pause_job", job)


async def resume(job: str) -> bool:
    """Switch a job on; one that is on stays so. False where there is none."""
    return await _switch("resume_job", job)


async def _switch(method: str, job: str) -> bool:
    # FAILED_PRECONDITION: it is in the state that is asked for.
    return await _call(method, job) != "NOT_FOUND"


async def _call(method: str, job: str) -> str:
    """Empty, or the name of the status that says how it is with the job already."""
    from google.api_core.exceptions import GoogleAPICallError, RetryError

    client = await _opened.get(settings().scheduler_endpoint)
    call: Callable[..., Awaitable[Any]] = getattr(client, method)
    try:
        await call(name=names.job(job), timeout=_SECONDS)
    except RetryError as error:
        raise Transient(f"{method}: {error}") from error
    except GoogleAPICallError as error:
        status = error.grpc_status_code.name if error.grpc_status_code is not None else ""
        if status in ("NOT_FOUND", "FAILED_PRECONDITION"):
            return str(status)
        # Of such a call nothing but the deployment can be wrong: a permission, a place.
        raise Transient(f"{method}: {error.message}") from error
    return ""
