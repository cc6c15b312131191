"""Keys of networks and tokens of devices: made, shown once, rotated, revoked, and taken by ingest so."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from functions.ingest.auth import Gate
from shared import clock
from shared.errors import ApiError
from tests.support.api import Api
from tests.unit.api.joining.support import Site, site


async def _admitted(network: str, text: str) -> str:
    """How ingest, freshly started, answers a key: ``network``, the device's id, or the error."""
    try:
        return (await Gate().admit(network, f"Bearer {text}".encode())).device_id or "network"
    except ApiError as error:
        return error.error


def _device(api: Api, here: Site, device_id: str = "d1") -> str:
    api.documents.document(f"projects/{here.project}/devices/{device_id}").set(
        {"name": "d", "systemId": here.system, "blueprintId": here.blueprint, "networkId": here.network}
        | {"version": 1}
    )
    return device_id


async def test_a_key_is_shown_once_rotated_and_revoked(api: Api) -> None:
    here = site(api)
    path = f"/v1/network/{here.network}/keys"
    async with api.client(api.admin()) as http:
        made = await http.post(path, params=here.query, json={"name": "gateway"})
        assert made.status_code == 201, made.text
        first = made.json()
        assert await _admitted(here.network, first["text"]) == "network"
        listed = await http.get(path, params=here.query)
        assert [key["id"] for key in listed.json()["items"]] == [first["id"]]
        assert first["text"] not in listed.text
        assert "hash" not in listed.text
        network = await http.get(f"/v1/network/{here.network}", params=here.query)
        assert "keys" not in network.json()
        answer = await http.post(
            f"{path}/{first['id']}/rotate", params=here.query, json={"overlapSeconds": 3600}
        )
        second = answer.json()
        assert second["name"] == "gateway"
        assert await _admitted(here.network, first["text"]) == "network"
        assert await _admitted(here.network, second["text"]) == "network"
        for _ in range(2):
            revoked = await http.delete(f"{path}/{first['id']}", params=here.query)
            assert (revoked.json()["revoked"], revoked.json()["valid"]) == (True, False)
        assert await _admitted(here.network, first["text"]) == "auth.wrongKey"
        spent = await http.post(f"{path}/{first['id']}/rotate", params=here.query, json={})
        assert spent.json()["error"] == "key.notValid"
        ended = await http.post(
            f"{path}/{second['id']}/rotate", params=here.query, json={"overlapSeconds": 0}
        )
        assert await _admitted(here.network, second["text"]) == "auth.wrongKey"
        assert await _admitted(here.network, ended.json()["text"]) == "network"
    audit = [d.to_dict() for d in api.documents.collection(f"projects/{here.project}/audit").stream()]
    assert audit
    secret = first["text"].rpartition("_")[2]
    assert secret not in json.dumps(audit)
    assert "hash" not in json.dumps(audit)


async def test_of_keys_made_at_once_none_is_lost_and_they_are_bounded(api: Api) -> None:
    here = site(api)
    path = f"/v1/network/{here.network}/keys"
    async with api.client(api.admin()) as http:
        answers = await asyncio.gather(*(http.post(path, params=here.query, json={}) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {201}
        assert (await http.get(path, params=here.query)).json()["count"] == 10
        held: dict[str, Any] = {f"k{n}": {"hash": "h", "created": n} for n in range(50)}
        api.documents.document(f"networks/{here.network}").update({"keys": held})
        full = await http.post(path, params=here.query, json={})
        assert full.json()["error"] == "key.tooMany"
        api.documents.document(f"networks/{here.network}").update({"keys.k7.revoked": True})
        assert (await http.post(path, params=here.query, json={})).status_code == 201
        left = {key["id"] for key in (await http.get(path, params=here.query)).json()["items"]}
        assert "k7" not in left
        assert len(left) == 50


async def test_a_token_speaks_for_its_device_alone(api: Api) -> None:
    here = site(api)
    device = _device(api, here)
    path = f"/v1/device/{device}/tokens"
    async with api.client(api.admin()) as http:
        made = await http.post(path, params=here.query, json={"name": "own"})
        assert made.status_code == 201, made.text
        token = made.json()
        assert token["networkId"] == here.network
        assert await _admitted(here.network, token["text"]) == device
        listed = await http.get(path, params=here.query)
        assert [item["valid"] for item in listed.json()["items"]] == [True]
        assert "hash" not in listed.text
        assert token["text"] not in listed.text
        turned = await http.post(
            f"{path}/{token['id']}/rotate", params=here.query, json={"overlapSeconds": 60}
        )
        assert turned.status_code == 201, turned.text
        assert await _admitted(here.network, turned.json()["text"]) == device
        assert await _admitted(here.network, token["text"]) == device
        revoked = await http.delete(f"{path}/{token['id']}", params=here.query)
        assert revoked.json()["valid"] is False
        assert await _admitted(here.network, token["text"]) == "auth.wrongKey"
        other = _device(api, here, "d2")
        strange = await http.delete(f"/v1/device/{other}/tokens/{token['id']}", params=here.query)
        assert strange.json()["error"] == "deviceToken.notFound"


@pytest.mark.parametrize("body", [{"expires": 1000}, {"expires": "soon"}, {"name": ""}, {"color": 1}])
async def test_bad_bodies_are_refused(api: Api, body: dict[str, Any]) -> None:
    here = site(api)
    device = _device(api, here)
    async with api.client(api.admin()) as http:
        for path in (f"/v1/network/{here.network}/keys", f"/v1/device/{device}/tokens"):
            answer = await http.post(path, params=here.query, json=body)
            assert answer.status_code == 400, answer.text
            assert (await http.get(path, params=here.query)).json()["count"] == 0


async def test_expiry_is_kept_and_ingest_heeds_it(api: Api) -> None:
    here = site(api)
    soon = clock.now_ms() + 100
    async with api.client(api.admin()) as http:
        made = await http.post(f"/v1/network/{here.network}/keys", params=here.query, json={"expires": soon})
        await asyncio.sleep((soon - clock.now_ms()) / 1000 + 0.02)
        assert await _admitted(here.network, made.json()["text"]) == "auth.wrongKey"


async def test_another_projects_network_and_device_and_missing_permissions(api: Api) -> None:
    here, there = site(api), site(api)
    device = _device(api, here)
    async with api.client(api.admin()) as http:
        for path in (f"/v1/network/{here.network}/keys", f"/v1/device/{device}/tokens"):
            assert (await http.post(path, params=there.query, json={})).status_code == 404
        foreign = await http.post(
            f"/v1/device/{device}/tokens", params=here.query, json={"networkId": there.network}
        )
        assert foreign.json()["error"] == "deviceToken.network"
    async with api.client(api.user(here.project, "network.read", "device.read")) as http:
        for path in (f"/v1/network/{here.network}/keys", f"/v1/device/{device}/tokens"):
            assert (await http.get(path)).status_code == 200
            assert (await http.post(path, json={})).status_code == 403
    async with api.client(api.user(here.project, "device.update", on=("device", device))) as http:
        assert (await http.post(f"/v1/device/{device}/tokens", json={})).status_code == 201
        assert (await http.post(f"/v1/device/{_device(api, here, 'd3')}/tokens", json={})).status_code == 403
