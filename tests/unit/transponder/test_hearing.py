"""Devices for which messages wait: the next sign of life is told, and no other event costs anything."""

from __future__ import annotations

from typing import Any

import pytest

from shared import clock
from shared.errors import Transient
from tests.support.transponder import PROJECT, T, Transponder, event, sets


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Transponder:
    return Transponder(monkeypatch)


def _heard(service: Transponder) -> list[Any]:
    return [data for data, _ in service.topics.on("outbound")]


SEEN = {"type": "deviceSeenMsg", "projectId": PROJECT, "deviceId": "d1"}


async def test_the_next_event_of_a_device_that_messages_wait_for_is_told(service: Transponder) -> None:
    service.firestore.put("d1")
    service.firestore.put("d2")
    await service.push([event(str(n), f"d{n}", data=sets({"a": n})) for n in (1, 2)])
    reads, writes = len(service.firestore.reads), len(service.firestore.writes)
    await service.push([event(f"x{n}", f"d{n}", time=T + 1, data=sets({"a": n})) for n in (1, 2)])
    # What is remembered serves, and nobody is told of anything.
    assert (len(service.firestore.reads), len(service.firestore.writes)) == (reads, writes + 1)
    assert _heard(service) == []
    service.firestore.put("d1", messagesWait=clock.now_ms() - 1)
    await service.push([event(f"y{n}", f"d{n}", time=T + 2, data=sets({"a": 9})) for n in (1, 2)])
    assert _heard(service) == [SEEN]
    ((_, attributes),) = service.topics.on("outbound")
    assert (attributes["projectId"], attributes["hops"]) == (PROJECT, "3")
    # The flag is whose it is: the device's own fields stay.
    assert service.firestore.device("d1")["messagesWait"] > 0
    assert service.firestore.device("d1")["data"] == {"a": 9}
    service.topics.published.clear()
    del service.firestore.device("d1")["messagesWait"]
    service.firestore.put("d1")
    await service.push(event("z", time=T + 3, data=sets({"a": 10})))
    assert _heard(service) == []


async def test_it_is_told_once_for_all_events_of_a_delivery(service: Transponder) -> None:
    service.firestore.put("d1", messagesWait=0)
    await service.push([event(str(n), time=T + n, data=sets({"a": n})) for n in range(5)])
    assert _heard(service) == [SEEN]


@pytest.mark.parametrize(
    ("wait", "changes"),
    [
        (60_000, {}),
        (-1, {"source": "api"}),
        (-1, {"source": "timer"}),
        (-1, {"kind": "input"}),
        (None, {}),
    ],
)
async def test_what_is_no_sign_of_life_or_comes_too_early_tells_nothing(
    service: Transponder, wait: int | None, changes: dict[str, Any]
) -> None:
    service.firestore.put("d1", **({} if wait is None else {"messagesWait": clock.now_ms() + wait}))
    await service.push(event("1", data=sets({"a": 1}), **changes))
    assert _heard(service) == []


async def test_what_could_not_be_told_comes_again(service: Transponder) -> None:
    service.firestore.put("d1", messagesWait=0)
    service.topics.errors.append(Transient("publishing: UNAVAILABLE"))
    assert await service.push(event("1", data=sets({"a": 1}))) == 503
    assert await service.push(event("1", data=sets({"a": 1}))) == 204
    assert _heard(service) == [SEEN]
