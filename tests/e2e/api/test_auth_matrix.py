"""Every operation × every caller who may not: 401 or 403, and nothing is changed.

Made from the API's own description, so that an operation that is added later is held at once.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from google.cloud.firestore_v1.types import StructuredQuery

from functions.api import groups
from functions.api.access import tokens
from functions.api.openapi import need_of, routes
from functions.api.roles import catalogue, generated
from shared import clock, keys
from tests.support.api import Api, embedded_api, environment
from tests.support.operations import Operation, operations

OPERATIONS = [each for each in operations() if each.permission != "public"]
NEEDS = {
    (route.path_format, method.lower()): need_of(route)
    for route in routes(groups.whole().routes)
    for method in route.methods or ()
}
LISTS = re.compile(r"_(list|search|search_root)\Z")
# What nobody hears who has no right on the device or the system that says it.
HUSH = "hush-4711"
# Calls of the store that change no document, whatever comes of them.
READS = frozenset(
    {
        *("GetDocument", "BatchGetDocuments", "ListDocuments", "ListCollectionIds"),
        *("RunQuery", "RunAggregationQuery", "Listen", "BeginTransaction", "Rollback"),
    }
)
# A project with one of whatever a path may name.
KINDS = {
    **{"system": "systems", "blueprint": "blueprints", "attribute": "attributes", "device": "devices"},
    **{"messageRoute": "messageRoutes", "template": "templates", "scenario": "scenarios", "timer": "timers"},
    **{"script": "scripts", "dashboard": "dashboards", "view": "views", "role": "roles", "user": "users"},
    **{"user_role": "userRoles", "pendingUser": "pendingUsers", "apiAccess": "apiAccess", "job": "jobs"},
}


@dataclass
class World:
    """Two projects, the ids of what the first one has, and callers of both."""

    api: Api
    project: str
    other: str
    ids: dict[str, str] = field(default_factory=dict)
    expired: str = ""
    revoked: str = ""
    foreign: str = ""
    foreign_key: str = ""
    deleted: str = ""
    admin: str = ""
    _lacking: dict[frozenset[str], str] = field(default_factory=dict)
    _read: tuple[dict[str, int], dict[str, Any]] = field(default_factory=lambda: ({}, {}))

    def lacking(self, permissions: frozenset[str]) -> str:
        """A token of somebody who holds every permission but these."""
        if permissions not in self._lacking:
            held = sorted(catalogue.names() - permissions)
            self._lacking[permissions] = self.api.user(self.project, *held)
        return self._lacking[permissions]

    def stored(self) -> dict[str, Any]:
        """Every document of the store, whosever it is, and what was published or appended.

        The documents are read again only where the store has had a call that may have changed one.
        """
        sent = {"messages": len(self.api.topics.messages), "rows": len(self.api.topics.rows)}
        counted = httpx.get(f"{self.api.address.http}/calls").raise_for_status().json()
        calls = {name: count for name, count in counted.items() if name not in READS}
        if calls != self._read[0]:
            self._read = calls, self._documents()
        return self._read[1] | sent

    def _documents(self) -> dict[str, Any]:
        client = self.api.documents
        everything = StructuredQuery(from_=[StructuredQuery.CollectionSelector(all_descendants=True)])
        request = {"parent": f"{client._database_string}/documents", "structured_query": everything}
        found = client._firestore_api.run_query(request=request, metadata=client._rpc_metadata)
        raw = (type(answer).pb(answer).document for answer in found)
        return {document.name: document.SerializeToString(deterministic=True) for document in raw}


@pytest.fixture(scope="module")
def module_world() -> Iterator[World]:
    with embedded_api() as api:
        made = World(api, api.project("ours"), api.project("others"))
        where = api.documents.document(f"projects/{made.project}")
        for kind, collection in KINDS.items():
            made.ids[f"{kind}_id"] = made.ids[f"{kind}Id"] = f"{kind}-1"
            where.collection(collection).document(f"{kind}-1").set({"name": kind, "version": 1, "created": 1})
        device = {"systemId": "system-1", "name": HUSH, "data": {"a": HUSH}, "metadata": {"b": HUSH}}
        where.collection("devices").document("device-1").update(device)
        system = {"name": HUSH, "contacts": [{"name": HUSH}]}
        where.collection("systems").document("system-1").update(system)
        api.documents.document("networks/network-1").set(
            {"projectId": made.project, "name": "n", "version": 1}
        )
        made.ids["network_id"] = "network-1"
        everything = sorted(catalogue.names())
        made.foreign = api.user(made.other, *everything, "*")
        made.foreign_key = _key(api, made.other)
        made.admin = api.user(made.project, "*")
        made.deleted = api.user(made.project, "*")
        api.documents.document(f"projects/{made.project}/users/{tokens.verify(made.deleted)['sub']}").delete()
        made.expired = _session(api, made.project, timedelta(seconds=-1), revoked=False)
        made.revoked = _session(api, made.project, timedelta(hours=1), revoked=True)
        yield made


@pytest.fixture
def world(module_world: World) -> Iterator[World]:
    with environment(module_world.api.address, module_world.api.topics):
        yield module_world


def _session(api: Api, project: str, lifetime: timedelta, *, revoked: bool) -> str:
    """A token of somebody who may do everything, whose session or token is over."""
    token = api.user(project, "*")
    claims = tokens.verify(token)
    reference = api.documents.document(f"sessions/{claims['sid']}")
    reference.update({"revoked": revoked, "expires": clock.now_ms() + 86_400_000})
    return tokens.mint(claims["sub"], claims["sid"], project, lifetime)


def _key(api: Api, project: str) -> str:
    """An API key that may do everything in its project."""
    made = keys.make("fa")
    # Used a moment ago, so that its use is not noted anew.
    fields = {"name": "k", "keyId": made.id, "secretHash": made.hash, "lastUsed": clock.now_ms() + 86_400_000}
    api.documents.document(f"projects/{project}/apiAccess/{made.id}").set(fields)
    return made.text


def needed(operation: Operation) -> frozenset[str]:
    """The permissions each of which lets somebody in, the general ones of generated ones included."""
    need = NEEDS[operation.path, operation.method]
    named = {permission.rstrip(":") for permission in (need.permission, *need.others)}
    return frozenset(named | {generated.general_of(f"{each}:x") for each in named})


async def test_whoever_may_not_is_refused_and_nothing_changes(world: World) -> None:
    for operation in OPERATIONS:
        world.lacking(needed(operation))
    faults: dict[str, list[str]] = {}
    before = world.stored()
    async with world.api.client() as http:
        for operation in OPERATIONS:
            found = [fault async for fault in _faults(world, http, operation)]
            after = world.stored()
            if after != before:
                changed = {
                    str(key) for key in before.keys() | after.keys() if before.get(key) != after.get(key)
                }
                found.append(f"changed {sorted(changed)[:5]}")
                before = after
            if found:
                faults[operation.id] = found
    assert faults == {}


async def _faults(world: World, http: httpx.AsyncClient, operation: Operation) -> AsyncIterator[str]:
    """Whoever was not refused as he should have been."""
    callers: dict[str, tuple[str | None, int]] = {
        "no token": (None, 401),
        "garbage": ("not.a.token", 401),
        "expired": (world.expired, 401),
        "revoked session": (world.revoked, 401),
        "another project": (world.foreign, 403),
        "another project's key": (world.foreign_key, 403),
        "deleted user": (world.deleted, 401),
    }
    if operation.permission != "signedIn":
        callers["without the permission"] = (world.lacking(needed(operation)), 403)
    request = operation.request(world.project, world.ids)
    for name, (token, status) in callers.items():
        answer = await _sent(http, request, token)
        if answer.status_code != status or not answer.json().get("requestId"):
            yield f"{name}: {answer.status_code} {answer.text[:200]}"
    if operation.method != "get":
        cookie = {"Cookie": f"__Host-fulcrum={world.admin}"}
        proof = {"X-CSRF-Token": tokens.csrf(tokens.verify(world.admin)["sid"])}
        for name, headers in (
            ("cookie alone", cookie),
            ("cookie, by another site's page", cookie | proof | {"Origin": "https://other.example"}),
            ("cookie, by another site's page, no origin", cookie | proof | {"Sec-Fetch-Site": "cross-site"}),
        ):
            answer = await _sent(http, request | {"headers": request["headers"] | headers}, None)
            if answer.status_code != 403 or not answer.json()["error"].startswith("csrf."):
                yield f"{name}: {answer.status_code} {answer.text[:200]}"


async def test_what_is_held_on_one_system_opens_no_other(world: World) -> None:
    everything = sorted(catalogue.names())
    elsewhere = world.api.user(world.project, *everything, on=("system", "elsewhere"))
    faults: dict[str, str] = {}
    before = world.stored()
    async with world.api.client() as http:
        for operation in OPERATIONS:
            if not ({"{system_id}", "{device_id}"} & set(operation.path.split("/"))):
                continue
            answer = await _sent(http, operation.request(world.project, world.ids), elsewhere)
            if LISTS.search(operation.id):
                # What may be read of it is answered: nothing here. (History has no store in this test.)
                refused = answer.status_code != 200 or not set(world.ids.values()) & set(
                    answer.text.split('"')
                )
            else:
                refused = answer.status_code in (403, 404, 405)
            if not refused:
                faults[operation.id] = f"{answer.status_code} {answer.text[:300]}"
    assert faults == {}
    assert world.stored() == before


async def _sent(http: httpx.AsyncClient, request: dict[str, Any], token: str | None) -> httpx.Response:
    headers = dict(request["headers"])
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return await http.request(**(request | {"headers": headers}))


async def test_who_holds_everything_elsewhere_in_the_project_neither_changes_nor_sees_anything(
    world: World,
) -> None:
    """An operation that lets in holders on anything asks by itself what they hold on what it is about."""
    everything = ("*", *sorted(catalogue.names()))
    callers = [
        world.api.user(world.project, *everything, on=("system", "system-2")),
        world.api.user(world.project, *everything, on=("device", "device-2")),
    ]
    faults: dict[str, str] = {}
    before = world.stored()
    async with world.api.client() as http:
        for operation in OPERATIONS:
            # Of views, everybody may have some of his own.
            if operation.permission == "signedIn" or operation.id in ("live_get", "view_create"):
                continue
            for token in callers:
                answer = await _sent(http, operation.request(world.project, world.ids), token)
                if HUSH in answer.text:
                    faults[operation.id] = answer.text[:300]
                after = world.stored()
                if after != before:
                    changed = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}
                    faults[operation.id] = f"changed {sorted(map(str, changed))[:5]}"
                    before = after
    assert faults == {}


async def test_whoever_may_is_let_in(world: World) -> None:
    """The matrix would prove nothing if nobody came through."""
    admin = world.api.user(world.project, "*")
    async with world.api.client(admin) as http:
        statuses = {}
        for operation in OPERATIONS:
            if operation.method == "get" and not operation.path.endswith("/live"):
                answer = await http.request(**operation.request(world.project, world.ids))
                statuses[operation.id] = answer.status_code
    refused = {name: status for name, status in statuses.items() if status in (401, 403)}
    # What is for users of the platform alone.
    assert {name for name in refused if not name.startswith("project_")} == set(), refused
