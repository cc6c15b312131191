"""Names of resources: ``projects/{p}/locations/{l}`` and what stands below it."""

from __future__ import annotations

import re

from emulators.functions import errors

_LOCATION = re.compile(r"projects/[a-z0-9][a-z0-9:.-]*/locations/[a-z][a-z0-9-]*")
_FUNCTION = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Paths of the HTTP side that are not functions.
_TAKEN = frozenset({"calls", "faults", "health", "reset"})


def location(name: str) -> str:
    """A parent, as given; INVALID_ARGUMENT if it is none."""
    if not _LOCATION.fullmatch(name):
        raise errors.invalid(f"Invalid resource name '{name}': want projects/*/locations/*")
    return name


def function(parent: str, function_id: str) -> str:
    """The name of a function that is to be made."""
    if not _FUNCTION.fullmatch(function_id):
        raise errors.invalid(
            f"Invalid function_id '{function_id}': it must start with a letter, contain only lower case "
            "letters, digits and hyphens, end with no hyphen and have at most 63 characters"
        )
    if function_id in _TAKEN:
        raise errors.unsupported(f"a function called {function_id}")
    return f"{location(parent)}/functions/{function_id}"


def parts(name: str, kind: str) -> tuple[str, str]:
    """(parent, id) of ``{parent}/{kind}/{id}``; INVALID_ARGUMENT if it is no such name."""
    head, _, last = name.rpartition("/")
    parent, _, found = head.rpartition("/")
    if found != kind or not last or not _LOCATION.fullmatch(parent):
        raise errors.invalid(f"Invalid resource name '{name}': want projects/*/locations/*/{kind}/*")
    return parent, last


def service(function_name: str) -> str:
    """The Cloud Run service of a function."""
    parent, function_id = parts(function_name, "functions")
    return f"{parent}/services/{function_id}"
