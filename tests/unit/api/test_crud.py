"""The five verbs, on blueprints: what is written, refused, taken twice, changed at once and deleted."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from fulcrum.core import ids
from functions.api.openapi import document
from shared import clock
from tests.support.api import Api

BLUEPRINT = {"name": "Cold store", "alias": "coldStore", "tags": ["is:root"]}


async def test_created_read_changed_and_deleted(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        created = await http.post(f"/v1/project/{project}/blueprints", json=BLUEPRINT)
        assert created.status_code == 201, created.text
        made = created.json()
        assert made["alias"] == "coldStore"
        assert made["version"] == 1
        assert created.headers["etag"] == '"1"'
        path = f"/v1/blueprint/{made['id']}"
        query = {"projectId": project}
        assert (await http.get(path, params=query)).json() == made
        changed = await http.patch(path, params=query, json={"name": "Colder", "metadata/floor": 2})
        assert changed.json()["name"] == "Colder"
        assert changed.json()["metadata"] == {"floor": 2}
        assert changed.headers["etag"] == '"2"'
        deleted = await http.delete(path, params=query)
        assert deleted.json()["status"] == "deleted"
        gone = await http.get(path, params=query)
        assert gone.status_code == 410
        assert gone.json()["error"] == "blueprint.gone"
    assert api.documents.document(f"projects/{project}").get().to_dict()["revision"] == 4
    entries = [d.to_dict() for d in api.documents.collection(f"projects/{project}/audit").stream()]
    assert sorted(entry["verb"] for entry in entries) == ["created", "deleted", "updated"]


async def test_of_many_that_take_one_alias_at_once_one_wins(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        answers = await asyncio.gather(
            *(http.post(f"/v1/project/{project}/blueprints", json=BLUEPRINT) for _ in range(50))
        )
        listed = await http.get(f"/v1/project/{project}/blueprints", params={"total": True})
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
    assert {a.json()["error"] for a in answers if a.status_code == 409} == {"blueprint.aliasTaken"}
    assert listed.json()["total"] == 1


async def test_of_changes_at_once_with_if_match_none_is_lost(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        made = (await http.post(f"/v1/project/{project}/blueprints", json=BLUEPRINT)).json()
        path, query = f"/v1/blueprint/{made['id']}", {"projectId": project}

        async def add(number: int) -> None:
            while True:
                now = await http.get(path, params=query)
                tags = [*now.json()["tags"], f"t{number}"]
                answer = await http.patch(
                    path, params=query, json={"tags": tags}, headers={"If-Match": now.headers["etag"]}
                )
                if answer.status_code == 200:
                    return
                assert answer.status_code == 412, answer.text
                assert answer.json()["error"] == "blueprint.changed"

        await asyncio.gather(*(add(number) for number in range(50)))
        tags = (await http.get(path, params=query)).json()["tags"]
    assert sorted(tags) == sorted(["is:root", *(f"t{number}" for number in range(50))])


async def test_a_creation_sent_again_with_its_key_is_answered_again(api: Api) -> None:
    project = api.project(ids.new_id())
    key = {"Idempotency-Key": "once"}
    async with api.client(api.admin()) as http:
        path = f"/v1/project/{project}/blueprints"
        answers = await asyncio.gather(*(http.post(path, json=BLUEPRINT, headers=key) for _ in range(10)))
        other = await http.post(path, json=BLUEPRINT | {"name": "Other"}, headers=key)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert other.status_code == 422
    assert other.json()["error"] == "idempotency.reused"


async def test_a_key_counts_for_a_day(api: Api) -> None:
    project = api.project(ids.new_id())
    key = {"Idempotency-Key": "once"}
    async with api.client(api.admin()) as http:
        path = f"/v1/project/{project}/systems"
        first = await http.post(path, json={"name": "North"}, headers=key)
        yesterday = clock.from_ms(clock.now_ms() - 1)
        for noted in api.documents.collection(f"projects/{project}/idempotency").stream():
            noted.reference.update({"expireAt": yesterday})
        answers = await asyncio.gather(
            *(http.post(path, json={"name": "South"}, headers=key) for _ in range(5))
        )
    assert {answer.status_code for answer in answers} == {201}
    made = {answer.json()["id"] for answer in answers}
    assert len(made) == 1
    assert first.json()["id"] not in made


async def test_pages_follow_each_other_and_foreign_cursors_are_refused(api: Api) -> None:
    project = api.project(ids.new_id())
    seen: list[Any] = []
    async with api.client(api.admin()) as http:
        path = f"/v1/project/{project}/blueprints"
        for number in range(5):
            await http.post(path, json=BLUEPRINT | {"alias": f"a{number}"})
        cursor = None
        while True:
            params = {"perPage": 2} | ({"cursor": cursor} if cursor else {})
            page = (await http.get(path, params=params)).json()
            seen += [item["alias"] for item in page["items"]]
            cursor = page.get("next")
            if cursor is None:
                break
        refused = await http.get(path, params={"cursor": "bm9uc2Vuc2U"})
    assert sorted(seen) == [f"a{number}" for number in range(5)]
    assert refused.status_code == 400
    assert refused.json()["error"] == "cursor.invalid"


async def test_who_lacks_the_permission_or_a_token_changes_nothing(api: Api) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    reader, stranger = (
        api.user(project, "blueprint.read", "blueprint.list"),
        api.user(other, "blueprint.create"),
    )
    path = f"/v1/project/{project}/blueprints"
    async with api.client() as http:
        assert (await http.post(path, json=BLUEPRINT)).status_code == 401
    async with api.client(reader) as http:
        assert (await http.post(path, json=BLUEPRINT)).json()["error"] == "permission.denied"
        assert (await http.get(path)).json()["items"] == []
    async with api.client(stranger) as http:
        assert (await http.post(path, json=BLUEPRINT)).json()["error"] == "project.other"


async def test_a_project_or_system_that_is_not_there_has_no_empty_lists(api: Api) -> None:
    project = api.project(ids.new_id())
    # What a list may have to be asked with beside its owner.
    more = {"projectId": project, "userId": "nobody", "username": "nobody"}
    answers: dict[str, int] = {}
    async with api.client(api.admin()) as http:
        for path, operations in document()["paths"].items():
            owner, _, rest = path.removeprefix("/v1/").partition("/")
            word = rest.partition("/")[2]
            # The modules are the platform's own; of the history and of traces, the warehouse answers.
            if owner not in ("project", "system") or word.partition("/")[0] in (
                "",
                "module",
                "history",
                "events",
                "trace",
            ):
                continue
            if "get" not in operations:
                continue
            names = {one["name"] for one in operations["get"]["parameters"] if one["in"] == "query"}
            asked = {key: value for key, value in more.items() if key in names}
            if owner == "system":
                asked["projectId"] = project
            for name in re.findall(r"{(\w+)}", path):
                path = path.replace(f"{{{name}}}", "1" if name == "number" else "nowhere")
            answers[path] = (await http.get(path, params=asked)).status_code
    assert len(answers) > 30
    assert {path: status for path, status in answers.items() if status != 404} == {}


async def test_every_refusal_has_the_one_shape(api: Api) -> None:
    project = api.project(ids.new_id())
    json_type = {"Content-Type": "application/json"}
    async with api.client(api.admin()) as http:
        path = f"/v1/project/{project}/blueprints"
        made = (await http.post(path, json=BLUEPRINT)).json()
        item, query = f"/v1/blueprint/{made['id']}", {"projectId": project}
        answers = {
            "405": await http.put(item, params=query),
            "404": await http.get("/v1/nowhere/at/all"),
            "400 malformed": await http.post(path, content=b'{"name":', headers=json_type),
            "400 no UTF-8": await http.post(path, content=b'{"name":"\xff"}', headers=json_type),
            "400 deep": await http.post(path, content=b"[" * 100_000, headers=json_type),
            "400 type": await http.post(path, content=b"name=x", headers={"Content-Type": "text/plain"}),
            "400 NaN": await http.patch(item, content=b'{"metadata/x":NaN}', params=query, headers=json_type),
            "412": await http.patch(item, json={}, params=query, headers={"If-Match": 'W/"9", "8"'}),
            "413": await http.post(path, content=b" " * 10_000_001, headers=json_type),
        }
        async with api.client() as nobody:
            answers["401"] = await nobody.get(path)
        head = await http.head(item, params=query)
    for said, answer in answers.items():
        body = answer.json()
        assert set(body) == {"status", "error", "message", "description", "requestId"}, said
        assert body["status"] == answer.status_code == int(said[:3]), said
        assert body["requestId"] == answer.headers["X-Request-Id"], said
    assert answers["405"].headers["Allow"] == "DELETE, GET, PATCH"
    assert head.status_code == 405
