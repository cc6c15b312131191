"""The service's errors, and the names that it takes."""

from __future__ import annotations

import re

import grpc

from emulators.kit.rpc import StatusError

Code = grpc.StatusCode

_QUEUE = re.compile(r"projects/[^/\s]+/locations/[a-z0-9-]+/queues/[A-Za-z0-9-]{1,100}")
_TASK = re.compile(
    r"projects/[^/\s]+/locations/[a-z0-9-]+/queues/[A-Za-z0-9-]{1,100}/tasks/[A-Za-z0-9_-]{1,500}"
)
_LOCATION = re.compile(r"projects/[^/\s]+/locations/[a-z0-9-]+")


def invalid(message: str) -> StatusError:
    """INVALID_ARGUMENT."""
    return StatusError(Code.INVALID_ARGUMENT, message)


def no_queue() -> StatusError:
    """NOT_FOUND, of a queue."""
    return StatusError(
        Code.NOT_FOUND,
        "Queue does not exist. If you just created the queue, wait at least a minute for the queue to "
        "initialize.",
    )


def no_task() -> StatusError:
    """NOT_FOUND, of a task."""
    return StatusError(Code.NOT_FOUND, "The task does not exist.")


def queue_exists() -> StatusError:
    """ALREADY_EXISTS, of a queue."""
    return StatusError(Code.ALREADY_EXISTS, "Queue already exists")


def task_exists(gone: bool) -> StatusError:
    """ALREADY_EXISTS: a task of that name is there, or was until lately."""
    if gone:
        return StatusError(
            Code.ALREADY_EXISTS,
            "The task cannot be created because a task with this name existed too recently. For more "
            "information about task de-duplication see "
            "https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create#body.request_body.FIELDS.task.",
        )
    return StatusError(Code.ALREADY_EXISTS, "Requested entity already exists")


def unsupported(what: str) -> StatusError:
    """A field or option that the service has and this emulator refuses."""
    return StatusError(Code.UNIMPLEMENTED, f"{what} is not implemented by Fulcrum's emulator")


def queue_name(name: str) -> str:
    """A queue's name; INVALID_ARGUMENT for any other."""
    return _checked(_QUEUE, name, "queue")


def task_name(name: str) -> str:
    """A task's name; INVALID_ARGUMENT for any other."""
    return _checked(_TASK, name, "task")


def location_name(name: str) -> str:
    """A location's name; INVALID_ARGUMENT for any other."""
    return _checked(_LOCATION, name, "location")


def _checked(pattern: re.Pattern[str], name: str, what: str) -> str:
    if not pattern.fullmatch(name):
        raise invalid(f"Invalid resource field value in the request: {name!r} is no name of a {what}.")
    return name
