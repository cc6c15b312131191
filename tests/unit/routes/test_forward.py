"""Going on along the rest of a route, as every service does that is done with a routeMsg."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.clients import pubsub
from shared.envelope import Delivery, check_hops
from shared.errors import Rejected, Transient
from shared.forward import Onward, onward, pack
from shared.messages import MAX_BATCH_BYTES
from shared.routes import Step
from tests.support.processing import Topics


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> Topics:
    made = Topics({"writer", "audit", "reason"})
    monkeypatch.setattr(pubsub, "publish", made.publish)
    return made


def _message(number: int, project: str = "farm", **device: Any) -> Onward:
    data = {"type": "deviceDataEventMsg", "id": str(number), "data": [{"path": "t", "value": number}]}
    return Onward(json.dumps(data).encode(), project, device)


async def test_messages_go_to_the_next_topics_with_what_remains(topics: Topics) -> None:
    route = [{"topic": "audit", "options": {"o": 1}}, "writer"]
    assert await onward([_message(1), _message(2)], route, 4) == {}
    ((data, attributes),) = topics.to("audit")
    assert [message["id"] for message in data["message"]] == ["1", "2"]
    assert (data["options"], data["route"]) == ({"o": 1}, ["writer"])
    assert attributes == {"v": "1", "hops": "5", "projectId": "farm"}


async def test_without_messages_or_route_nothing_is_published(topics: Topics) -> None:
    assert await onward([], ["writer"], 0) == {}
    assert await onward([_message(1)], None, 0) == {}
    assert await onward([_message(1)], [], 0) == {}
    assert topics.calls == []


async def test_conditions_are_judged_on_each_message_and_its_device(topics: Topics) -> None:
    rose = {"type": "delta", "path": "t", "op": "ge", "value": 5}
    route = [{"topic": "audit", "condition": rose}, "writer"]
    messages = [_message(1, data={"t": 0}), _message(9, data={"t": 0}), _message(5)]
    assert await onward(messages, route, 0) == {}
    assert [event["id"] for event in topics.events("audit")] == ["9", "5"]
    assert [event["id"] for event in topics.events("writer")] == ["1"]


async def test_what_cannot_go_on_is_returned_by_its_index(topics: Topics) -> None:
    refused = await onward([_message(1), _message(2)], [5], 0)
    assert {index: error.error_type for index, error in refused.items()} == dict.fromkeys(
        (0, 1), "route.invalid"
    )
    hot = {"type": "attribute", "path": "msg/data/t", "op": "gt", "value": 1}
    refused = await onward([_message(1), _message(2)], [{"topic": "nowhere", "condition": hot}, "writer"], 0)
    assert {index: error.error_type for index, error in refused.items()} == {1: "topic.unknown"}
    assert [event["id"] for event in topics.events("writer")] == ["1"]


async def test_a_topic_that_fails_is_transient(topics: Topics) -> None:
    topics.errors["writer"] = [Transient("down")]
    with pytest.raises(Transient):
        await onward([_message(1)], {"writer": True, "audit": True}, 0)
    assert topics.calls.count("audit") == 1


async def test_parcels_of_one_topic_beyond_what_a_call_takes_go_in_several(topics: Topics) -> None:
    large = [Onward(b'{"x":"' + b"a" * 950_000 + b'"}', "farm", {}) for _ in range(12)]
    assert await onward(large, ["writer"], 0) == {}
    assert topics.calls == ["writer"] * 2
    assert len(topics.to("writer")) == 12


def test_a_parcel_with_its_wrapper_stays_below_a_megabyte() -> None:
    step = Step("writer", {"o": "x" * 50_000}, ["audit"])
    parcels = pack([b'{"a":"' + b"x" * 990 + b'"}'] * 1000, ["p"] * 1000, [[step]] * 1000, 1)["writer"]
    assert sum(len(parcel.items) for parcel in parcels) == 1000
    assert max(len(parcel.data) for parcel in parcels) <= MAX_BATCH_BYTES
    assert max(len(parcel.items) for parcel in parcels) <= 500


def test_hops_are_counted_and_cut() -> None:
    for hops, passes in (("16", True), ("17", False), ("x", True), ("99999", False)):
        delivery = Delivery("m", b"", {"hops": hops}, "", "", 0)
        if passes:
            check_hops(delivery)
        else:
            with pytest.raises(Rejected, match="passed"):
                check_hops(delivery)


def test_a_parcel_is_of_one_project_alone() -> None:
    steps = [[Step("writer", {}, [])]] * 4
    parcels = pack([b"1", b"2", b"3", b"4"], ["a", "b", "a", ""], steps, 1)["writer"]
    assert [(parcel.data, parcel.attributes.get("projectId")) for parcel in parcels] == [
        (b"[1,3]", "a"),
        (b"2", "b"),
        (b"4", None),
    ]
