"""Whatever comes again, in whatever company, while whatever fails: scripts have the same effects."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.config import settings as configuration
from shared.errors import Transient
from tests.support.reason import Reason, T, event, lost, routed

EVENTS, DEVICES = 10, 2
TEXT = """
from fulcrum.script import needs

@needs("cache", "scriptCache", "deviceData")
def run(message, context):
    number, n = int(message["id"]), context.cache.get("n", 0) + 1
    context.set_cache({"n": n})
    said = f"event {number} version VERSION place {n}"
    context.send_sms(said, to=["+4791234567"])
    context.set_device_data({"said": said}, device_id="parent")
    context.set_timer("watch", delay=60_000, params={"said": said})
    if number % 4 == 0:
        context.set_script_cache({"n": context.script_cache.get("n", 0) + 1})
    if number % 3 == 0:
        return False
    if number % 3 == 1:
        return {"data": {"said": said}}
"""

FAULTS: tuple[Callable[[Reason], None], ...] = (
    lambda reason: reason.documents.read_errors.append(Transient("UNAVAILABLE")),
    lambda reason: reason.functions.errors.append(Transient("503")),
    lambda reason: reason.documents.before_commit.append(lost),
    lambda reason: reason.documents.after_commit.append(lost),
    lambda reason: reason.topics.errors.setdefault("messenger", []).append(Transient("UNAVAILABLE")),
    lambda reason: reason.topics.errors.setdefault("scheduler", []).append(Transient("UNAVAILABLE")),
    lambda reason: reason.topics.errors.setdefault("writer", []).append(Transient("UNAVAILABLE")),
    lambda reason: reason.runs.errors.append(Transient("UNAVAILABLE")),
)

# Deliveries at the same time: each some of the events, in some order, some of them twice.
_batch = st.lists(st.integers(0, EVENTS - 1), min_size=1, max_size=6)
_step = st.one_of(
    st.tuples(
        st.just("deliver"), st.lists(_batch, min_size=1, max_size=3), st.lists(st.sampled_from(FAULTS))
    ),
    st.tuples(st.just("deploy"), st.booleans(), st.just(None)),
)


def _delivery(numbers: list[int]) -> dict[str, Any]:
    batch = [
        event(
            str(number),
            f"d{number % DEVICES}",
            time=T + number,
            receivedTime=T + number,
            values={"n": number},
        )
        for number in numbers
    ]
    return routed(batch, route=["writer"])


def _said(texts: list[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for text in texts:
        number = int(text.split()[1])
        assert number not in found
        found[number] = text
    return found


def _once(messages: list[dict[str, Any]], said: Callable[[dict[str, Any]], str]) -> dict[int, str]:
    """What messages say, each id once; of one id all must say the same."""
    found: dict[str, str] = {}
    for message in messages:
        identity = message["stamp"][1] if "stamp" in message else message["id"]
        assert found.setdefault(identity, said(message)) == said(message)
    return _said(list(found.values()))


def _timer_says(message: dict[str, Any]) -> str:
    return str(message["action"]["message"]["options"]["reasoner"]["said"])


async def _play(reason: Reason, steps: list[Any]) -> None:
    version = 1
    reason.deploy(TEXT.replace("VERSION", "1"), 1)
    for kind, what, faults in steps:
        if kind == "deploy":
            version += 1
            reason.deploy(TEXT.replace("VERSION", str(version)), version, told=what)
            continue
        for fault in faults:
            fault(reason)
        await asyncio.gather(
            *(reason.push(_delivery(numbers), message_id=str(place)) for place, numbers in enumerate(what))
        )
    # In the end everything has come through.
    for number in range(EVENTS):
        await reason.push_until_done(_delivery([number]))
    await reason.client.aclose()


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.lists(_step, max_size=8))
def test_any_interleaving_of_redeliveries_gives_each_effect_once(steps: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        try:
            reason = Reason(patch, Path(folder))
            for device in ("d0", "parent"):
                reason.device(device)
            asyncio.run(_play(reason, steps))
        finally:
            patch.undo()
            configuration.cache_clear()
    texts = _once(reason.topics.events("messenger"), lambda each: str(each["message"]))
    assert set(texts) == set(range(EVENTS))
    timers = reason.topics.events("scheduler")
    assert _once(timers, _timer_says) == texts
    written = reason.topics.events("writer")
    own = [each for each in written if each["deviceId"] == "parent"]
    assert _once(own, lambda each: str(each["data"][0]["value"])) == texts
    for number, text in texts.items():
        mine = [each for each in written if each["id"] == str(number)]
        data = {json.dumps(each["data"]) for each in mine if each.get("kind") != "input"}
        expected: Any = {"path": "said", "value": text} if number % 3 == 1 else {"path": "n", "value": number}
        assert data == ({json.dumps([expected])} if number % 3 else set())
        kept = {json.dumps(each["data"]) for each in mine if each.get("kind") == "input"}
        assert kept == ({json.dumps([{"path": "n", "value": number}])} if number % 3 != 2 else set())
    for remainder in range(DEVICES):
        places = sorted(
            int(text.split()[-1]) for number, text in texts.items() if number % DEVICES == remainder
        )
        assert places == list(range(1, EVENTS // DEVICES + 1))
    caches = reason.documents.below("caches").values()
    assert [json.loads(each["value"]) for each in caches] == [{"n": EVENTS // DEVICES}] * DEVICES
    assert json.loads(reason.documents.below("scriptCaches")["alarm"]["value"]) == {"n": -(-EVENTS // 4)}
    assert reason.quarantined() == []
