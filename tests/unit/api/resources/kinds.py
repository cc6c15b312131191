"""Every kind that has the five verbs, with what a test needs to use them: a new kind is one more row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from fulcrum.core import ids


async def _nothing(http: httpx.AsyncClient, project: str) -> dict[str, Any]:
    return {}


async def blueprint(http: httpx.AsyncClient, project: str) -> dict[str, Any]:
    """A new blueprint, for what refers to one."""
    body = {"name": "Store", "alias": f"b{ids.new_id()}"}
    answer = await http.post(f"/v1/project/{project}/blueprints", json=body)
    assert answer.status_code == 201, answer.text
    return {"blueprintId": answer.json()["id"]}


@dataclass(frozen=True)
class Row:
    """A kind: its body, a change of one field, and bodies that are refused.

    ``prepare`` makes what the body refers to. ``below``: the field of ``prepare`` that the path names.
    """

    name: str
    plural: str
    body: dict[str, Any]
    patch: dict[str, Any]
    bad: tuple[dict[str, Any], ...] = ()
    bad_patches: tuple[dict[str, Any], ...] = ()
    unique: tuple[str, ...] = ()
    filters: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[httpx.AsyncClient, str], Awaitable[dict[str, Any]]] = _nothing
    below: str | None = None
    job: bool = False

    async def made(
        self, http: httpx.AsyncClient, project: str, number: int = 0
    ) -> tuple[str, dict[str, Any]]:
        """The path of creations and a body that is taken; another one for every number."""
        prepared = await self.prepare(http, project)
        path = f"/v1/project/{project}/{self.plural}"
        if self.below is not None:
            path = f"/v1/blueprint/{prepared.pop(self.below)}/{self.plural}"
        body = {**self.body, **prepared}
        # What must be unique on the whole server, or in the project.
        for wire in self.unique:
            body[wire] = f"{body[wire]}{ids.new_id().lower() if wire == 'id' else number}"
        return path, body


ROUTE = {"deviceDataEventMsg": ["writer"]}
FRAMES = [{"t": 0, "value": 4, "interp": "linear", "every": 1000}, {"t": 5000, "value": 9, "interp": "step"}]
LINE: dict[str, Any] = {
    "points": [{"lat": 59.9, "lon": 10.7, "halt": 0}, {"lat": 60, "lon": 11, "halt": 5000}],
    "speed": 14,
    "every": 1000,
    "atEnd": "back",
    "spread": 4,
    "headingPath": "heading",
}
WALK = [
    {"t": 0, "value": 1, "interp": "walk", "every": 500, "spread": 0.5},
    {"t": 9000, "value": 2, "interp": "step"},
]
SCENARIO = {
    "name": "Day",
    "duration": 60_000,
    "tracks": [
        {"path": "air/temperature", "frames": FRAMES},
        {"path": "position", "frames": [], "line": LINE},
        {"path": "load", "frames": WALK, "min": 0, "max": 9, "decimals": 1},
    ],
    "faults": {
        "lost": 0.1,
        "repeated": 0,
        "skewMs": 0,
        "late": {"share": 0.5, "forMs": 60_000},
        "resets": {"perHour": 2, "downMs": 5000, "unsetMs": 0},
    },
}
TIMER = {
    "name": "Morning",
    "timer": {"type": "scheduled", "cron": "0 6 * * mon-fri", "timezone": "Europe/Oslo"},
    "action": {"type": "publishTopic", "topic": "writer", "message": {"rows": [[1, 2], [3]]}},
}
_CODE = "def run(message, context):\n    return None\n"
URL = {"type": "queryUrl", "url": "https://example.com/x", "method": "POST", "header": {"X-A": "b"}}


def _frames(*frames: dict[str, Any]) -> dict[str, Any]:
    return SCENARIO | {"tracks": [{"path": "a", "frames": list(frames)}]}


def _timer(**timer: Any) -> dict[str, Any]:
    return TIMER | {"timer": timer}


def _action(**action: Any) -> dict[str, Any]:
    return TIMER | {"action": action}


ROWS = (
    Row(
        "system",
        "systems",
        {
            "name": "North wing",
            "alias": "north-wing",
            "contacts": [{"name": "Ada", "email": "ada@example.com"}],
            "metadata": {"rows": [[1, [2]], []], "floor": None, "big": {"__odd__": 1, "": 2}},
            "tags": ["cold"],
        },
        {"contacts": [{"name": "Bo"}]},
        bad=(
            {"name": "N", "alias": "with space"},
            {"name": "N", "contacts": [{"email": "ada@example.com"}]},
            {"name": "N", "contacts": [{"name": "A", "email": "nobody"}]},
        ),
        bad_patches=({"alias": "1a"}, {"contacts/0/name": "x"}, {"created": 1}),
        unique=("alias",),
        filters={"alias": "north-wing0", "tags": "cold"},
        job=True,
    ),
    Row(
        "blueprint",
        "blueprints",
        {"name": "Cold store", "alias": "coldStore", "tags": ["is:root"], "messageRoute": ROUTE},
        {"metadata/floor": 2},
        bad=(
            {"name": "N", "alias": "Cold"},
            {"name": "N", "alias": "a", "checkMode": "loud"},
            {"name": "N", "alias": "a", "messageRoute": {"deviceDataEventMsg": ["nowhere"]}},
            {"name": "N", "alias": "a", "messageRouteId": "none"},
        ),
        bad_patches=({"purpose": "organization"}, {"messageRoute": {"x": []}}, {"messageRouteId": "none"}),
        unique=("alias",),
        filters={"alias": "coldStore0", "tags": "is:root", "purpose": "device"},
        job=True,
    ),
    Row(
        "attribute",
        "attributes",
        {"name": "Temperature", "path": "air/temperature", "type": "temperature", "unit": "degC", "max": 60},
        {"max": 70},
        bad=(
            {"name": "T", "path": "air//t", "type": "number"},
            {"name": "T", "path": "t", "type": "colour"},
            {"name": "T", "path": "t", "type": "temperature", "unit": "metre"},
            {"name": "T", "path": "t", "type": "enum"},
            {"name": "T", "path": "t", "type": "enum", "values": [10**30]},
            {"name": "T", "path": "t", "type": "number", "min": 2, "max": 1},
            {"name": "T", "path": "t", "type": "number", "owned": True},
            {"name": "T", "path": "t", "type": "relationship"},
            {"name": "T", "path": "t", "type": "parentRelationship"},
            {"name": "T", "path": "a/b", "parentPath": "c", "type": "number"},
        ),
        bad_patches=({"type": "number"}, {"unit": "degF"}, {"path": "other"}, {"min": 80}),
        unique=("path",),
        filters={"type": "temperature", "path": "air/temperature0"},
        prepare=blueprint,
        below="blueprintId",
    ),
    Row(
        "messageRoute",
        "messageRoutes",
        {"name": "Straight", "route": ROUTE, "tags": ["a"]},
        {"route": {"deviceDataEventMsg": [{"topic": "writer", "terminate": True}]}},
        bad=(
            {"name": "N"},
            {"name": "N", "route": {"unknownMsg": ["writer"]}},
            {"name": "N", "route": {"deviceDataEventMsg": ["nowhere"]}},
            {"name": "N", "route": {"deviceDataEventMsg": ["default-processor"]}},
            {"name": "N", "route": {"deviceDataEventMsg": [1]}},
        ),
        bad_patches=({"route": {"deviceDataEventMsg": [{}]}}, {"route": None}),
        filters={"tags": "a"},
        job=True,
    ),
    Row(
        "network",
        "networks",
        {"id": "farm", "name": "Farm", "aliasKeys": ["devEui"], "rateLimit": {"networkPerSecond": 5}},
        {"aliasKeys": ["devEui", "serial"]},
        bad=(
            {"name": "N"},
            {"id": "Farm", "name": "N"},
            {"id": "a--b", "name": "N"},
            {"id": "farm-1", "name": "N", "aliasKeys": ["a", "a"]},
            {"id": "farm-1", "name": "N", "keys": {}},
            {"id": "farm-1", "name": "N", "rateLimit": {"networkPerSecond": 0}},
        ),
        bad_patches=(
            {"id": "other"},
            {"keys": {}},
            {"keys/a": 1},
            {"projectId": "other"},
            {"aliasKeys": ["a", "a"]},
        ),
        unique=("id",),
        job=True,
    ),
    Row(
        "template",
        "templates",
        {"name": "Warm", "alias": "tooWarm", "email": {"subject": "S", "text": "T"}, "sms": "{{name}}"},
        {"email/subject": "Warm!"},
        bad=(
            {"name": "N", "alias": "a"},
            {"name": "N", "alias": "a", "email": {"html": "x"}},
            {"name": "N", "alias": "a", "sms": ""},
        ),
        bad_patches=({"email/subject": ""}, {"email": None, "sms": None}),
        unique=("alias",),
        filters={"alias": "tooWarm0"},
    ),
    Row(
        "scenario",
        "scenarios",
        SCENARIO,
        {"loop": True},
        bad=(
            SCENARIO | {"blueprintId": "none"},
            SCENARIO | {"duration": 1},
            SCENARIO | {"duration": 2000},
            SCENARIO | {"tracks": [*SCENARIO["tracks"], *SCENARIO["tracks"]]},  # type: ignore[misc]  # lists
            _frames(),
            _frames({"t": 5, "value": 1}, {"t": 5, "value": 2}),
            _frames({"t": 5, "value": 1, "interp": "linear"}),
            _frames({"t": 5, "value": "a", "interp": "sine", "every": 1000}),
            _frames({"t": 5, "value": True, "interp": "random", "every": 1000}),
            _frames({"t": 5, "value": 1, "interp": "cubic", "every": 1000}),
            SCENARIO | {"tracks": [{"path": "__x__", "frames": [{"t": 0, "value": 1}]}]},
            _frames({"t": 5, "value": 1, "interp": "noise", "every": 1000}),
            _frames({"t": 5, "value": 1, "interp": "walk", "every": 10, "spread": 1}),
            SCENARIO | {"tracks": [{"path": "a"}]},
            SCENARIO | {"tracks": [{"path": "a", "line": LINE, "frames": [{"t": 0, "value": 1}]}]},
            SCENARIO | {"tracks": [{"path": "a", "line": LINE | {"headingPath": "a"}}]},
            SCENARIO | {"tracks": [{"path": "a", "line": LINE | {"points": LINE["points"][:1]}}]},
            SCENARIO | {"tracks": [{"path": "a", "line": LINE | {"points": LINE["points"][:1] * 2}}]},
            SCENARIO | {"tracks": [{"path": "a", "line": LINE | {"speed": 0}}]},
            SCENARIO | {"faults": {"lost": 1.5}},
            SCENARIO | {"faults": {"resets": {"perHour": 60, "downMs": 50_000}}},
        ),
        bad_patches=({"blueprintId": "other"}, {"duration": 1000}),
        prepare=blueprint,
    ),
    Row(
        "timer",
        "timers",
        TIMER,
        {"action": URL},
        bad=(
            _timer(type="once"),
            _timer(type="once", delay=1000, when=1),
            _timer(type="repeating", delay=1),
            _timer(type="scheduled", cron="* * * *"),
            _timer(type="scheduled", cron="0 0 30 2 *"),
            _timer(type="scheduled", cron="0 6 * * *", timezone="Mars/Olympus"),
            _timer(type="scheduled", cron="0 6 * * *", timezone="../../etc/passwd"),
            _timer(type="solar", latitude=91, longitude=0),
            _timer(type="daily"),
            _action(type="publishTopic", topic="nowhere"),
            _action(type="queryUrl", url="file:///etc/passwd"),
            _action(type="queryUrl", url="https://example.com", header={"A\nB": "c"}),
            TIMER | {"systemId": "none"},
            TIMER | {"deviceId": "none"},
            TIMER | {"scriptId": "none"},
        ),
        bad_patches=({"action/topic": "nowhere"}, {"timer/cron": "x"}, {"systemId": "a"}),
        job=True,
    ),
    Row(
        "script",
        "scripts",
        {
            "name": "Warm",
            "alias": "tooWarm",
            "code": "def run(message, context):\n    return None\n",
            "files": {"lib/limits.py": "WARM = 8\n", "table.csv": "a,b\n1,2\n"},
            "requirements": "geographiclib==2.1\n",
        },
        {"code": "async def run(message, context):\n    return False\n"},
        bad=(
            {"name": "N", "alias": "a", "code": "def run(:\n"},
            {"name": "N", "alias": "a", "code": "x = 1\n"},
            {"name": "N", "alias": "a", "code": "return 1\n"},
            {"name": "N", "alias": "a", "code": "def run(): pass\n\0"},
            {"name": "N", "alias": "a", "code": "é" * 250_001},
            {"name": "N", "alias": "a", "code": "(" * 5000},
            {"name": "N", "alias": "a", "code": _CODE, "files": {"../x.py": ""}},
            {"name": "N", "alias": "a", "code": _CODE, "files": {"x.bin": "\0"}},
            {"name": "N", "alias": "a", "code": _CODE, "requirements": "-r other.txt"},
            {"name": "N", "alias": "a", "code": _CODE, "requirements": "numpy>=2"},
        ),
        bad_patches=(
            {"code": "nonsense nonsense"},
            {"code": None},
            {"files": {"main.py": ""}},
            {"requirements": "numpy"},
            {"state": {"state": "deployed"}},
        ),
        unique=("alias",),
        filters={"alias": "tooWarm0"},
        job=True,
    ),
    Row(
        "dashboard",
        "dashboards",
        {"name": "Overview", "scope": "page", "scopeId": "map", "layout": {"main": [["table"], ["map"]]}},
        {"layout/side": [1]},
        bad=(
            {"name": "N", "scope": "page"},
            {"name": "N", "scope": "default", "scopeId": "a"},
            {"name": "N", "scope": "blueprint", "scopeId": "none"},
            {"name": "N", "owner": "me"},
        ),
        bad_patches=({"owner": "me"}, {"scope": "default"}, {"scopeId": None}),
        filters={"scope": "page", "scopeId": "map"},
    ),
    Row(
        "view",
        "views",
        {"name": "Warm", "table": "coldStore", "scope": "shared", "settings": {"columns": ["name"]}},
        {"settings/sort": ["name"]},
        bad=({"name": "N"}, {"name": "N", "table": "t", "scope": "public"}),
        bad_patches=({"owner": "me"}, {"scope": "personal"}, {"table": ""}),
        filters={"table": "coldStore", "scope": "shared"},
    ),
)
