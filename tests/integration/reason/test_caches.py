"""Devices' caches on a real store: kept by the instance, confirmed by counts, read where others wrote."""

from __future__ import annotations

import json
from typing import Any

from fulcrum.core import ids
from tests.integration.reason.conftest import Reason
from tests.integration.reason.test_running import rows
from tests.support.push_stack import eventually
from tests.support.reason import T, routed

DEVICES = 35
TEXT = """
from fulcrum.script import needs

@needs("cache")
def run(message, context):
    n = context.cache.get("n", 0) + 1
    context.set_cache({"n": n})
    context.log(n)
"""


def _told(reason: Reason, place: int, count: int = DEVICES) -> dict[str, int]:
    """What the script said of each device at a batch of one event each, once all is there."""
    found: dict[str, int] = {}

    def enough() -> bool:
        for row in rows(reason):
            if row["event_id"] == str(place):
                found[row["device_id"]] = int(row["logs"][0]["text"])
        return len(found) == count

    eventually(enough)
    return found


def _batch(reason: Reason, place: int) -> dict[str, Any]:
    return routed([reason.event(str(place), f"d{each}", time=T + place) for each in range(DEVICES)])


async def test_each_event_sees_the_cache_that_stands_in_the_store(reason: Reason) -> None:
    reason.deploy(TEXT)
    for place in (1, 2, 3):
        reason.publish(_batch(reason, place))
        assert _told(reason, place) == {f"d{each}": place for each in range(DEVICES)}
    changed = f"projects/{reason.project}/caches/{ids.digest('alarm', 'd4')}"
    fields = {"scriptId": "alarm", "deviceId": "d4", "value": '{"n":40}'}
    # By another instance; by one that knows no marks.
    for place, mark in ((4, {"mark": "another"}), (5, {})):
        reason.stack.put(changed, **fields, **mark)
        reason.publish(_batch(reason, place))
        assert _told(reason, place) == {f"d{each}": 41 if each == 4 else place for each in range(DEVICES)}
    # The same batch once more finds its records.
    reason.publish(_batch(reason, 5))
    eventually(lambda: sum(row["event_id"] == "5" and row["repeated"] for row in rows(reason)) == DEVICES)
    assert {json.loads(each["value"])["n"] for each in reason.below("caches")} == {5, 41}
