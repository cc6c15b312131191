"""What several operations on devices declare alike."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from functions.api.resources.answers import GONE, problem

ITEM = GONE | {409: problem("An alias is taken, or the change meets another one")}
DeviceId = Annotated[str, Path(max_length=200, description="The id of the device")]
At = Annotated[
    str | None,
    Query(
        max_length=40,
        description="The answer as it was at this instant, states too: epoch ms, or ISO 8601 with an "
        "offset. Read from history; refs are not given",
    ),
]
