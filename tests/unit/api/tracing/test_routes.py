"""The operation, on a history, a log, a quarantine and an outbox that are there."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from fulcrum.script.identity import effect_id
from shared import clock, outbound
from tests.support.api import Api
from tests.support.history import History, event, rows_of
from tests.unit.api.tracing.conftest import Log, append_runs


class Farm:
    """A project with devices d1 and d2 in system s1, and what is known of the event ``e`` of d1."""

    def __init__(self, api: Api, history: History, log: Log) -> None:
        self.api, self.history, self.log = api, history, log
        self.project = api.project(ids.new_id())
        self.at = clock.now_ms() - 60_000
        # Messages of Pub/Sub have ids that no other has.
        self.inbound, self.written = ids.new_id(), ids.new_id()
        where = api.documents.document(f"projects/{self.project}")
        self.where = where
        where.collection("systems").document("s1").set({"name": "s1", "version": 1})
        for device in ("d1", "d2"):
            fields = {"name": device, "systemId": "s1", "blueprintId": "b1", "networkId": "n1"}
            where.collection("devices").document(device).set(fields)

    def store(self, **changes: Any) -> None:
        """A row of the event."""
        one = event(self.project, self.at, {"t": 1}, **{"id": "e", **changes})
        self.history.append(rows_of([one], self.written))

    def say(self) -> None:
        """The lines of the event's way."""
        write = self.log.write
        write(self.at + 3, "ingest", "events published", published=[self.inbound], events=1, ms=2)
        own: dict[str, Any] = {"projectId": self.project, "attempt": 1}
        done: dict[str, Any] = {"messages": 1, "forwarded": 1, "published": [self.written]}
        write(self.at + 9, "message_processor", "batch", messageId=self.inbound, **own, **done)
        write(self.at + 30, "transponder", "batch stored", messageId=self.written, events=1, **own)

    async def ask(self, event_id: str = "e", token: str = "", **query: Any) -> httpx.Response:
        """The answer about an event; to who may do everything unless a token says who asks."""
        token = token or self.api.user(self.project, "*")
        async with self.api.client(token) as client:
            return await client.get(f"/v1/project/{self.project}/trace/{event_id}", params=query)


@pytest.fixture
def farm(api: Api, history: History, log: Log) -> Farm:
    return Farm(api, history, log)


def steps(answer: httpx.Response) -> list[tuple[str, str]]:
    """Service and what of the one event's steps."""
    assert answer.status_code == 200, answer.text
    (trace,) = answer.json()["traces"]
    return [(step["service"], step["what"]) for step in trace["steps"]]


WHOLE = [
    ("ingest", "received"),
    ("ingest", "published"),
    ("message_processor", "routed"),
    ("transponder", "stored"),
]


async def test_the_whole_way_is_told_with_few_calls(farm: Farm) -> None:
    farm.store()
    farm.say()
    farm.log.calls()
    answer = await farm.ask()
    assert steps(answer) == WHOLE
    assert (answer.json()["logs"], answer.json()["count"]) == ("found", 1)
    assert answer.json()["traces"][0]["totalMs"] == 30
    # The writer's message, and the one before it.
    assert farm.log.calls() == 2
    assert steps(await farm.ask(deviceId="d1")) == WHOLE
    assert (await farm.ask(deviceId="d2")).status_code == 404


async def test_without_a_log_the_stored_times_are_told_and_it_says_so(farm: Farm) -> None:
    farm.store()
    answer = await farm.ask()
    assert steps(answer) == [("ingest", "received"), ("transponder", "stored")]
    assert answer.json()["logs"] == "none"
    assert "30 days" in answer.json()["notes"][0]


@pytest.mark.parametrize(
    ("code", "says"), [("UNAVAILABLE", "did not answer"), ("PERMISSION_DENIED", "roles/logging.viewer")]
)
async def test_a_log_that_fails_costs_its_lines_alone(farm: Farm, code: str, says: str) -> None:
    farm.store()
    farm.say()
    farm.log.faults({"method": "ListLogEntries", "error_rate": 1, "code": code})
    answer = await farm.ask()
    assert steps(answer) == [("ingest", "received"), ("transponder", "stored")]
    assert answer.json()["logs"] == "unavailable"
    assert says in answer.json()["notes"][0]


async def test_a_history_that_fails_is_an_error(farm: Farm) -> None:
    farm.history.faults({"method": "jobs.insert", "error_rate": 1, "code": "RESOURCE_EXHAUSTED"})
    answer = await farm.ask()
    assert (answer.status_code, answer.json()["error"]) == (503, "history.unavailable")


async def test_nothing_knows_it_says_where_to_look(farm: Farm) -> None:
    answer = await farm.ask("nowhere")
    assert (answer.status_code, answer.json()["error"]) == (404, "trace.notFound")
    assert "unknownDevices" in answer.json()["description"]
    assert (await farm.ask("e", since="5000-01-01")).status_code == 400
    assert (await farm.ask("e", since="gestern")).status_code == 400


async def test_an_id_with_anything_in_it_is_found(farm: Farm) -> None:
    odd = 'a/b "c\\" OR é'
    farm.store(id=odd)
    async with farm.api.client(farm.api.user(farm.project, "*")) as client:
        answer = await client.get(f"/v1/project/{farm.project}/trace/a%2Fb%20%22c%5C%22%20OR%20%C3%A9")
    assert answer.json()["eventId"] == odd
    assert steps(answer)[-1] == ("transponder", "stored")


async def test_an_old_event_is_found_by_its_device_or_since(farm: Farm) -> None:
    farm.at -= 30 * 86_400_000
    farm.store()
    assert (await farm.ask()).status_code == 404
    assert (await farm.ask(since=str(farm.at))).status_code == 200
    assert (await farm.ask(deviceId="d1")).status_code == 200


async def test_an_event_that_nothing_stored_is_found_by_ingests_line(farm: Farm) -> None:
    # The same id of another project, published together with it.
    other = ids.new_id()
    named = [f"mine/{farm.project}", f"{farm.project}/gone"]
    farm.log.write(
        farm.at + 3,
        "ingest",
        "events published",
        published=[other, farm.inbound],
        events=2,
        ms=2,
        eventIds=named,
    )
    done: dict[str, Any] = {"messages": 1, "forwarded": 0, "attempt": 1}
    farm.log.write(
        farm.at + 9,
        "message_processor",
        "batch",
        messageId=farm.inbound,
        projectId=farm.project,
        unknown=1,
        **done,
    )
    farm.log.write(
        farm.at + 9,
        "message_processor",
        "batch",
        messageId=other,
        projectId="mine",
        ended=1,
        unknown=0,
        **done,
    )
    answer = await farm.ask("gone")
    assert steps(answer) == [
        ("ingest", "received"),
        ("ingest", "published"),
        ("message_processor", "unknownDevice"),
    ]
    assert other not in answer.text
    # By another case of its letters the log finds it, and it is not it.
    assert (await farm.ask("GONE")).status_code == 404


async def test_unknown_names_and_quarantine_are_looked_through(farm: Farm) -> None:
    sample = f'{{"id": "u", "receivedTime": {farm.at}}}'
    unknown = {"networkId": "n1", "value": "room-9", "lastSeen": farm.at, "sample": sample}
    farm.where.collection("unknownDevices").document("x").set(unknown)
    assert steps(await farm.ask("u")) == [("ingest", "received"), ("message_processor", "unknownDevice")]
    entry = {"errorType": "script.failed", "message": "boom", "service": "reason", "time": farm.at}
    farm.where.collection("quarantine").document("q").set(
        entry | {"eventIds": ["q1"], "sourceMessageId": "m"}
    )
    answer = await farm.ask("q1")
    assert steps(answer) == [("reason", "setAside")]
    step = answer.json()["traces"][0]["steps"][0]
    assert (step["errorType"], step["error"], step["entryId"]) == ("script.failed", "boom", "q")


async def test_what_a_run_led_to_is_told(farm: Farm) -> None:
    farm.store()
    effects = (
        '[{"type": "sendSms", "message": {"message": "secret"}}, {"type": "setDeviceData", "deviceId": "d2"}]'
    )
    run: dict[str, Any] = {
        "project_id": farm.project,
        "script_id": "s",
        "started": (farm.at + 50) * 1000,
        "run_key": f"k{farm.project}",
        "stored_time": (farm.at + 60) * 1000,
        "version": 2,
        "entry": "run",
        "device_id": "d1",
        "event_id": "e",
        "content_hash": "h-e",
        "received_time": farm.at * 1000,
        "status": "done",
        "result": "unchanged",
        "effects": effects,
        "wall_us": 900,
    }
    append_runs(run)
    sms, data = (effect_id(run["run_key"], index) for index in (0, 1))
    farm.store(id=data, hash=data, device_id="d2", source="script")
    sent = {"kind": "sms", "source": sms, "recipients": ["+1"], "message": "secret", "time": farm.at + 90}
    failed = {"state": "failed", "error": {"code": "twilio.21211", "text": "no number"}}
    farm.where.collection("outbox").document("o").set(sent | failed)
    answer = await farm.ask()
    assert steps(answer)[0] == ("ingest", "received")
    assert sorted(steps(answer)[1:]) == [
        ("messenger", "sent"),
        ("reason", "effect"),
        ("reason", "effect"),
        ("reason", "ran"),
        ("transponder", "stored"),
        ("transponder", "stored"),
    ]
    assert "secret" not in answer.text
    assert "text message to 1 recipient, failed (twilio.21211)" in answer.text
    # By the effect's own id its way is told, too.
    assert ("transponder", "stored") in steps(await farm.ask(data))


async def test_a_message_to_a_device_is_told_to_who_may_read_all(farm: Farm) -> None:
    farm.store()
    run: dict[str, Any] = {
        "project_id": farm.project,
        "script_id": "s",
        "started": (farm.at + 50) * 1000,
        "run_key": f"k{farm.project}",
        "stored_time": (farm.at + 60) * 1000,
        "version": 2,
        "entry": "run",
        "device_id": "d1",
        "event_id": "e",
        "content_hash": "h-e",
        "status": "done",
        "effects": '[{"type": "sendMessage", "deviceId": "d2", "message": "secret"}]',
    }
    append_runs(run)
    record = outbound.Record(
        project_id=farm.project,
        msg_id=effect_id(run["run_key"], 0),
        device_id="d2",
        network_id="n",
        transport="custom",
        message='"secret"',
        created=farm.at + 60,
        changed=farm.at + 90,
        expire_time=farm.at + 60_000,
        state="failed",
        error='reported: "secret"',
    )
    farm.where.collection("outbound").document(record.msg_id).set(outbound.to_fields(record))
    answer = await farm.ask()
    assert steps(answer)[-1] == ("rest_outbound", "sent")
    assert answer.json()["traces"][0]["steps"][-1]["text"] == "message to the device, failed (reported)"
    assert "secret" not in answer.text
    one = farm.api.user(farm.project, "device.readHistory", on=("device", "d1"))
    assert ("rest_outbound", "sent") not in steps(await farm.ask(token=one))


async def test_what_a_timer_had_run_is_told_with_what_set_it(farm: Farm) -> None:
    farm.store()
    run: dict[str, Any] = {
        "project_id": farm.project,
        "script_id": "s",
        "started": (farm.at + 50) * 1000,
        "run_key": f"k{farm.project}",
        "stored_time": (farm.at + 60) * 1000,
        "version": 2,
        "entry": "run",
        "device_id": "d1",
        "event_id": "e",
        "content_hash": "h-e",
        "status": "done",
        "effects": '[{"type": "setTimer", "timerId": "t"}, {"type": "setTimer", "timerId": "u"}]',
    }
    by = effect_id(run["run_key"], 0)
    fired = run | {
        "started": (farm.at + 30_000) * 1000,
        "run_key": f"k2{farm.project}",
        "entry": "quiet",
        "event_id": "fire",
        "content_hash": None,
        "message": f'{{"type": "reasonRunScript", "setBy": "{by}"}}',
        "effects": '[{"type": "sendSms", "message": {"message": "secret"}}]',
    }
    append_runs(run, {name: value for name, value in fired.items() if value is not None})
    sms = effect_id(fired["run_key"], 0)
    sent = {"kind": "sms", "source": sms, "recipients": ["+1"], "message": "secret", "time": farm.at + 30_090}
    farm.where.collection("outbox").document("o").set(sent)
    answer = await farm.ask()
    assert [what for _, what in steps(answer)] == [
        *("received", "stored", "ran", "effect", "effect", "ran", "effect", "sent"),
    ]
    told = {step["id"]: step for step in answer.json()["traces"][0]["steps"]}
    assert [told[number].get("parent") for number in ("6", "7", "8")] == ["4", "6", "7"]
    assert told["4"]["eventId"] == by
    # Who may read the device alone is told of it as well.
    one = farm.api.user(farm.project, "device.readHistory", on=("device", "d1"))
    assert ("reason", "ran") in steps(await farm.ask(token=one))[5:]
    other = farm.api.user(farm.project, "device.readHistory", on=("device", "d2"))
    assert (await farm.ask("fire", token=other)).status_code == 404


async def test_a_copy_at_a_device_above_is_told(farm: Farm) -> None:
    farm.store()
    farm.store(id=ids.digest("d1", "e"), hash="h-e", device_id="d2")
    answer = await farm.ask()
    assert sorted(steps(answer)) == [
        ("ingest", "received"),
        ("transponder", "copied"),
        ("transponder", "stored"),
    ]
    # Who may read the lower device alone is not told of the one above.
    one = farm.api.user(farm.project, "device.readHistory", on=("device", "d1"))
    assert ("transponder", "copied") not in steps(await farm.ask(token=one))


async def test_who_may_read_one_device_is_told_of_that_one_alone(farm: Farm) -> None:
    farm.store()
    farm.store(device_id="d2")
    farm.say()
    entry = {"errorType": "x", "message": "", "service": "reason", "time": farm.at, "eventIds": ["e", "only"]}
    farm.where.collection("quarantine").document("q").set(entry)
    whole = await farm.ask()
    assert sorted(trace["deviceId"] for trace in whole.json()["traces"]) == ["d1", "d2"]
    one = farm.api.user(farm.project, "device.readHistory", on=("device", "d1"))
    answer = await farm.ask(token=one)
    assert [trace["deviceId"] for trace in answer.json()["traces"]] == ["d1"]
    assert "quarantine.list" in " ".join(answer.json()["notes"])
    assert (await farm.ask("only", token=one)).status_code == 404
    assert (await farm.ask(token=one, deviceId="d2")).status_code == 403
    nobody = farm.api.user(farm.project, "device.read")
    assert (await farm.ask(token=nobody)).status_code == 403
    reader = farm.api.user(farm.project, "device.readHistory")
    assert (await farm.ask("only", token=reader)).status_code == 404


async def test_another_projects_event_is_not_known(farm: Farm, api: Api, history: History, log: Log) -> None:
    farm.store()
    farm.say()
    other = Farm(api, history, log)
    assert (await other.ask()).status_code == 404
