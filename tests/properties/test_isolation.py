"""Two projects with interleaved operations never see each other: no answer holds an id or text of the other.

Reads are taken from the API's own description, so that a new operation is covered at once: every GET is sent
with ids of both projects in its places. What else is to be tried stands in ``LOOKS``: add a row.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from fulcrum.core import ids
from functions.api import groups
from functions.api.openapi import document
from shared import clock, script_runs
from shared.config import settings as platform_settings
from tests.support.api import CLOUD_PROJECT, Api, embedded_api
from tests.support.emulators import embedded
from tests.support.history import History, embedded_history, event, rows_of
from tests.unit.api.resources.kinds import ROWS, Row

# What never ends.
ELSEWHERE = frozenset({"live"})
# What a list may be asked for; what an operation does not know it leaves aside.
ASKED: tuple[dict[str, str], ...] = (
    {},
    {"total": "true", "refs": "true", "children": "attribute"},
    {"perPage": "1", "total": "true"},
    {"name": "shared"},
    {"alias": "shared"},
    {"includePermissions": "true"},
)


class Read(NamedTuple):
    """A GET of the API: its path with places in braces, and the query parameters that it needs and knows."""

    path: str
    places: tuple[str, ...]
    needed: tuple[str, ...]
    known: frozenset[str]


def reads() -> list[Read]:
    """Every GET that the API describes."""
    found = []
    for path, item in document()["paths"].items():
        if "get" not in item or groups.group_of(path) in ELSEWHERE:
            continue
        parameters = item["get"].get("parameters", [])
        needed = [p["name"] for p in parameters if p["in"] == "query" and p.get("required")]
        places = tuple(p["name"] for p in parameters if p["in"] == "path")
        known = frozenset(p["name"] for p in parameters if p["in"] == "query")
        found.append(Read(path, places, tuple(needed), known))
    return found


READS = reads()


class Side:
    """One project with its caller, and all that must never reach the other."""

    def __init__(self, name: str, common: str) -> None:
        # Of the ids that people choose, on which both may hit.
        self.common = common
        self.project = f"{name}-{ids.new_id().lower()}"
        # In every name and text that is written here.
        self.marker = f"{name}{ids.new_id()}"
        self.items: list[tuple[str, str]] = []
        self.cursors: list[str] = []
        self.http: httpx.AsyncClient

    @property
    def secrets(self) -> set[str]:
        """Ids and texts that belong to this project alone."""
        # Events are called as their senders like, and both have one of the same id.
        named = {resource_id for kind, resource_id in self.items if kind != "event"}
        return {self.project, self.marker, *named}

    def ids_of(self, kind: str) -> list[str]:
        """The ids of a kind that were made here, deleted ones too."""
        return [resource_id for name, resource_id in self.items if name == kind]


def body_of(side: Side, row: Row, number: int, references: Side) -> tuple[str, dict[str, Any]] | None:
    """Where and what to create; what it refers to may be the other project's."""
    body: dict[str, Any] = row.body | {"name": f"shared {side.marker}", "tags": ["shared"]}
    body.setdefault("desc", side.marker)
    if "id" in row.unique:
        body["id"] = f"{side.common}-{number}"
    if "alias" in row.unique:
        body["alias"] = f"shared{number}"
    blueprints = references.ids_of("blueprint")
    if row.name == "scenario":
        if not blueprints:
            return None
        body["blueprintId"] = blueprints[number % len(blueprints)]
    if row.name == "blueprint" and (routes := references.ids_of("messageRoute")):
        body["messageRouteId"] = routes[number % len(routes)]
    if row.name == "timer" and (systems := references.ids_of("system")):
        body["systemId"] = systems[number % len(systems)]
    path = f"/v1/project/{side.project}/{row.plural}"
    if row.below:
        if not blueprints:
            return None
        path = f"/v1/blueprint/{blueprints[number % len(blueprints)]}/{row.plural}"
        body["path"] = f"shared/p{number}"
        if number % 3 == 0:
            body = {key: body[key] for key in ("name", "path", "desc")} | {
                "type": "relationship",
                "relationshipType": "manyToMany",
                "targetBlueprintId": blueprints[-1],
            }
    return path, body


def search(side: Side, other: Side, number: int) -> tuple[str, str, Any]:
    """A search of devices by what both projects have."""
    field, value = (("name", f"shared {other.marker}"), ("tags", "shared"))[number % 2]
    body = {"filter": {"type": "equals", "field": field, "value": value}}
    return "POST", f"/v1/project/{side.project}/devices.search", body


def may_i(side: Side, other: Side, number: int) -> tuple[str, str, Any]:
    """A question about the other's things."""
    foreign = other.ids_of("system") or ["none"]
    resource = {"kind": "system", "id": foreign[number % len(foreign)]}
    return "POST", "/v1/can", {"permission": "system.read", "resource": resource}


def on_device(side: Side, other: Side, number: int) -> tuple[str, str, Any]:
    """A change of a device, of one's own or the other's, that names what the other has."""
    own, foreign = (one.ids_of("device") or ["none"] for one in (side, other))
    # Of a network that was deleted, who comes first has the id.
    mine = side.ids_of("network")
    network = next((one for one in other.ids_of("network") if one not in mine), "none")
    device, theirs = own[number % len(own)], foreign[number % len(foreign)]
    changes: tuple[tuple[str, str, Any], ...] = (
        ("PATCH", f"/v1/device/{device}", {"parentDeviceId": theirs}),
        ("PATCH", f"/v1/device/{device}", {"networkAliases": {network: {"devEui": f"shared{number}"}}}),
        ("POST", f"/v1/device/{theirs}/setValue", {"path": "shared", "value": side.marker}),
        ("PUT", f"/v1/device/{theirs}/data/shared", side.marker),
        ("POST", f"/v1/device/{theirs}/tokens", {"name": side.marker}),
        ("POST", f"/v1/network/{network}/keys", {"name": side.marker}),
    )
    return changes[number]


def on_relation(side: Side, other: Side, number: int) -> tuple[str, str, Any]:
    """A link to the other's device, or a walk through what is the other's."""
    own, foreign = (one.ids_of("device") or ["none"] for one in (side, other))
    device, theirs = own[number % len(own)], foreign[number % len(foreign)]
    relation = (other.ids_of("attribute") or ["none"])[-1]
    system, blueprint = ((one.ids_of("system") or ["none"])[-1] for one in (side, other))
    changes: tuple[tuple[str, str, Any], ...] = (
        ("POST", f"/v1/device/{device}/relations", {"relation": relation, "childId": theirs}),
        ("POST", f"/v1/device/{theirs}/relations", {"relation": relation, "childId": device}),
        ("DELETE", f"/v1/device/{theirs}/relations/{theirs}?relation={relation}", None),
        ("GET", f"/v1/interface/{system}/shared{number}/{theirs}/shared/p3", None),
        ("GET", f"/v1/interface/{system}/shared1/*/shared/p3/*", None),
        ("POST", f"/v1/interface/{system}/{blueprint}/create", {"name": side.marker}),
    )
    return changes[number]


# What else one project asks while the other exists: method, path and body. Add to it.
LOOKS: tuple[Callable[[Side, Side, int], tuple[str, str, Any]], ...] = (search, may_i, on_device, on_relation)

sides = st.integers(0, 1)
numbers = st.integers(0, 5)


class Neighbours(RuleBasedStateMachine):
    """Operations of two projects in any order, each with one of everything at the beginning."""

    api: Api
    history: History

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        common = ids.new_id().lower()
        self.sides = (Side("alpha", common), Side("beta", common))

    @initialize()
    def begin(self) -> None:
        """Make both projects, with a caller each who may do everything in it."""
        for who, side in enumerate(self.sides):
            self.api.project(side.project, name=side.marker)
            client = self.api.client(self.api.user(side.project, "*"))
            side.http = self.run(self.stack.enter_async_context(client))
            for row in ROWS:
                self.create_one(who, row, who, side)
            self.create_device_one(who, who, "none")
            # A relationship, too, and something that is gone.
            self.create_one(who, next(row for row in ROWS if row.below), 3, side)
            self.create_one(who, ROWS[0], 4 + who, side)
            self.ask(who, "DELETE", f"/v1/system/{side.items[-1][1]}")
            made = {kind for kind, _ in side.items}
            # A network's id is taken by who comes first.
            assert made >= {row.name for row in ROWS} | {"device"}, made
        self.remember()

    def remember(self) -> None:
        """Give both a history: events that have the same id, and what scripts made of them."""
        now = clock.now_ms() - 60_000
        time = clock.from_ms(now).isoformat()
        runs, rows = [], []
        for side in self.sides:
            owns = {"device_id": side.ids_of("device")[0], "system_id": side.ids_of("system")[0]}
            named = f"{side.common}-event"
            side.items.append(("event", named))
            rows += rows_of([event(side.project, now, {"t": side.marker}, id=named, **owns)])
            # Whoever stores a run says whose it is: a script of the other's is none of one's own.
            for number, script in enumerate(item for one in self.sides for item in one.ids_of("script")):
                run: dict[str, Any] = {"project_id": side.project, "run_key": f"{side.marker}-{number}"}
                is_own = script in side.ids_of("script")
                run |= {"script_id": script, "version": 1, "entry": "run"}
                run |= {"device_id": owns["device_id"], "event_id": named if is_own else "other"}
                run |= {"status": "failed", "failure_kind": "exception", "traceback": side.marker}
                run |= {"logs": json.dumps([{"level": "info", "text": side.marker}])}
                runs.append(run | {"started": time, "received_time": time, "stored_time": time})
        self.history.append(rows)
        with bigquery.Client(
            project=CLOUD_PROJECT,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": self.history.address.http},
        ) as client:
            assert client.insert_rows_json(f"{CLOUD_PROJECT}.history.{script_runs.TABLE}", runs) == []

    def teardown(self) -> None:
        """Close the clients."""
        self.run(self.stack.aclose())
        self.loop.close()

    def run(self, what: Coroutine[Any, Any, Any]) -> Any:
        """Wait for something in the machine's own loop."""
        return self.loop.run_until_complete(what)

    def ask(
        self, who: int, method: str, path: str, params: dict[str, str] | None = None, body: Any = None
    ) -> httpx.Response:
        """Send a request of one project, and look for the other in its answer."""
        side, other = self.sides[who], self.sides[1 - who]
        answer: httpx.Response = self.run(side.http.request(method, path, params=params, json=body))
        assert answer.status_code < 500, (method, path, params, body, answer.text)
        # What the caller named himself may be said back to him.
        sent = f"{answer.request.url} {body}"
        told = f"{answer.text} {answer.headers}"
        seen = {secret for secret in other.secrets if secret in told and secret not in sent}
        assert not seen, (method, path, params, body, answer.text)
        return answer

    @rule(who=sides, row=st.sampled_from(ROWS), number=numbers, foreign=st.booleans())
    def create(self, who: int, row: Row, number: int, foreign: bool) -> None:
        """Create something, under names that both have; sometimes below or beside what is the other's."""
        self.create_one(who, row, number, self.sides[1 - who if foreign else who])

    def create_one(self, who: int, row: Row, number: int, references: Side) -> None:
        """Create something that may refer to what a side has; what is another's must be refused."""
        side, other = self.sides[who], self.sides[1 - who]
        made = body_of(side, row, number, references)
        if made is None:
            return
        answer = self.ask(who, "POST", made[0], body=made[1])
        if answer.status_code == 201:
            found = answer.json()
            side.items.append((row.name, found["id"]))
            if "mirrorId" in found:
                side.items.append((row.name, found["mirrorId"]))
            named = f"{made[0]} {made[1]}"
            assert not any(item in named for _, item in other.items if item not in self.shared()), named

    def shared(self) -> set[str]:
        """Ids that people chose, which both may name."""
        return {f"{self.sides[0].common}-{number}" for number in (*range(6), "event")}

    @rule(who=sides, number=numbers, foreign=st.sampled_from(["none", "system", "blueprint", "network"]))
    def create_device(self, who: int, number: int, foreign: str) -> None:
        """Create a device; one of what it stands on may be the other's."""
        self.create_device_one(who, number, foreign)

    def create_device_one(self, who: int, number: int, foreign: str) -> None:
        """Create a device that may stand on what the other has, which must be refused."""
        side, other = self.sides[who], self.sides[1 - who]
        chosen = {
            kind: (other if kind == foreign else side).ids_of(kind)
            for kind in ("system", "blueprint", "network")
        }
        if not chosen["system"] or not chosen["blueprint"]:
            return
        body: dict[str, Any] = {"name": f"shared {side.marker}", "tags": ["shared"]}
        body |= {"blueprintId": chosen["blueprint"][-1]}
        if chosen["network"]:
            network = chosen["network"][-1]
            body |= {"networkId": network, "networkAliases": {network: {"devEui": f"shared{number}"}}}
        answer = self.ask(who, "POST", f"/v1/system/{chosen['system'][-1]}/devices", body=body)
        if answer.status_code == 201:
            assert foreign == "none" or not other.ids_of(foreign)
            side.items.append(("device", answer.json()["id"]))

    @rule(
        who=sides,
        read=st.sampled_from(READS),
        number=numbers,
        foreign=st.booleans(),
        extra=st.sampled_from(ASKED),
    )
    def read(self, who: int, read: Read, number: int, foreign: bool, extra: dict[str, str]) -> None:
        """Send any GET of the API, with one's own ids or the other's in its places."""
        self.read_one(who, read, number, foreign, extra)

    def read_one(self, who: int, read: Read, number: int, foreign: bool, extra: dict[str, str]) -> None:
        """Send a GET, and keep the cursor that it may answer."""
        side, other = self.sides[who], self.sides[1 - who]
        source = other if foreign else side
        path = read.path
        for place in read.places:
            kind = place.removesuffix("_id")
            found = source.ids_of(kind) or [item for _, item in source.items] or ["none"]
            chosen = source.project if place == "project_id" else found[number % len(found)]
            path = path.replace(f"{{{place}}}", chosen)
        needed = dict.fromkeys(read.needed, other.items[-1][1] if other.items else "shared")
        cursor = {"cursor": other.cursors[-1]} if foreign and other.cursors else {}
        asked = {name: value for name, value in extra.items() if name in read.known}
        answer = self.ask(who, "GET", path, asked | needed | cursor)
        if answer.status_code == 200 and not foreign and "json" in answer.headers["content-type"]:
            found = answer.json()
            if isinstance(found, dict) and isinstance(found.get("next"), str):
                side.cursors.append(found["next"])

    @rule(who=sides, number=numbers, foreign=st.booleans(), method=st.sampled_from(["PATCH", "DELETE"]))
    def change(self, who: int, number: int, foreign: bool, method: str) -> None:
        """Change or delete something of one's own, or try to with what is the other's."""
        source = self.sides[1 - who] if foreign else self.sides[who]
        if not source.items:
            return
        kind, resource_id = source.items[number % len(source.items)]
        body = {"name": f"changed {self.sides[who].marker}"} if method == "PATCH" else None
        answer = self.ask(who, method, f"/v1/{kind}/{resource_id}", body=body)
        if foreign and resource_id not in self.shared():
            assert answer.status_code == 404, answer.text

    @rule(who=sides, look=st.sampled_from(LOOKS), number=numbers)
    def look(self, who: int, look: Callable[[Side, Side, int], tuple[str, str, Any]], number: int) -> None:
        """Ask something else."""
        self.look_one(who, look, number)

    def look_one(
        self, who: int, look: Callable[[Side, Side, int], tuple[str, str, Any]], number: int
    ) -> None:
        """Ask something else; nothing of the other's may be changed by it."""
        method, path, body = look(self.sides[who], self.sides[1 - who], number)
        answer = self.ask(who, method, path, body=body)
        if method != "GET" and look in (on_device, on_relation):
            assert answer.status_code >= 400, (method, path, body, answer.text)

    @invariant()
    def each_has_its_own(self) -> None:
        """No id belongs to both."""
        one, other = ({item for _, item in side.items} for side in self.sides)
        assert not (one & other) - self.shared()


@pytest.fixture(scope="module")
def history() -> Iterator[History]:
    with embedded_history() as made:
        yield made


@pytest.fixture(scope="module")
def api(history: History, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    log = tmp_path_factory.mktemp("log") / "log.jsonl"
    environment = {"GOOGLE_CLOUD_PROJECT": CLOUD_PROJECT}
    with (
        embedded_api() as made,
        embedded("logging", "--log", str(log), env=environment) as address,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("FULCRUM_LOGGING_ENDPOINT", address.http)
        platform_settings.cache_clear()
        yield made
    platform_settings.cache_clear()


def test_no_read_tells_one_project_of_the_other(api: Api, history: History) -> None:
    machine = type("Machine", (Neighbours,), {"api": api, "history": history})()
    try:
        machine.begin()
        for who, look, number in itertools.product((0, 1), LOOKS, range(6)):
            machine.look_one(who, look, number)
        for read in READS:
            extras = [extra for extra in ASKED if not extra or extra.keys() & read.known]
            for who, foreign, extra in itertools.product((0, 1), (False, True), extras):
                machine.read_one(who, read, 0, foreign, extra)
    finally:
        machine.teardown()


@pytest.mark.slow
def test_two_projects_never_see_each_other(api: Api, history: History) -> None:
    machine = type("Machine", (Neighbours,), {"api": api, "history": history})
    limits = settings(
        max_examples=20,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(machine, settings=limits)
