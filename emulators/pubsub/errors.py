"""The service's errors: codes as in Google's emulator, texts as in the service where they are known."""

from __future__ import annotations

import grpc

from emulators.kit.rpc import StatusError

Code = grpc.StatusCode


def invalid(message: str) -> StatusError:
    """INVALID_ARGUMENT."""
    return StatusError(Code.INVALID_ARGUMENT, message)


def invalid_name(name: str) -> StatusError:
    """A resource name that is none."""
    return invalid(
        f"Invalid resource name given (name={name}). Refer to "
        "https://cloud.google.com/pubsub/docs/admin#resource_names for more information."
    )


def not_found(name: str) -> StatusError:
    """No such topic, subscription or dead-letter topic."""
    return StatusError(Code.NOT_FOUND, f"Resource not found (resource={short(name)}).")


def already_exists(name: str) -> StatusError:
    """A topic or subscription of that name is there."""
    return StatusError(
        Code.ALREADY_EXISTS, f"Resource already exists in the project (resource={short(name)})."
    )


def too_large(field: str, value: int | str, maximum: int | str) -> StatusError:
    """A count, size or duration above its limit."""
    return invalid(
        f"The value for {value} is too large. You passed {field} in the request, "
        f"but the maximum value is {maximum}."
    )


def out_of_range(field: str, value: int, low: int, high: int) -> StatusError:
    """``max_delivery_attempts`` outside its bounds: the one field with this code."""
    word, bound, limit = ("small", "minimum", low) if value < low else ("large", "maximum", high)
    return StatusError(
        Code.OUT_OF_RANGE,
        f"The value for {field} is too {word}. You passed {value} in the request, "
        f"but the {bound} value is {limit}.",
    )


def outside(field: str, value: str, low: str, high: str) -> StatusError:
    """A duration outside its bounds."""
    return invalid(
        f"The value for {field} is out of bounds. You passed {value} in the request, "
        f"but the value must be between {low} and {high}."
    )


def unsupported(what: str) -> StatusError:
    """A field or option that the service has and this emulator refuses."""
    return StatusError(Code.UNIMPLEMENTED, f"{what} is not implemented by Fulcrum's emulator")


def bad_mask(kind: str, path: str) -> StatusError:
    """An update mask that names no field of the resource."""
    return invalid(
        f"Invalid update_mask provided in the Update{kind}Request: {path} is not a known {kind} field."
    )


def not_mutable(kind: str, path: str) -> StatusError:
    """An update mask that names a field which stays as it was created."""
    return invalid(
        f"Invalid update_mask provided in the Update{kind}Request: "
        f"the {path} field in the {kind} is not mutable."
    )


def empty_mask(kind: str) -> StatusError:
    """An update without a mask."""
    return invalid(
        f"The update_mask in the Update{kind}Request must be set, and must contain a non-empty paths list."
    )


def short(name: str) -> str:
    """The last part of a resource name, as the service names it in its texts."""
    return name.rsplit("/", 1)[-1]
