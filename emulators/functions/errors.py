"""The service's errors: codes and texts as Cloud Functions gives them, where they are known."""

from __future__ import annotations

from typing import Any

import grpc
from google.rpc import status_pb2

from emulators.kit.rpc import StatusError

Code = grpc.StatusCode
_Status: Any = status_pb2
_INVALID_ARGUMENT, _INTERNAL = 3, 13

NO_MAIN = (
    "missing main.py and GOOGLE_FUNCTION_SOURCE not specified. Either create the function in main.py or "
    "specify GOOGLE_FUNCTION_SOURCE to point to the file that contains the function"
)


class BuildError(Exception):
    """A build that came to nothing; the text is the end of what it printed, or what is wrong with the zip."""


def invalid(message: str) -> StatusError:
    """INVALID_ARGUMENT."""
    return StatusError(Code.INVALID_ARGUMENT, message)


def not_found(name: str) -> StatusError:
    """No such function, service or operation."""
    return StatusError(Code.NOT_FOUND, f"Resource '{name}' was not found")


def already_exists(name: str) -> StatusError:
    """A function of that name is there."""
    return StatusError(Code.ALREADY_EXISTS, f"Resource '{name}' already exists")


def busy() -> StatusError:
    """Another operation on the function is under way."""
    return StatusError(Code.ABORTED, "unable to queue the operation")


def stale_policy() -> StatusError:
    """A policy that somebody has changed since it was read."""
    return StatusError(
        Code.ABORTED,
        "There were concurrent policy changes. Please retry the whole read-modify-write with exponential "
        "backoff.",
    )


def unsupported(what: str) -> StatusError:
    """A field or option that the service has and this emulator refuses."""
    return StatusError(Code.UNIMPLEMENTED, f"{what} is not implemented by Fulcrum's emulator")


def build_failed(detail: str) -> Any:
    """How an operation ends whose build failed."""
    text = f"Build failed with status: FAILURE and message: {detail}"
    return _Status.Status(code=_INVALID_ARGUMENT, message=text)


def unhealthy(service: str, revision: str, port: int, tail: str) -> Any:
    """How an operation ends whose process did not start; the service itself leaves ``tail`` to its logs."""
    text = (
        f"Could not create or update Cloud Run service {service}, Container Healthcheck failed. Revision "
        f"'{revision}' is not ready and cannot serve traffic. The user-provided container failed to start "
        f"and listen on the port defined provided by the PORT={port} environment variable within the "
        "allocated timeout. Logs for this revision might contain more information."
    )
    return _Status.Status(code=_INVALID_ARGUMENT, message=f"{text}\n\n{tail}".rstrip())


def internal(error: Exception) -> Any:
    """How an operation ends that the emulator itself has broken."""
    return _Status.Status(code=_INTERNAL, message=f"Fulcrum's emulator failed: {error!r}")
