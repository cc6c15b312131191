"""The five verbs of every kind: what is written, read back, refused, sent twice, changed at once, deleted."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from functions.api import openapi
from functions.api.app import make
from functions.api.resources import automation, blueprints, routing, screens, systems
from tests.support.api import Api
from tests.unit.api.resources.kinds import ROWS, Row

ALL = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
UNIQUE = pytest.mark.parametrize("row", [row for row in ROWS if row.unique], ids=lambda row: row.name)
OF_PROJECT = pytest.mark.parametrize("row", [row for row in ROWS if not row.below], ids=lambda row: row.name)
# Valid for nobody, whatever the kind: the raw body, as JSON libraries would not write it.
HOSTILE = (
    b"",
    b"[]",
    b"null",
    b'"text"',
    b"{",
    b"\xff\xfe",
    b'{"name": 5}',
    b'{"name": ""}',
    b'{"name": null}',
    b'{"name": "\\ud800"}',
    b'{"name": "N", "nobodyKnows": 1}',
    b'{"name": "N", "\\ud800": 1}',
    b'{"name": "N", "id": "../x", "created": 5}',
    b'{"name": "' + b"n" * 300 + b'"}',
    b"[" * 50_000,
)
HOSTILE_METADATA = (
    b"NaN",
    b'{"a": NaN}',
    b'{"a": [Infinity]}',
    b'{"a": "\\ud83d"}',
    b'{"\\udc00": 1}',
    b'{"a": 123456789012345678901234567890}',
    b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}",
)


async def create(http: httpx.AsyncClient, row: Row, project: str, number: int = 0) -> dict[str, Any]:
    path, body = await row.made(http, project, number)
    answer = await http.post(path, json=body, params={"projectId": project})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    for wire, value in body.items():
        assert made[wire] == value, wire
    return made


def test_the_table_has_every_kind() -> None:
    found = {
        str(route.path_format).split("/")[2]
        for module in (systems, blueprints, routing, automation, screens)
        for route in openapi.routes(make([module.router]).routes)
        if route.methods == {"DELETE"}
    }
    assert found == {row.name for row in ROWS}


@ALL
async def test_created_read_listed_changed_and_deleted(api: Api, row: Row) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        made = await create(http, row, project)
        item, query = f"/v1/{row.name}/{made['id']}", {"projectId": project}
        read = await http.get(item, params=query)
        assert read.json() == made
        assert read.headers["etag"] == '"1"'
        owner = made.get("blueprintId") if row.below else None
        path = f"/v1/blueprint/{owner}/{row.plural}" if owner else f"/v1/project/{project}/{row.plural}"
        for params in (
            {},
            {"name": made["name"][:3]},
            *({k: v} for k, v in row.filters.items()),
            row.filters,
        ):
            listed = await http.get(path, params=query | params | {"total": True})
            assert listed.status_code == 200, listed.text
            assert [one["id"] for one in listed.json()["items"]] == [made["id"]], params
            assert listed.json()["total"] == 1
        for wire in ("name", *row.filters):
            listed = await http.get(path, params=query | {wire: "nobody", "total": True})
            assert (listed.json()["items"], listed.json()["total"]) == ([], 0), wire
        changed = await http.patch(item, params=query, json=row.patch)
        assert changed.status_code == 200, changed.text
        assert changed.headers["etag"] == '"2"'
        assert changed.json() != made
        assert changed.json() == (await http.get(item, params=query)).json()
        same = await http.patch(item, params=query, json=row.patch)
        assert same.headers["etag"] == '"2"'
        deleted = await http.delete(item, params=query)
        assert deleted.json()["status"] == "deleted", deleted.text
        assert ("jobId" in deleted.json()) == row.job
        gone = await http.get(item, params=query)
        assert (gone.status_code, gone.json()["error"]) == (410, f"{row.name}.gone")
        assert (await http.patch(item, params=query, json=row.patch)).status_code == 410
        assert (await http.get(path, params=query)).json()["items"] == []
        entries = await http.get(f"/v1/project/{project}/audit", params={"resourceId": made["id"]})
    assert [entry["verb"] for entry in entries.json()["items"]] == ["deleted", "updated", "created"]
    assert {entry["kind"] for entry in entries.json()["items"]} == {row.name}


@UNIQUE
async def test_a_name_that_is_taken_is_refused_until_it_is_free(api: Api, row: Row) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        path, body = await row.made(http, project)
        query = {"projectId": project}
        answers = await asyncio.gather(*(http.post(path, json=body, params=query) for _ in range(10)))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
        errors = {answer.json()["error"] for answer in answers if answer.status_code == 409}
        assert errors == {f"{row.name}.{row.unique[0]}Taken"}
        made = next(answer.json() for answer in answers if answer.status_code == 201)
        await http.delete(f"/v1/{row.name}/{made['id']}", params=query)
        again = await http.post(path, json=body, params=query)
    # A network's aliases are cleared first; who comes too early is told to come again.
    assert again.status_code == (409 if row.name == "network" else 201), again.text


@ALL
async def test_a_creation_sent_again_is_answered_again(api: Api, row: Row) -> None:
    project = api.project(ids.new_id())
    headers = {"Idempotency-Key": "once"}
    async with api.client(api.admin()) as http:
        path, body = await row.made(http, project)
        query = {"projectId": project}
        posts = (http.post(path, json=body, params=query, headers=headers) for _ in range(5))
        answers = await asyncio.gather(*posts)
        other = await http.post(path, json=body | {"name": "Other"}, params=query, headers=headers)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (other.status_code, other.json()["error"]) == (422, "idempotency.reused")


@ALL
async def test_only_the_version_that_is_named_is_changed(api: Api, row: Row) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        made = await create(http, row, project)
        item, query = f"/v1/{row.name}/{made['id']}", {"projectId": project}
        changes = (
            http.patch(item, params=query, json={"name": f"Name {n}"}, headers={"If-Match": '"1"'})
            for n in range(10)
        )
        answers = await asyncio.gather(*changes)
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9
        lost = await http.delete(item, params=query, headers={"If-Match": '"1"'})
        assert (lost.status_code, lost.json()["error"]) == (412, f"{row.name}.changed")
        assert (await http.delete(item, params=query, headers={"If-Match": '"2"'})).status_code == 200


@ALL
async def test_bad_bodies_are_refused_and_nothing_is_written(api: Api, row: Row) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        path, body = await row.made(http, project)
        prepared = {wire: body[wire] for wire in body.keys() - row.body.keys()}
        query = {"projectId": project}
        before = sum(1 for _ in api.documents.collection(f"projects/{project}/audit").stream())
        for raw in HOSTILE:
            answer = await http.post(path, content=raw, params=query)
            assert answer.status_code == 400, (raw[:50], answer.text)
            assert answer.json()["message"], raw[:50]
        for bad in row.bad:
            answer = await http.post(path, json=prepared | bad, params=query)
            assert answer.status_code == 400, (bad, answer.text)
            assert set(answer.json()) == {"status", "error", "message", "description", "requestId"}
        after = sum(1 for _ in api.documents.collection(f"projects/{project}/audit").stream())
    assert after == before


@ALL
async def test_bad_changes_are_refused_and_nothing_is_written(api: Api, row: Row) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        made = await create(http, row, project)
        item, query = f"/v1/{row.name}/{made['id']}", {"projectId": project}
        bad: tuple[Any, ...] = (
            *row.bad_patches,
            *({wire: 1} for wire in ("id", "created", "lastModified", "version", "nobodyKnows")),
            {"name": None},
            {"name": ""},
            {"name/first": "x"},
            {"name//": "x"},
            [{"path": "name", "op": "destroy"}],
            [{"path": "name", "op": "add", "value": 1}],
            [{"value": 1}],
            [1],
            "text",
        )
        for patch in bad:
            answer = await http.patch(item, params=query, json=patch)
            assert answer.status_code == 400, (patch, answer.text)
        for raw in (b"", b"{", b'{"name": "\\ud800"}', b'{"name": NaN}', b"[" * 50_000):
            answer = await http.patch(item, params=query, content=raw)
            assert answer.status_code == 400, (raw[:50], answer.text)
        assert (await http.get(item, params=query)).json() == made


@pytest.mark.parametrize("raw", HOSTILE_METADATA)
async def test_what_cannot_be_stored_or_answered_is_refused(api: Api, raw: bytes) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        answer = await http.post(
            f"/v1/project/{project}/systems", content=b'{"name": "N", "metadata": ' + raw + b"}"
        )
        made = (await http.post(f"/v1/project/{project}/systems", json={"name": "N"})).json()
        changed = await http.patch(
            f"/v1/system/{made['id']}", params={"projectId": project}, content=b'{"metadata/x": ' + raw + b"}"
        )
    assert (answer.status_code, changed.status_code) == (400, 400), answer.text + changed.text


@ALL
async def test_without_the_permission_nothing_happens(api: Api, row: Row) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        path, body = await row.made(http, project)
        made = (await http.post(path, json=body, params={"projectId": project})).json()
    item = f"/v1/{row.name}/{made['id']}"
    calls: tuple[tuple[str, str, Any, str], ...] = (
        ("POST", path, body, "create"),
        ("GET", path, None, "list"),
        ("GET", item, None, "read"),
        ("PATCH", item, row.patch, "update"),
        ("DELETE", item, None, "delete"),
    )
    for method, where, sent, verb in calls:
        rights = {f"{row.name}.{each}" for *_, each in calls} - {f"{row.name}.{verb}"}
        async with api.client() as http:
            assert (await http.request(method, where, json=sent)).status_code == 401
        async with api.client(api.user(project, *rights)) as http:
            answer = await http.request(method, where, json=sent)
            assert (answer.status_code, answer.json()["error"]) == (403, "permission.denied"), where
        async with api.client(api.user(other, *rights, f"{row.name}.{verb}")) as http:
            answer = await http.request(method, where, json=sent)
            assert answer.status_code == (403 if "/project/" in where else 404), answer.text
    async with api.client(api.admin()) as http:
        assert (await http.get(item, params={"projectId": project})).json() == made


@OF_PROJECT
async def test_a_project_that_is_not_there_is_said_so(api: Api, row: Row) -> None:
    async with api.client(api.admin()) as http:
        project = api.project(ids.new_id())
        _, body = await row.made(http, project)
        path = f"/v1/project/nowhere/{row.plural}"
        for answer in (await http.get(path), await http.post(path, json=body)):
            assert (answer.status_code, answer.json()["error"]) == (404, "project.notFound")
    assert not list(api.documents.document("projects/nowhere").collections())
