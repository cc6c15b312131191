"""What the front answers before the stack is up."""

from __future__ import annotations

import json
from typing import cast

import pytest
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


@pytest.mark.parametrize(("path", "function"), [("/v1/about", "api"), ("/rcv/demo-gateways", "ingest")])
async def test_who_asks_before_a_function_is_there_is_told_to_ask_again(path: str, function: str) -> None:
    front = Front(load(), {}, cast(Log, None))
    early = cast(Response, await front.public(make_mocked_request("GET", path)))
    assert (early.status, json.loads(cast(bytes, early.body))["error"]) == (503, "function.unavailable")
    assert f"{function} is still to come".encode() in cast(bytes, early.body)
