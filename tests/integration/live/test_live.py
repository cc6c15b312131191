"""The live feed of a running API, on ours and on Google's emulators: who hears what, what stays behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from shared import clock
from tests.support.api import Api, environment
from tests.support.push_stack import CLOUD_PROJECT, KINDS, PushStack, eventually, push_stack

BLUEPRINT = {"name": "Cold store", "alias": "coldStore"}


@pytest.fixture(scope="module", params=KINDS)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushStack]:
    with push_stack(tmp_path_factory.mktemp("live"), "api", kind=request.param) as made:
        yield made


@pytest.fixture
def api(stack: PushStack) -> Iterator[Api]:
    with environment(stack.firestore):
        yield Api(stack.firestore, stack.documents)


class Heard:
    """What a listener has heard, one event at a time."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()
        self.id = ""

    def next(self) -> tuple[str, Any]:
        """The name and the content of the next event."""
        event: dict[str, str] = {}
        for line in self._lines:
            if line == "" and "event" in event:
                self.id = event.get("id", self.id)
                return event["event"], json.loads(event["data"])
            if line and not line.startswith(":"):
                key, _, value = line.partition(": ")
                event[key] = value
        raise AssertionError("the stream ended")


@contextmanager
def listening(stack: PushStack, token: str, query: str = "", **headers: str) -> Iterator[Heard]:
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    headers |= {"Authorization": f"Bearer {token}"}
    url = f"{stack.urls['api']}v1/live?{query}"
    with httpx.stream("GET", url, headers=headers, timeout=30) as answer:
        assert answer.status_code == 200, answer.read()
        heard = Heard(answer)
        assert heard.next()[0] == "ready"
        yield heard


def publish(stack: PushStack, project: str, device: str, value: Any, system: str = "s") -> None:
    now = clock.now_ms()
    message = {
        "type": "deviceDataEventMsg", "id": ids.new_id(), "hash": "h", "time": now, "receivedTime": now,
        "projectId": project, "deviceId": device, "systemId": system, "blueprintId": "b",
        "data": [{"path": "t", "value": value}],
    }  # fmt: skip
    stack.publish("writer", message, projectId=project)


def change(stack: PushStack, token: str, project: str, alias: str) -> dict[str, Any]:
    answer = httpx.post(
        f"{stack.urls['api']}v1/project/{project}/blueprints",
        json=BLUEPRINT | {"alias": alias},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def subscriptions(stack: PushStack) -> list[str]:
    found = stack.subscriber.list_subscriptions(project=f"projects/{CLOUD_PROJECT}")
    return [s.name for s in found if s.name.rpartition("/")[2].startswith("live-")]


def test_device_events_and_changes_are_heard_and_nothing_stays_behind(stack: PushStack, api: Api) -> None:
    project = api.project(ids.new_id())
    token = api.user(project, "device.readData", "blueprint.read", "blueprint.create")
    eventually(lambda: not subscriptions(stack))
    with listening(stack, token) as heard:
        assert len(subscriptions(stack)) == 1
        publish(stack, project, "d1", 21.5)
        name, body = heard.next()
        assert (name, body["deviceId"], body["data"]) == ("data", "d1", {"t": 21.5})
        made = change(stack, token, project, "one")
        name, body = heard.next()
        assert (name, body["kind"], body["resourceId"], body["verb"]) == (
            "changed", "blueprint", made["id"], "created",
        )  # fmt: skip
    eventually(lambda: not subscriptions(stack))


def test_another_projects_events_are_not_heard(stack: PushStack, api: Api) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    token = api.user(project, "*")
    with listening(stack, token) as heard:
        publish(stack, other, "theirs", 1)
        change(stack, api.user(other, "blueprint.create"), other, "theirs")
        publish(stack, project, "ours", 2)
        assert heard.next()[1]["deviceId"] == "ours"


def test_who_may_read_one_device_or_system_hears_of_it_alone(stack: PushStack, api: Api) -> None:
    project = api.project(ids.new_id())
    api.documents.document(f"projects/{project}/devices/child").set(
        {"parentDeviceId": "parent", "systemId": "s"}
    )
    of_device = api.user(project, "device.readData", on=("device", "parent"))
    of_system = api.user(project, "device.readData", on=("system", "north"))
    with listening(stack, of_device) as first, listening(stack, of_system) as second:
        publish(stack, project, "stranger", 1)
        publish(stack, project, "child", 2)
        publish(stack, project, "northern", 3, system="north")
        assert first.next()[1]["deviceId"] == "child"
        assert second.next()[1]["deviceId"] == "northern"


def test_a_listener_asks_for_some_of_it(stack: PushStack, api: Api) -> None:
    project = api.project(ids.new_id())
    token = api.user(project, "*")
    with listening(stack, token, "name=data&deviceId=d2") as heard:
        change(stack, token, project, "one")
        publish(stack, project, "d1", 1)
        publish(stack, project, "d2", 2)
        assert heard.next()[1]["deviceId"] == "d2"


def test_changes_since_the_last_event_come_first_and_once(stack: PushStack, api: Api) -> None:
    project = api.project(ids.new_id())
    token = api.user(project, "*")
    with listening(stack, token) as heard:
        change(stack, token, project, "one")
        heard.next()
        last = heard.id
    missed = change(stack, token, project, "two")
    with listening(stack, token, Last_Event_ID=last) as heard:
        assert heard.next()[1]["resourceId"] == missed["id"]
        later = change(stack, token, project, "three")
        assert heard.next()[1]["resourceId"] == later["id"]


def test_nobody_listens_without_a_token_or_a_permission(stack: PushStack, api: Api) -> None:
    url = f"{stack.urls['api']}v1/live"
    assert httpx.get(url).status_code == 401
    project = api.project(ids.new_id())
    stranger = {"Authorization": f"Bearer {api.user(project, 'network.read')}"}
    assert httpx.get(url, headers=stranger).status_code == 403
    assert not subscriptions(stack)


def test_what_cannot_be_read_costs_no_listener_the_rest(stack: PushStack, api: Api) -> None:
    project = api.project(ids.new_id())
    with listening(stack, api.user(project, "*")) as heard:
        stack.publish("writer", b"no json", projectId=project)
        stack.publish("writer", [{"type": "unknown"}, 7], projectId=project)
        publish(stack, project, "d1", 1)
        assert heard.next()[1]["deviceId"] == "d1"
