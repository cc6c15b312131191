"""The service's errors, and the names that it takes."""

from __future__ import annotations

import re

import grpc

from emulators.kit.rpc import StatusError

Code = grpc.StatusCode

_LOCATION = re.compile(r"projects/[^/\s]+/locations/[a-z0-9-]+")
_JOB = re.compile(r"projects/[^/\s]+/locations/[a-z0-9-]+/jobs/[A-Za-z0-9_-]{1,500}")


def invalid(message: str) -> StatusError:
    """INVALID_ARGUMENT."""
    return StatusError(Code.INVALID_ARGUMENT, message)


def no_job() -> StatusError:
    """NOT_FOUND, of a job."""
    return StatusError(Code.NOT_FOUND, "Job not found.")


def job_exists(name: str) -> StatusError:
    """ALREADY_EXISTS, of a job."""
    return StatusError(Code.ALREADY_EXISTS, f"Job {name} already exists.")


def wrong_state(wanted: str, to_be: str) -> StatusError:
    """FAILED_PRECONDITION: a job is not in the state that a call asks for."""
    return StatusError(Code.FAILED_PRECONDITION, f"A job must be in state {wanted} to be {to_be}.")


def unsupported(what: str) -> StatusError:
    """A field or option that the service has and this emulator refuses."""
    return StatusError(Code.UNIMPLEMENTED, f"{what} is not implemented by Fulcrum's emulator")


def job_name(name: str) -> str:
    """A job's name; INVALID_ARGUMENT for any other."""
    return _checked(_JOB, name, "job")


def location_name(name: str) -> str:
    """A location's name; INVALID_ARGUMENT for any other."""
    return _checked(_LOCATION, name, "location")


def _checked(pattern: re.Pattern[str], name: str, what: str) -> str:
    if not pattern.fullmatch(name):
        raise invalid(f"Invalid resource field value in the request: {name!r} is no name of a {what}.")
    return name
