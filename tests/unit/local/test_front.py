"""What the front answers before the stack is up."""

from __future__ import annotations

from typing import cast

from aiohttp.test_utils import make_mocked_request
from aiohttp.web import Response

from local.front import Front
from local.logs import Log
from local.topology import load


async def test_what_is_pushed_before_its_function_is_there_comes_again() -> None:
    front = Front(load(), {}, cast(Log, None))
    early = cast(Response, await front.pushed(make_mocked_request("POST", front.push_path("scheduler"))))
    assert (early.status, b"still to come" in cast(bytes, early.body)) == (503, True)
    foreign = await front.pushed(make_mocked_request("POST", "/_push/guessed/scheduler"))
    assert foreign.status == 404
