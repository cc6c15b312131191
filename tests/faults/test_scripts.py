"""Scripts in the route while calls fail, answers are lost, reason is killed and a new version is deployed.

Each text message, mail, timer and state effect is issued once, and all that came of an event are the same
run's; what a script replaced is written as replaced, what it stopped is not written.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared import clock
from tests.support.script_stack import PROJECT, SCRIPT, ScriptStack, script_stack

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

DEVICES, BATCH = 6, 12


class Size(NamedTuple):
    """How much is done: events, kills of reason, and how many runs are the first version's at least."""

    events: int
    kills: int
    first: int


# The script's function as it is deployed takes its time to start, and so a smaller part.
SIZES = {"doubled": Size(360, 5, 40), "confined": Size(120, 3, 15)}
# One call in five goes wrong: half of those before any work is done, half after it.
RATES = {"error_rate": 0.1, "drop_answer_rate": 0.1}
FAULTS: dict[str, list[dict[str, Any]]] = {
    "pubsub": [{"method": "*", **RATES}],
    "bigquery": [{"method": "*", **RATES}],
    # Not the queries by which the test looks.
    "firestore": [{"method": name, **RATES} for name in ("BatchGetDocuments", "Commit", "BatchWrite")],
}
TEXT = """
from fulcrum.script import needs

@needs("cache", "scriptCache", "deviceData")
def run(message, context):
    number = int(message["id"])
    n = context.cache.get("n", 0) + 1
    context.set_cache({"n": n})
    if number % 10 == 0:
        context.set_script_cache({"n": context.script_cache.get("n", 0) + 1})
    said = f"event {number} version VERSION place {n}"
    context.send_sms(said, to=["+4791234567"])
    context.send_email(said, to=["ada@example.com"], text=said)
    context.set_timer("watch", delay=60_000, params={"said": said})
    context.set_device_data({f"from/{message['deviceId']}/said": said}, device_id="parent")
    context.publish("audit", {"said": said})
    if number % 3 == 0:
        return False
    if number % 3 == 1:
        return {"data": [{"path": "said", "value": said}]}
"""
ROUTE = [{"topic": "reason", "options": {"reasoner": {"id": SCRIPT}}}, "writer"]


@contextmanager
def _killing(running: ScriptStack) -> Iterator[None]:
    """SIGKILL reason while the block runs, at random moments of its work."""
    dice = random.Random(3)
    over = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while not over.wait(dice.uniform(0.0, 0.4)):
                written = running.log.stat().st_size
                # It has begun to work: however slow the machine, something gets done between two kills.
                while not over.is_set() and running.log.stat().st_size == written:
                    time.sleep(0.005)
                time.sleep(dice.uniform(0.0, 0.2))
                running.kill()
        except BaseException as error:
            failures.append(error)

    killer = threading.Thread(target=work)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()
    assert not failures


def _events(first: int, count: int, began: int) -> list[dict[str, Any]]:
    return [
        {
            "type": "inboundDataEventMsg",
            "id": str(number),
            "hash": f"h{number}",
            "time": began + number,
            "receivedTime": began + number,
            "projectId": PROJECT,
            "deviceId": f"d{number % DEVICES}",
            "data": [{"path": "n", "value": number}],
        }
        for number in range(first, first + count)
    ]


def _publish(running: ScriptStack, batches: list[list[dict[str, Any]]], dice: random.Random) -> None:
    """Publish as whoever does not know what is done, and repeats it."""
    for batch in batches:
        for _ in range(1 + dice.randrange(3)):
            running.stack.publish("default-processor", batch, v="1", hops="1", projectId=PROJECT)
        time.sleep(0.1)


def _said(texts: list[str]) -> dict[int, str]:
    """What was said of each event, exactly once."""
    found: dict[int, str] = {}
    for text in texts:
        number = int(text.split()[1])
        assert number not in found, (text, found[number])
        found[number] = text
    return found


@pytest.mark.parametrize("function", SIZES)
def test_each_effect_is_issued_once_and_is_the_first_run_s(tmp_path: Path, function: str) -> None:
    size = SIZES[function]
    with script_stack(tmp_path, fail=0.2, confined=function == "confined") as running:
        for version in (1, 2):
            running.write(version, TEXT.replace("VERSION", str(version)))
        running.serve(1)
        running.tell(1)
        running.device("parent")
        for number in range(DEVICES):
            running.device(f"d{number}", ROUTE)
        began = clock.now_ms()
        batches = [_events(first, BATCH, began) for first in range(0, size.events, BATCH)]
        dice = random.Random(1)
        for store, rules in FAULTS.items():
            running.faults(store, *rules)
        half = len(batches) // 2
        with _killing(running):
            _publish(running, batches[:half], dice)
            # The first version has had its share, and is at work.
            running.until(lambda: len(running.stack.collection(f"projects/{PROJECT}/runs")) > size.first, 180)
            running.serve(2)
            _publish(running, batches[half:], dice)
            running.tell(2)
            running.until(lambda: running.kills >= size.kills)
        for store in FAULTS:
            running.faults(store)
        running.drain(180)
        _check(running, size.events)


def _check(running: ScriptStack, events: int) -> None:
    stack, every = running.stack, set(range(events))
    assert stack.pull("quarantine") == []
    outbox = stack.collection(f"projects/{PROJECT}/outbox")
    texts = _said([each["message"] for each in outbox if each["kind"] == "sms"])
    mails = _said([each["subject"] for each in outbox if each["kind"] == "email"])
    assert set(texts) == every
    assert mails == texts
    assert {text.split()[3] for text in texts.values()} == {"1", "2"}
    # Of a topic that nobody takes one id once: the messages of one id say the same.
    assert _by_id(stack, "audit", lambda message: message["said"]) == texts
    assert _by_id(stack, "scheduler", lambda message: _params(message)["said"]) == texts
    # Each event has its own place in its device's cache: each was counted once.
    places: dict[int, set[int]] = defaultdict(set)
    for number, text in texts.items():
        places[number % DEVICES].add(int(text.split()[-1]))
    assert places == {device: set(range(1, events // DEVICES + 1)) for device in range(DEVICES)}
    caches = stack.collection(f"projects/{PROJECT}/caches")
    assert [json.loads(each["value"]) for each in caches] == [{"n": events // DEVICES}] * DEVICES
    (shared,) = stack.collection(f"projects/{PROJECT}/scriptCaches")
    assert json.loads(shared["value"]) == {"n": events // 10}
    _check_history(running, texts)


def _params(message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = message["action"]["message"]["options"]["reasoner"]
    return found


def _by_id(stack: Any, topic: str, said: Any) -> dict[int, str]:
    """What a topic was told, each id once (a timer's is its stamp's)."""
    found: dict[str, str] = {}
    for data, _ in stack.pull(topic):
        for message in data if isinstance(data, list) else [data]:
            effect = message["stamp"][1] if "stamp" in message else message["id"]
            assert found.setdefault(effect, said(message)) == said(message)
    return _said(list(found.values()))


def _check_history(running: ScriptStack, texts: dict[int, str]) -> None:
    rows = running.rows("device_events", "time")
    script = {row["event_id"]: row for row in rows if row["device_id"] == "parent"}
    assert {row["script_id"] for row in script.values()} == {SCRIPT}
    values = [next(iter(row["data"]["from"].values()))["said"] for row in script.values()]
    assert _said(values) == texts
    own = [row for row in rows if row["device_id"] != "parent"]
    written = {int(row["event_id"]): row["data"] for row in own if row["kind"] == "data"}
    assert written == {
        number: {"said": text} if number % 3 == 1 else {"n": number}
        for number, text in texts.items()
        if number % 3
    }
    inputs = {int(row["event_id"]): row["data"] for row in own if row["kind"] == "input"}
    assert inputs == {number: {"n": number} for number in texts if number % 3 != 2}
    (people,) = running.query(
        "SELECT COUNT(*) AS n FROM "
        f"history.events('{PROJECT}', TIMESTAMP '2020-01-01', TIMESTAMP '2100-01-01')"
    )
    assert people["n"] == len(written) + len(script)
    runs = running.rows("script_runs", "started")
    assert {row["event_id"] for row in runs} == set(map(str, texts))
    assert all(row["status"] == "done" for row in runs)
    assert {row["event_id"]: str(row["version"]) for row in runs} == {
        str(number): text.split()[3] for number, text in texts.items()
    }
    parent = running.stack.get(f"projects/{PROJECT}/devices/parent")
    assert parent is not None
    latest = {number % DEVICES: text for number, text in sorted(texts.items())}
    assert parent["data"]["from"] == {f"d{device}": {"said": text} for device, text in latest.items()}
