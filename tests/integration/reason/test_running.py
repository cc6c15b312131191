"""Scripts on real emulators: what they read, decide and leave, by Google's own clients."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from fulcrum.core import fold
from fulcrum.core.writes import Write
from fulcrum.script.identity import effect_id
from tests.integration.reason.conftest import Reason
from tests.support.push_stack import CLOUD_PROJECT, eventually
from tests.support.reason import T, routed

SERIES = ["writer"]


def written(reason: Reason, count: int) -> list[dict[str, Any]]:
    """The messages to the writer, once there are as many."""
    found: list[dict[str, Any]] = []

    def enough() -> bool:
        for data, _ in reason.stack.pull("writer"):
            found.extend(data if isinstance(data, list) else [data])
        return len(found) >= count

    eventually(enough)
    return found


def rows(reason: Reason) -> list[dict[str, Any]]:
    """The rows of the project's runs."""
    client = bigquery.Client(
        project=CLOUD_PROJECT,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": reason.warehouse.http},
    )
    sql = "SELECT * FROM history.script_runs WHERE started > '2020-01-01' AND project_id = "
    try:
        return [dict(row) for row in client.query(f"{sql} '{reason.project}'").result()]
    finally:
        client.close()


TEXT = """
from fulcrum.script import needs

@needs("deviceData", "cache", "device", params=["limit"])
def run(message, context):
    n = context.cache.get("n", 0) + 1
    context.set_cache({"n": n})
    context.log(context.device["name"], context.device_data)
    if context.device_data.get("t", 0) > context.params["limit"]:
        context.set_device_data({"alarm": n})
        return False
    if n % 2:
        return {"data": {"odd": n}, "deviceId": "other"}
"""


async def test_a_batch_is_run_and_leaves_what_it_must(reason: Reason) -> None:
    reason.deploy(TEXT)
    registers: fold.Registers = {}
    fold.fold(registers, [((T - 1, "0"), fold.settle([Write("t", 5)]))])
    reason.device("hot", name="oven", registers=fold.encode(registers))
    # More than are read with the rest.
    batch = [reason.event(str(n), time=T + n, values={"x": n}) for n in range(32)]
    batch += [reason.event(f"hot-{n}", "hot", time=T + n, values={"t": 1}) for n in range(2)]
    reason.publish(routed(batch, route=SERIES, limit=3))
    found = written(reason, 32 + 16 + 2 + 2)
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for each in found:
        by_kind.setdefault(each.get("source") or each.get("kind", "data"), []).append(each)
    odd = [each for each in by_kind["data"] if each["data"][0]["path"] == "odd"]
    assert [(each["deviceId"], each["data"][0]["value"]) for each in odd] == [
        ("d1", n) for n in range(1, 33, 2)
    ]
    assert {each["id"] for each in by_kind["data"]} == {str(n) for n in range(32)}
    # What the oven's first event says is not written: its second one finds it as it was.
    inputs = {*(str(n) for n in range(0, 32, 2)), "hot-0", "hot-1"}
    assert {each["id"] for each in by_kind["input"]} == inputs
    assert {each["scriptId"] for each in by_kind["input"]} == {"alarm"}
    records = {each["_id"]: each for each in reason.below("runs")}
    alarms = by_kind["script"]
    assert {alarm["id"] for alarm in alarms} <= {effect_id(key, 0) for key in records}
    assert [alarm["data"] for alarm in alarms] == [[{"path": "alarm", "value": n}] for n in (1, 2)]
    assert all(each["expireAt"] > datetime.now(UTC) for each in records.values())
    caches = {each["deviceId"]: json.loads(each["value"]) for each in reason.below("caches")}
    assert caches == {"d1": {"n": 32}, "hot": {"n": 2}}
    kept = eventually(lambda: rows(reason))
    assert len(kept) == 34
    assert len({row["call_id"] for row in kept}) == 1
    oven = next(row for row in kept if row["event_id"] == "hot-0")
    assert oven["logs"][0]["text"] == "oven {'t': 5}"
    assert (oven["result"], oven["params"]) == ("stopped", {"limit": 3})


async def test_a_redelivery_changes_nothing(reason: Reason) -> None:
    reason.deploy(TEXT)
    batch = routed([reason.event(str(n), time=T + n) for n in range(12)], route=SERIES, limit=3)
    reason.publish(batch)
    first = written(reason, 12 + 6)
    reason.deploy(TEXT.replace('"odd"', '"changed"'))
    reason.publish(batch)
    second = written(reason, 12 + 6)
    assert sorted(map(json.dumps, first)) == sorted(map(json.dumps, second))
    assert [json.loads(each["value"]) for each in reason.below("caches")] == [{"n": 12}]
    eventually(lambda: len(rows(reason)) == 24)
    assert {row["repeated"] for row in rows(reason)} == {False, True}


async def test_while_stores_fail_each_event_goes_on_as_its_first_run_said(reason: Reason) -> None:
    reason.deploy(TEXT)
    for method in ("BatchGetDocuments", "Commit", "RunQuery"):
        reason.stack.faults("firestore", {"method": method, "error_rate": 0.3, "drop_answer_rate": 0.2})
    reason.stack.faults("pubsub", {"method": "Publish", "error_rate": 0.3, "code": "PERMISSION_DENIED"})
    for start in range(0, 60, 15):
        batch = [reason.event(str(n), time=T + n) for n in range(start, start + 15)]
        name = f"projects/{CLOUD_PROJECT}/topics/reason"
        eventually(lambda: _published(reason, name, routed(batch, route=SERIES, limit=3)))  # noqa: B023 at once
    found: dict[str, set[str]] = {}

    def complete() -> bool:
        for data, _ in reason.stack.pull("writer"):
            for each in data if isinstance(data, list) else [data]:
                if each.get("kind") != "input":
                    found.setdefault(each["id"], set()).add(json.dumps(each["data"]))
        return len(found) == 60

    eventually(complete, 60)
    reason.stack.faults("firestore")
    reason.stack.faults("pubsub")
    assert {len(texts) for texts in found.values()} == {1}
    odd = sorted(json.loads(*texts)[0]["value"] for texts in found.values() if "odd" in str(texts))
    assert odd == list(range(1, 61, 2))


def _published(reason: Reason, name: str, data: Any) -> bool:
    try:
        reason.publish(data)
    except Exception:
        return False
    return True


async def test_bad_input_is_set_aside_with_its_way_back(reason: Reason) -> None:
    reason.deploy("def run(message, context):\n    raise KeyError('x')\n")
    reason.publish(routed([reason.event("1"), {"type": "foreign"}], route=SERIES, limit=3))
    found = eventually(lambda: reason.stack.pull("quarantine"))
    kinds = {attributes["index"]: attributes for _, attributes in found}
    assert kinds["1"]["errorType"] == "message.unknownType"
    assert kinds["0"]["errorType"] == "script.failed"
    assert "KeyError" in kinds["0"]["message"]
    assert (kinds["0"]["topic"], json.loads(kinds["0"]["route"])) == ("reason", SERIES)
    assert json.loads(kinds["0"]["options"]) == {"reasoner": {"id": "alarm", "limit": 3}}


async def test_a_breaker_opens_in_the_script_s_state_and_leaves_the_rest_of_it(reason: Reason) -> None:
    version = reason.deploy("def run(message, context):\n    raise KeyError('x')\n")
    reason.publish(routed([reason.event(str(n), time=T + n) for n in range(20)], route=SERIES))

    def state() -> dict[str, Any]:
        return reason.stack.get(f"projects/{reason.project}/scriptStates/alarm") or {}

    breaker = json.loads(eventually(lambda: state().get("breaker")))
    assert (breaker["state"], breaker["failures"], breaker["version"]) == ("open", 20, version)
    assert (state()["version"], state()["url"]) == (version, reason.url)
    reason.publish(routed(reason.event("20"), route=SERIES))
    found: list[str] = []

    def waits() -> bool:
        found.extend(attributes["errorType"] for _, attributes in reason.stack.pull("quarantine"))
        return "script.breakerOpen" in found

    eventually(waits)
    # A new version is called at once, and closes it.
    reason.deploy("def run(message, context):\n    return None\n")
    reason.stack.advance(6)
    reason.publish(routed(reason.event("21"), route=SERIES))
    assert [each["id"] for each in written(reason, 1)] == ["21"]
