"""The parameters that many operations take."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Query

from shared.store.query import DEFAULT_PER_PAGE, MAX_PER_PAGE

PerPage = Annotated[
    int, Query(alias="perPage", ge=1, le=MAX_PER_PAGE, description="How many items a page has at most")
]
Cursor = Annotated[
    str | None, Query(max_length=4000, description="The 'next' of the page before; leave out for the first")
]
Total = Annotated[bool, Query(description="Say how many there are in all")]
Refs = Annotated[bool, Query(description="Add the resources that the items refer to")]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=500, description="The ETag that the resource must still have"),
]
DEFAULT = DEFAULT_PER_PAGE
