"""What devices answer to messages: resolved as events are, and handed to whoever keeps the messages."""

from __future__ import annotations

from typing import Any

import pytest

from shared import names
from shared.errors import Transient
from tests.support.processing import Service, push
from tests.unit.message_processor.conftest import NETWORK, PROJECT, add_device, event


@pytest.fixture(autouse=True)
def _topic(service: Service) -> None:
    service.topics.known.add("outbound")


def _reply(value: str = "t-1", **fields: Any) -> dict[str, Any]:
    return {
        "type": "inboundAckMsg",
        "msgId": "m1",
        "receivedTime": 1_760_000_000_500,
        "projectId": PROJECT,
        "networkId": NETWORK,
        "aliasKey": "serial",
        "deviceId": value,
        **fields,
    }


async def test_an_answer_gets_its_devices_ids_whatever_the_devices_route(service: Service) -> None:
    add_device(service, "d1", "t-1", messageRoute={"deviceDataEventMsg": ["audit"]})
    sent = _reply(status="failed", response={"why": [1, {"a/b": None}]})
    assert await service.post(push([sent, event()], {"hops": "1", "projectId": PROJECT})) == 204
    ((data, attributes),) = service.topics.to("outbound")
    assert data == {
        "type": "deviceAckMsg",
        "msgId": "m1",
        "status": "failed",
        "receivedTime": sent["receivedTime"],
        "projectId": PROJECT,
        "deviceId": "d1",
        "systemId": "s1",
        "blueprintId": "b1",
        "networkId": NETWORK,
        "response": sent["response"],
    }
    assert attributes == {"v": "1", "hops": "2", "projectId": PROJECT}
    assert [one["type"] for one in service.topics.events("audit")] == ["deviceDataEventMsg"]


async def test_known_devices_cost_one_call(service: Service) -> None:
    await service.post(push([_reply(), _reply("t-2")]))
    reads = len(service.documents.reads)
    await service.post(push([_reply(), _reply("t-2"), _reply()]))
    assert len(service.documents.reads) == reads
    assert service.topics.calls == ["outbound", "outbound"]


async def test_an_answer_by_an_unknown_name_is_dropped_and_recorded(service: Service) -> None:
    assert await service.post(push([_reply("t-9"), _reply()])) == 204
    assert [one["deviceId"] for one in service.topics.events("outbound")] == ["d1"]
    assert names.unknown_device(PROJECT, NETWORK, "serial", "t-9") in service.documents.stored


@pytest.mark.parametrize(
    "change",
    [{"status": "done"}, {"msgId": None}, {"receivedTime": -1}, {"networkId": None}, {"deviceId": 7}],
)
async def test_a_bad_one_is_set_aside_and_the_rest_goes_on(service: Service, change: dict[str, Any]) -> None:
    assert await service.post(push([_reply() | change, _reply("t-2")])) == 204
    assert len(service.topics.to("quarantine")) == 1
    assert [one["deviceId"] for one in service.topics.events("outbound")] == ["d2"]


async def test_again_and_while_the_topic_fails_it_is_the_same(service: Service) -> None:
    service.topics.errors["outbound"] = [Transient("down")]
    assert await service.post(push([_reply()])) == 500
    for _ in range(2):
        assert await service.post(push([_reply()])) == 204
    first, second = service.topics.events("outbound")
    assert first == second
