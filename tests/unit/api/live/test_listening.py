"""Who listens hears nothing more once he may not, and nothing of what is somebody else's alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.requests import Request

from fulcrum.core import ids
from functions.api.access import grants, known, tokens
from functions.api.access.callers import authenticate
from functions.api.live import events, hub, routes
from functions.api.needs import Call
from tests.support.api import Api

DATA = events.Live("data", "device.readData", {"data": 1})


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[hub.Item]:
    """What the listener of a test gets."""
    made: asyncio.Queue[hub.Item] = asyncio.Queue()

    @asynccontextmanager
    async def listening(project_id: str) -> AsyncIterator[asyncio.Queue[hub.Item]]:
        yield made

    monkeypatch.setattr(hub, "listening", listening)
    return made


async def _call(token: str) -> Call:
    headers = [(b"authorization", f"Bearer {token}".encode())]
    request = Request({"type": "http", "headers": headers, "query_string": b"", "path_params": {}})
    return Call(request, await authenticate(request))


@pytest.mark.parametrize("end", ["revoked", "role taken"])
async def test_what_comes_after_the_end_of_a_session_or_role_is_not_told(
    api: Api, queue: asyncio.Queue[hub.Item], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(routes, "FRESH_SECONDS", 0.0)
    project = api.project(ids.new_id())
    token = api.user(project, "device.readData")
    heard = routes.live_get(await _call(token))
    assert (await anext(heard)).event == "ready"
    queue.put_nowait(DATA)
    assert (await anext(heard)).event == "data"
    claims = tokens.verify(token)
    if end == "revoked":
        api.documents.document(f"sessions/{claims['sid']}").update({"revoked": True})
        known.forget_session(claims["sid"])
    else:
        for given in api.documents.collection(f"projects/{project}/userRoles").stream():
            given.reference.delete()
        grants.forget(project)
    queue.put_nowait(DATA)
    queue.put_nowait(hub.Notice("overflow"))
    assert (await anext(heard)).event == {"revoked": "expired", "role taken": "overflow"}[end]
    with pytest.raises(StopAsyncIteration):
        await anext(heard)


@pytest.mark.parametrize(("kind", "plural"), [("view", "views"), ("dashboard", "dashboards")])
async def test_what_is_one_persons_alone_is_told_to_nobody_else(api: Api, kind: str, plural: str) -> None:
    project = api.project(ids.new_id())
    mine, other = (api.user(project, f"{kind}.read", f"{kind}.create", f"{kind}.delete") for _ in range(2))
    body = {"name": "secret plans", "scope": "personal"} | (
        {"table": "t", "settings": {}} if kind == "view" else {"layout": {"main": []}}
    )
    async with api.client(mine) as http:
        made = await http.post(f"/v1/project/{project}/{plural}", json=body)
        assert made.status_code == 201, made.text
        assert (await http.delete(f"/v1/{kind}/{made.json()['id']}")).status_code == 200
    entries = [d.to_dict() or {} for d in api.documents.collection(f"projects/{project}/audit").stream()]
    told = [events.of_audit(entry, "e") for entry in entries if entry["kind"] == kind]
    assert {event.body["verb"] for event in told} == {"created", "deleted"}
    for event in told:
        assert events.may_see((await _call(mine)).principal, event, ())
        assert not events.may_see((await _call(other)).principal, event, ())
