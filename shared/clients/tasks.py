"""Cloud Tasks by Google's own client: tasks that post JSON to a function at an instant, each name once.

``FULCRUM_TASKS_ENDPOINT`` names a stand-in. In the cloud a task bears a token of the service account in
``TASKS_SERVICE_ACCOUNT``, so that the function lets nobody else in. One client for each event loop, made at
the first call.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from shared import names
from shared.clients.channel import Opened
from shared.config import settings
from shared.errors import Transient

_SECONDS = 10.0


class Task(NamedTuple):
    """A request to make at ``time`` (epoch ms): JSON ``body`` to ``url``. ``id``: its name in the queue."""

    id: str
    url: str
    body: bytes
    time: int


async def _open(emulator: str) -> Any:
    from google.cloud.tasks_v2 import CloudTasksAsyncClient
    from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport

    if not emulator:
        return CloudTasksAsyncClient()
    import grpc.aio

    channel = grpc.aio.insecure_channel(emulator)
    return CloudTasksAsyncClient(transport=CloudTasksGrpcAsyncIOTransport(channel=channel))


_opened = Opened(_open)


async def close() -> None:
    """Close the client of the running loop, if it has one."""
    if (client := await _opened.take()) is not None:
        await client.transport.close()


async def create(queue: str, task: Task) -> bool:
    """Make a task; False where one of its name is there, or was lately. Transient where it may work later."""
    from google.api_core.exceptions import GoogleAPICallError, RetryError

    client = await _opened.get(settings().tasks_endpoint)
    request = {"parent": names.queue(queue), "task": _described(queue, task)}
    try:
        await client.create_task(request=request, timeout=_SECONDS)
    except RetryError as error:
        raise Transient(f"CreateTask: {error}") from error
    except GoogleAPICallError as error:
        if error.grpc_status_code is not None and error.grpc_status_code.name == "ALREADY_EXISTS":
            return False
        # Of a task that Fulcrum makes nothing but the deployment can be wrong: a queue, a URL, a permission.
        raise Transient(f"CreateTask: {error.message}") from error
    return True


def _described(queue: str, task: Task) -> dict[str, Any]:
    request: dict[str, Any] = {
        "url": task.url,
        "http_method": "POST",
        "headers": {"Content-Type": "application/json"},
        "body": task.body,
    }
    if account := settings().text("TASKS_SERVICE_ACCOUNT", ""):
        request["oidc_token"] = {"service_account_email": account, "audience": task.url}
    seconds, ms = divmod(task.time, 1000)
    return {
        "name": f"{names.queue(queue)}/tasks/{task.id}",
        "http_request": request,
        "schedule_time": {"seconds": seconds, "nanos": ms * 1_000_000},
    }
