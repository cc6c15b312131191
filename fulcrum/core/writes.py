"""One change of a device's data, as it stands in messages."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

Op = Literal["set", "replace", "delete"]


class Write(msgspec.Struct, frozen=True):
    """One change of a device's data.

    ``set`` merges an object and replaces anything else; ``replace`` drops what was below the path first;
    ``delete`` drops it and takes no value.
    """

    path: str
    value: Any = None
    op: Op | UnsetType = UNSET
