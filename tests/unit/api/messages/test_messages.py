"""Messages to devices through the API: sent, followed, cancelled; how a network carries them; its secrets."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from fulcrum.core import ids
from functions.jobs import hanging
from shared import clock, outbound, outbound_secrets, outbound_store
from shared.messages import OutboundInit
from tests.support.api import Api

DAY = 86_400_000
REST = {"transport": "rest", "urlTemplate": "https://lora.example.com/{alias}/down"}


async def _made(api: Api, http: httpx.AsyncClient, way: dict[str, Any] | None = None) -> tuple[str, str]:
    """A project with a device d1 in a network; the project and the network."""
    project = api.project(ids.new_id())
    network = f"net-{ids.new_id().lower()}"
    body = {"id": network, "name": "N", "aliasKeys": ["serial"], "outbound": way or {"transport": "poll"}}
    answer = await http.post(f"/v1/project/{project}/networks", json=body)
    assert answer.status_code == 201, answer.text
    for device in ("d1", "d2"):
        fields: dict[str, Any] = {"name": device, "systemId": "y1", "networkId": network}
        fields |= {"networkAliases": {network: {"serial": f"t-{device}"}}}
        api.documents.document(f"projects/{project}/devices/{device}").set(fields)
    api.topics.take("outbound")
    return project, network


def _taken(api: Api) -> list[tuple[OutboundInit, dict[str, str]]]:
    found = [(data, about) for name, data, about in api.topics.messages if name == "outbound"]
    api.topics.take("outbound")
    return [(msgspec.json.decode(data, type=OutboundInit), about) for data, about in found]


async def test_sent_it_waits_and_whoever_serves_the_network_is_told(api: Api) -> None:
    async with api.client(api.admin()) as http:
        project, network = await _made(api, http, {"transport": "custom", "expectsAck": True})
        query = {"projectId": project}
        body = {"message": {"valve": "open"}, "ttl": 60_000, "key": "valve"}
        answer = await http.post("/v1/device/d1/messages", params=query, json=body)
        assert answer.status_code == 202, answer.text
        made = answer.json()
        assert (made["state"], made["transport"], made["message"]) == ("queued", "custom", {"valve": "open"})
        assert (made["deviceId"], made["networkId"], made["source"]) == ("d1", network, "api")
        assert made["expireTime"] == made["created"] + 60_000
        assert made["lastModified"] == made["changed"] == made["created"]
        ((init, about),) = _taken(api)
        assert about == {**about, "projectId": project, "networkId": network, "transport": "custom"}
        assert (init.msg_id, init.aliases, init.message) == (
            made["id"],
            {"serial": "t-d1"},
            {"valve": "open"},
        )
        shown = (await http.get(f"/v1/device/d1/messages/{made['id']}", params=query)).json()
        assert shown == made
        other = await http.get(f"/v1/device/d2/messages/{made['id']}", params=query)
        assert (other.status_code, other.json()["error"]) == (404, "deviceMessage.notFound")


async def test_the_same_again_is_the_same_message(api: Api) -> None:
    async with api.client(api.admin()) as http:
        project, _ = await _made(api, http)
        query = {"projectId": project}

        async def post(body: dict[str, Any], device: str = "d1", key: str = "") -> httpx.Response:
            headers = {"Idempotency-Key": key} if key else {}
            path = f"/v1/device/{device}/messages"
            return await http.post(path, params=query, json=body, headers=headers)

        api.topics.down = True
        assert (await post({"message": 1, "msgId": "m1"})).status_code == 503
        api.topics.down = False
        first = (await post({"message": 1, "msgId": "m1"})).json()
        again = (await post({"message": 1, "msgId": "m1"})).json()
        assert first == again
        sent = _taken(api)
        assert {(init.msg_id, init.time, init.expire_time) for init, _ in sent} == {
            ("m1", first["created"], first["expireTime"])
        }
        for body, device in (
            ({"message": 2}, "d1"),
            ({"message": 1, "key": "k"}, "d1"),
            ({"message": 1}, "d2"),
        ):
            answer = await post({**body, "msgId": "m1"}, device)
            assert (answer.status_code, answer.json()["error"]) == (409, "deviceMessage.taken")
        keyed = [(await post({"message": 1}, key="once")).json()["id"] for _ in range(2)]
        assert keyed[0] == keyed[1]
        together = await asyncio.gather(*(post({"message": 5, "msgId": "m5"}) for _ in range(10)))
        assert {answer.status_code for answer in together} == {202}
        listed = (await http.get("/v1/device/d1/messages", params=query)).json()
        assert sorted(one["id"] for one in listed["items"]) == sorted(["m1", "m5", keyed[0]])


async def test_lists_are_the_latest_first_and_by_state(api: Api) -> None:
    async with api.client(api.admin()) as http:
        project, _ = await _made(api, http)
        query = {"projectId": project}
        for number in range(3):
            await http.post(
                "/v1/device/d1/messages", params=query, json={"message": number, "msgId": f"m{number}"}
            )
        await http.post("/v1/device/d1/messages/m1/cancel", params=query)
        page = (await http.get("/v1/device/d1/messages", params=query | {"perPage": 2, "total": True})).json()
        assert ([one["message"] for one in page["items"]], page["total"]) == ([2, 1], 3)
        rest = await http.get("/v1/device/d1/messages", params=query | {"cursor": page["next"], "perPage": 2})
        assert [one["id"] for one in rest.json()["items"]] == ["m0"]
        for state, wanted in (("queued", ["m2", "m0"]), ("cancelled", ["m1"]), ("acked", [])):
            found = await http.get("/v1/device/d1/messages", params=query | {"state": state})
            assert [one["id"] for one in found.json()["items"]] == wanted


async def test_one_whose_time_is_over_has_expired_though_nobody_has_sent_it_on_its_way(api: Api) -> None:
    async with api.client(api.admin()) as http:
        project, _ = await _made(api, http, REST)
        query = {"projectId": project}
        for name in ("m0", "m1"):
            await http.post("/v1/device/d1/messages", params=query, json={"message": 1, "msgId": name})
            # Whoever made it ended before it was published: no task knows of it.
            api.topics.take("outbound")
            document = api.documents.document(f"projects/{project}/outbound/{name}")
            document.update({"expireTime": clock.now_ms() - 1})
        shown = (await http.get("/v1/device/d1/messages/m0", params=query)).json()
        assert shown["state"] == "expired"
        listed = (await http.get("/v1/device/d1/messages", params=query | {"state": "queued"})).json()
        assert listed["items"] == []
        listed = (await http.get("/v1/device/d1/messages", params=query)).json()
        assert [one["state"] for one in listed["items"]] == ["expired", "expired"]


async def test_of_one_key_the_newest_waits(api: Api) -> None:
    async with api.client(api.admin()) as http:
        project, _ = await _made(api, http)
        query = {"projectId": project}
        made = [
            (await http.post("/v1/device/d1/messages", params=query, json={"message": n, "key": "k"})).json()
            for n in range(3)
        ]
        shown = [(await http.get(f"/v1/device/d1/messages/{one['id']}", params=query)).json() for one in made]
        ordered = sorted(shown, key=lambda one: (one["created"], one["id"]))
        assert [one["state"] for one in ordered] == ["replaced", "replaced", "queued"]
        assert {one["by"] for one in ordered[:2]} <= {one["id"] for one in ordered[1:]}


async def test_cancelled_it_is_not_sent_and_once_it_went_it_is_too_late(api: Api) -> None:
    async with api.client(api.admin()) as http:
        project, _ = await _made(api, http)
        query = {"projectId": project}
        for name in ("m1", "m2", "m3"):
            await http.post("/v1/device/d1/messages", params=query, json={"message": 1, "msgId": name})

        async def cancel(name: str, device: str = "d1") -> httpx.Response:
            return await http.post(f"/v1/device/{device}/messages/{name}/cancel", params=query)

        for _ in range(2):
            answer = await cancel("m1")
            assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        assert (await cancel("m2", "d2")).status_code == 404
        assert (await cancel("none")).status_code == 404

        def claimed(before: outbound.Record) -> outbound.Record:
            return msgspec.structs.replace(before, attempts=1, lease=clock.now_ms() + 60_000)

        await outbound_store.change(project, "m2", claimed)
        answer = await cancel("m2")
        assert (answer.status_code, answer.json()["error"]) == (409, "deviceMessage.late")
        await outbound_store.change(project, "m3", lambda one: outbound.sent(one, clock.now_ms(), None))
        answer = await cancel("m3")
        assert (answer.status_code, answer.json()["message"]) == (409, "it is sent")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"msgId": "a/b"}, "request.invalid"),
        ({"msgId": "__x__"}, "request.invalid"),
        ({"ttl": 999}, "request.invalid"),
        ({"ttl": 29 * DAY}, "request.invalid"),
        ({"ttl": 5_000, "expireTime": 5_000}, "request.invalid"),
        ({"expireTime": 1}, "deviceMessage.invalid"),
        ({"expireTime": 250_000_000_000_000}, "deviceMessage.invalid"),
        ({"key": ""}, "request.invalid"),
        ({"message": "x" * 100_001}, "deviceMessage.invalid"),
        ({"more": 1}, "request.invalid"),
    ],
)
async def test_what_is_no_message_is_refused(api: Api, change: dict[str, Any], error: str) -> None:
    async with api.client(api.admin()) as http:
        project, _ = await _made(api, http)
        query = {"projectId": project}
        answer = await http.post("/v1/device/d1/messages", params=query, json={"message": 1} | change)
        assert (answer.status_code, answer.json()["error"]) == (400, error), answer.text
        assert _taken(api) == []


async def test_a_device_that_nothing_reaches_gets_no_message(api: Api) -> None:
    async with api.client(api.admin()) as http:
        project, network = await _made(api, http)
        query = {"projectId": project}
        api.documents.document(f"projects/{project}/devices/alone").set({"name": "alone", "systemId": "y1"})
        answer = await http.post("/v1/device/alone/messages", params=query, json={"message": 1})
        assert (answer.status_code, answer.json()["error"]) == (409, "deviceMessage.noTransport")
        assert (
            await http.post("/v1/device/none/messages", params=query, json={"message": 1})
        ).status_code == 404
        gone = await http.patch(
            f"/v1/network/{network}", params=query, json=[{"path": "outbound", "op": "remove"}]
        )
        assert gone.status_code == 200, gone.text
        answer = await http.post("/v1/device/d1/messages", params=query, json={"message": 1})
        assert answer.json()["error"] == "deviceMessage.noTransport"


async def test_who_may_not_sends_reads_and_cancels_nothing(api: Api) -> None:
    async with api.client(api.admin()) as http:
        project, _ = await _made(api, http)
    query = {"projectId": project}
    async with api.client(api.user(project, "device.sendMessage", on=("device", "d1"))) as http:
        assert (
            await http.post("/v1/device/d1/messages", params=query, json={"message": 1})
        ).status_code == 202
        for verb, path in (("POST", "d2/messages"), ("GET", "d2/messages"), ("POST", "d2/messages/m/cancel")):
            answer = await http.request(verb, f"/v1/device/{path}", params=query, json={"message": 1})
            assert answer.status_code == 403
    async with api.client(api.user(project, "device.read", "device.updateData")) as http:
        assert (await http.get("/v1/device/d1/messages", params=query)).status_code == 403
    async with api.client(api.user(project, "network.read")) as http:
        path = "/v1/network/x/secretHeaders"
        assert (await http.put(path, params=query, json={"headers": {}})).status_code == 403


@pytest.mark.parametrize(
    ("way", "error"),
    [
        ({"transport": "rest"}, "request.invalid"),
        ({"transport": "mqtt"}, "request.invalid"),
        ({"transport": "poll", "urlTemplate": "https://example.com/"}, "request.invalid"),
        (REST | {"urlTemplate": "https://{alias}.example.com/"}, "request.invalid"),
        (REST | {"urlTemplate": "https://{alias}"}, "request.invalid"),
        (REST | {"urlTemplate": "https://example.com/{serial}"}, "request.invalid"),
        (REST | {"urlTemplate": "https://example.com/{alias"}, "request.invalid"),
        (REST | {"urlTemplate": "https://example.com/{msgId:x}"}, "request.invalid"),
        (REST | {"urlTemplate": "ftp://example.com/"}, "request.invalid"),
        (REST | {"headers": {"Authorization": "Bearer x"}}, "request.invalid"),
        (REST | {"headers": {"X A": "b"}}, "request.invalid"),
        (REST | {"headers": {"X-A": "b\nc"}}, "request.invalid"),
        (REST | {"body": {"a": ["{deviceId:x}"]}}, "request.invalid"),
        (REST | {"method": "GET"}, "request.invalid"),
        (REST | {"urlTemplate": "http://127.0.0.1/{alias}"}, "network.url"),
        (REST | {"urlTemplate": "http://169.254.169.254/"}, "network.url"),
        (REST | {"urlTemplate": "http://0x7f.1/{alias}"}, "network.url"),
        (REST | {"urlTemplate": "http://metadata.google.internal/"}, "network.url"),
        (REST | {"urlTemplate": "https://a:b@example.com/"}, "network.url"),
    ],
)
async def test_a_network_that_cannot_carry_messages_so_is_refused(
    api: Api, way: dict[str, Any], error: str
) -> None:
    async with api.client(api.admin()) as http:
        project, network = await _made(api, http)
        body = {"id": f"net-{ids.new_id().lower()}", "name": "N", "outbound": way}
        answer = await http.post(f"/v1/project/{project}/networks", json=body)
        assert (answer.status_code, answer.json()["error"]) == (400, error), answer.text
        answer = await http.patch(
            f"/v1/network/{network}", params={"projectId": project}, json={"outbound": way}
        )
        assert answer.status_code == 400, answer.text


async def test_secret_headers_are_kept_sealed_and_never_shown(api: Api) -> None:
    async with api.client(api.admin()) as http:
        project, network = await _made(
            api, http, REST | {"headers": {"X-A": "b"}, "body": {"m": "{message}"}}
        )
        query = {"projectId": project}
        path = f"/v1/network/{network}/secretHeaders"
        for _ in range(2):
            answer = await http.put(path, params=query, json={"headers": {"Authorization": "Bearer hush"}})
            assert (answer.status_code, answer.json()) == (200, {"names": ["Authorization"]})
        assert (await http.get(path, params=query)).json() == {"names": ["Authorization"]}
        stored = api.documents.document(f"networks/{network}").get().to_dict()
        assert "hush" not in str(stored)
        opened = outbound_secrets.unseal(network, stored["secretHeaders"])
        assert opened == {"Authorization": "Bearer hush"}
        shown = (await http.get(f"/v1/network/{network}", params=query)).json()
        assert (shown["outbound"]["headers"], "secretHeaders" in shown) == ({"X-A": "b"}, False)
        audit = await http.get(f"/v1/project/{project}/audit")
        assert audit.status_code == 200
        whole = audit.text + (await http.get(f"/v1/project/{project}/export")).text
        assert "hush" not in whole
        assert stored["secretHeaders"]["Authorization"] not in whole
        await http.put(path, params=query, json={"headers": {}})
        assert (await http.get(path, params=query)).json() == {"names": []}


def test_messages_go_with_their_device() -> None:
    assert "outbound" in {rule.collection for rule in hanging.rules("device") if rule.field == "deviceId"}
