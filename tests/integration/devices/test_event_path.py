"""What the API writes, as the event path reads it; and what it sends, as state and history keep it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from fulcrum.core import ids
from shared import clock
from shared.clients import history, pubsub
from tests.support.push_stack import PushStack
from tests.unit.api.devices.support import DEVICE_ALL, World


@asynccontextmanager
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.api.client(world.user(*DEVICE_ALL)) as http:
        yield http
    for module in (pubsub, history):
        await module.close()


async def eventually(check: Callable[[], Awaitable[Any]], seconds: float = 20.0) -> Any:
    deadline = asyncio.get_running_loop().time() + seconds
    while not (found := await check()):
        assert asyncio.get_running_loop().time() < deadline, f"still {found!r}"
        await asyncio.sleep(0.05)
    return found


def inbound(world: World, value: str, data: dict[str, Any]) -> dict[str, Any]:
    """An event as ingest publishes it."""
    now = clock.now_ms()
    return {
        "type": "inboundDataEventMsg",
        "id": ids.new_id(),
        "hash": "h",
        "time": now,
        "receivedTime": now,
        "projectId": world.project,
        "networkId": world.network,
        "aliasKey": "serial",
        "deviceId": value,
        "data": [{"path": path, "value": one} for path, one in data.items()],
    }


async def test_what_is_set_is_in_state_and_history(world: World) -> None:
    async with client(world) as http:
        made = await http.post(f"/v1/system/{world.system}/devices", json=world.aliased("S-1"))
        device = made.json()["id"]
        path = f"/v1/device/{device}"
        sent = await http.post(f"{path}/setValue", json={"keyValue": {"a/b": 1, "c": [1, [2]]}})
        assert sent.status_code == 202, sent.text

        async def state() -> Any:
            return (await http.get(f"{path}/data")).json()

        await eventually(lambda: _equals(state, {"a": {"b": 1}, "c": [1, [2]]}))
        await http.put(f"{path}/data/a", json={"x": 2})
        await eventually(lambda: _equals(state, {"a": {"x": 2}, "c": [1, [2]]}))
        await http.delete(f"{path}/data/c")
        await eventually(lambda: _equals(state, {"a": {"x": 2}}))
        read = (await http.get(path)).json()
        assert read["version"] == 1
        assert read["firstSeen"] <= read["lastSeen"]
        query = {"start": sent.json()["time"] - 60_000, "paths": ["$id", "a/b"]}
        for place in (f"{path}/history", f"/v1/interface/{world.system}/coldStore/{device}/history"):
            rows = await http.post(place, json=query)
            assert rows.status_code == 200, rows.text
            assert sent.json()["eventId"] in rows.text
            assert rows.json()["count"] == 3
        for place in (f"/v1/interface/{world.system}/coldStore/history", f"{path}/history"):
            got = await http.get(place, params={"start": str(query["start"]), "perPage": "2"})
            assert got.status_code == 200, got.text


async def _equals(read: Callable[[], Awaitable[Any]], wanted: Any) -> bool:
    return bool(await read() == wanted)


async def test_a_new_a_moved_and_a_deleted_alias_on_the_event_path(world: World, stack: PushStack) -> None:
    async with client(world) as http:
        path = f"/v1/system/{world.system}/devices"
        first = (await http.post(path, json=world.aliased("S-1"))).json()["id"]
        second = (await http.post(path, json=world.body())).json()["id"]

        def has(device: str, key: str) -> Callable[[], Awaitable[Any]]:
            async def check() -> Any:
                return key in (await http.get(f"/v1/device/{device}/data")).json()

            return check

        stack.publish("default-processor", inbound(world, "S-1", {"one": 1}))
        await eventually(has(first, "one"))
        dropped = await http.patch(f"/v1/device/{first}", json={"networkAliases": {}})
        assert dropped.status_code == 200, dropped.text
        taken = await http.patch(
            f"/v1/device/{second}", json={f"networkAliases/{world.network}": {"serial": "S-1"}}
        )
        assert taken.status_code == 200, taken.text
        stack.advance(10)
        stack.publish("default-processor", inbound(world, "S-1", {"two": 2}))
        await eventually(has(second, "two"))
        assert not await has(first, "two")()
        assert (await http.delete(f"/v1/device/{second}")).status_code in (200, 503)
        stack.advance(10)
        stack.publish("default-processor", inbound(world, "S-1", {"three": 3}))

        async def unknown() -> Any:
            return stack.collection(f"projects/{world.project}/unknownDevices")

        (seen,) = await eventually(unknown)
        assert seen["value"] == "S-1"
        assert world.get(f"projects/{world.project}/devices/{second}") is None


async def test_forwarded_data_reaches_those_above_and_no_loop_turns(world: World) -> None:
    room = world.add_blueprint("room")
    world.relation(world.blueprint, "rooms", room, "manyToMany", owned=False, forwardData=True)
    world.relation(room, "houses", world.blueprint, "manyToMany", forwardData=True)
    house, low = world.add_device(), world.add_device(room)
    async with client(world) as http:
        for parent, relation, child in ((house, "rooms", low), (low, "houses", house)):
            linked = await http.post(
                f"/v1/device/{parent}/relations", json={"relation": relation, "childId": child}
            )
            assert linked.status_code == 200, linked.text

        async def send(value: int) -> None:
            body = {"path": "t", "value": value}
            assert (await http.post(f"/v1/device/{low}/setValue", json=body)).status_code == 202

        def holds(device: str, value: int) -> Callable[[], Awaitable[Any]]:
            async def check() -> Any:
                return (await http.get(f"/v1/device/{device}/data")).json() == {"t": value}

            return check

        await send(7)
        await eventually(holds(house, 7))
        cut = await http.delete(f"/v1/device/{house}/relations/{low}", params={"relation": "rooms"})
        assert cut.status_code == 200
        # Who remembers the link learns of its end with the first event after it.
        for value in (8, 9):
            await send(value)
            await eventually(holds(low, value))
        assert not await holds(house, 9)()


async def test_definitions_and_events_at_once_lose_nothing(world: World) -> None:
    device = world.add_device(tags=[])
    async with client(world) as http:
        path = f"/v1/device/{device}"

        async def tag(number: int) -> None:
            while True:
                now = await http.get(path)
                match = {"If-Match": now.headers["etag"]}
                tags = [*now.json().get("tags", []), f"t{number}"]
                answer = await http.patch(path, json={"tags": tags}, headers=match)
                if answer.status_code == 200:
                    return
                assert answer.status_code in (409, 412), answer.text

        async def send(number: int) -> None:
            answer = await http.post(f"{path}/setValue", json={"path": f"v{number}", "value": number})
            assert answer.status_code == 202, answer.text

        await asyncio.gather(*(tag(n) for n in range(50)), *(send(n) for n in range(50)))

        async def settled() -> Any:
            return len((await http.get(f"{path}/data")).json()) == 50

        await eventually(settled, 40)
        read = (await http.get(path)).json()
    assert sorted(read["tags"]) == sorted(f"t{n}" for n in range(50))
    assert read["data"] == {f"v{n}": n for n in range(50)}
    assert read["version"] == 51
