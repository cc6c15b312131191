"""Quarantine through the API: listed, shown with its bytes, sent again, thrown away; to whom it belongs."""

from __future__ import annotations

import base64
from typing import Any

from fulcrum.core import ids
from local import topology
from shared import quarantine_entries
from shared.quarantine import PART_BYTES
from tests.support.api import Api
from tests.unit.api.joining.support import site


def _put(api: Api, project: str, data: bytes = b'{"a":1}', **fields: Any) -> str:
    entry_id = ids.new_id()
    document = api.documents.document(f"projects/{project}/quarantine/{entry_id}")
    parts = [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)]
    stored = {
        "errorType": "message.undecodable",
        "message": "no time",
        "service": "transponder",
        "topic": "writer",
        "time": 1_790_000_000_000,
        "attributes": {"projectId": project},
        "projectId": project,
        "size": len(data),
    } | fields
    if len(parts) > 1:
        stored["parts"] = len(parts)
        for number, part in enumerate(parts):
            document.collection("parts").document(f"{number:04d}").set({"data": part})
    else:
        stored["data"] = data
    document.set(stored)
    return entry_id


def _left(api: Api, project: str) -> set[str]:
    return {document.id for document in api.documents.collection(f"projects/{project}/quarantine").stream()}


async def test_listed_by_type_service_and_time(api: Api) -> None:
    project = site(api).project
    first = _put(api, project, time=1000)
    second = _put(api, project, time=2000, service="message_processor")
    third = _put(api, project, time=3000, errorType="route.loop")
    path = f"/v1/project/{project}/quarantine"
    async with api.client(api.admin()) as http:

        async def found(**params: Any) -> list[str]:
            answer = await http.get(path, params=params)
            assert answer.status_code == 200, answer.text
            assert "data" not in answer.json()["items"][0] if answer.json()["items"] else True
            return [item["id"] for item in answer.json()["items"]]

        assert await found() == [third, second, first]
        assert await found(errorType="message.undecodable") == [second, first]
        assert await found(service="transponder") == [third, first]
        assert await found(service="transponder", errorType="message.undecodable") == [first]
        assert await found(since=2000) == [third, second]
        assert await found(until=2000, service="transponder") == [first]
        assert await found(since=1000, until=3000, errorType="message.undecodable") == [second, first]
        page = (await http.get(path, params={"perPage": 2, "total": True})).json()
        assert page["total"] == 3
        assert [item["created"] for item in page["items"]] == [3000, 2000]
        assert await found(perPage=2, cursor=page["next"]) == [first]
        for beyond in (253_402_300_800_000, 2**63, -1):
            for name in ("since", "until"):
                assert (await http.get(path, params={name: beyond})).status_code == 400


async def test_shown_with_its_bytes_as_they_came(api: Api) -> None:
    here = site(api)
    text = _put(api, here.project, '{"ä": 1.50}'.encode())
    raw = _put(api, here.project, b"\xff\x00")
    large = _put(api, here.project, b"x" * (PART_BYTES + 5))
    async with api.client(api.admin()) as http:

        async def shown(entry: str) -> dict[str, Any]:
            answer: dict[str, Any] = (await http.get(f"/v1/quarantine/{entry}", params=here.query)).json()
            return answer

        assert ((await shown(text))["encoding"], (await shown(text))["data"]) == ("utf-8", '{"ä": 1.50}')
        assert (await shown(raw))["encoding"] == "base64"
        assert base64.b64decode((await shown(raw))["data"]) == b"\xff\x00"
        assert len((await shown(large))["data"]) == PART_BYTES + 5
        assert (await shown("nothing"))["error"] == "quarantine.notFound"


async def test_a_mail_is_shown_to_who_may_do_everything_alone(api: Api) -> None:
    project = site(api).project
    mail = b'{"type":"emailMsg","context":{"link":"https://x/reset-password#token=secret"}}'
    refused = _put(api, project, mail, topic="email", service="emailer", errorType="email.address")
    dead = _put(api, project, mail, topic="", service="", subscription="email-emailer")
    other = _put(api, project)
    async with api.client(api.user(project, "quarantine.read", "quarantine.list")) as http:
        for entry in (refused, dead):
            answer = await http.get(f"/v1/quarantine/{entry}")
            assert (answer.status_code, answer.json()["error"]) == (403, "permission.denied")
            assert "secret" not in answer.text
        assert (await http.get(f"/v1/quarantine/{other}")).status_code == 200
        assert "secret" not in (await http.get(f"/v1/project/{project}/quarantine")).text
    async with api.client(api.user(project, "*")) as http:
        for entry in (refused, dead):
            assert "secret" in (await http.get(f"/v1/quarantine/{entry}")).text


async def test_sent_again_where_it_came_from(api: Api) -> None:
    here = site(api)
    entry = _put(api, here.project, b'{"n": 1}', attributes={"projectId": here.project, "route": '["x"]'})
    dead = _put(api, here.project, topic="", service="", subscription="default-processor-message-processor")
    lost = _put(api, here.project, topic="", service="")
    async with api.client(api.admin()) as http:

        async def redrive(entry_id: str, **body: str) -> Any:
            path = f"/v1/quarantine/{entry_id}/redrive"
            return (await http.post(path, params=here.query, json=body)).json()

        api.topics.messages.clear()
        api.topics.down = True
        try:
            assert (await redrive(entry))["error"] == "service.unavailable"
        finally:
            api.topics.down = False
        assert _left(api, here.project) == {entry, dead, lost}
        assert (await redrive(entry))["done"] == 1
        (message,) = api.topics.messages
        assert message[0] == "writer"
        assert message[1] == b'{"type":"routeMsg","message":{"n": 1},"route":["x"]}'
        assert (await redrive(dead))["done"] == 1
        assert api.topics.messages[-1][0] == "default-processor"
        assert (await redrive(lost))["error"] == "quarantine.noTopic"
        assert (await redrive(lost, topic="writer"))["done"] == 1
        assert (await redrive(lost))["error"] == "quarantine.notFound"
    assert _left(api, here.project) == set()


async def test_many_at_once_by_ids_or_filters(api: Api) -> None:
    here = site(api)
    good = [_put(api, here.project, errorType="e.one") for _ in range(10)]
    bad = _put(api, here.project, errorType="e.one", topic="", service="")
    other = _put(api, here.project, errorType="e.two")
    path = f"/v1/project/{here.project}/quarantine"
    async with api.client(api.admin()) as http:
        for body in ({}, {"ids": ["x"], "all": True}, {"ids": [other], "service": "s"}, {"errorType": "e"}):
            unclear = await http.post(f"{path}/redrive", json=body)
            assert unclear.json()["error"] == "quarantine.choice"
        done = (await http.post(f"{path}/redrive", json={"all": True, "errorType": "e.one"})).json()
        assert (done["done"], done["failed"], done["more"]) == (10, 1, False)
        assert [problem["id"] for problem in done["problems"]] == [bad]
        assert _left(api, here.project) == {bad, other}
        some = (await http.post(f"{path}/purge", json={"ids": [bad, good[0]]})).json()
        assert (some["done"], some["failed"]) == (1, 1)
        assert some["problems"][0]["error"] == "quarantine.notFound"
        rest = (await http.post(f"{path}/purge", json={"all": True})).json()
        assert rest["done"] == 1
    assert _left(api, here.project) == set()


async def test_a_large_entry_is_thrown_away_with_its_parts(api: Api) -> None:
    here = site(api)
    entry = _put(api, here.project, b"x" * (PART_BYTES + 5))
    async with api.client(api.admin()) as http:
        answer = await http.delete(f"/v1/quarantine/{entry}", params=here.query)
        assert answer.json()["status"] == "deleted"
    where = f"projects/{here.project}/quarantine/{entry}/parts"
    assert list(api.documents.collection(where).stream()) == []
    audit = [d.to_dict() for d in api.documents.collection(f"projects/{here.project}/audit").stream()]
    assert [(e["verb"], e["resourceId"]) for e in audit] == [("deleted", entry)]


async def test_it_is_its_projects_and_of_no_project_the_platforms(api: Api) -> None:
    here, there = site(api), site(api)
    entry, nobodys = _put(api, here.project), _put(api, "none")
    async with api.client(api.admin()) as http:
        assert (await http.get(f"/v1/quarantine/{entry}", params=there.query)).status_code == 404
        body = {"ids": [entry]}
        purged = await http.post(f"/v1/project/{there.project}/quarantine/purge", json=body)
        assert (purged.json()["done"], purged.json()["failed"]) == (0, 1)
        listed = (await http.get("/v1/project/none/quarantine")).json()
        assert nobodys in [item["id"] for item in listed["items"]]
    permissions = ("quarantine.read", "quarantine.list", "quarantine.update", "unknownDevice.list")
    async with api.client(api.user(here.project, *permissions)) as http:
        assert (await http.get(f"/v1/quarantine/{entry}")).status_code == 200
        assert (await http.delete(f"/v1/quarantine/{entry}")).status_code == 403
        elsewhere = await http.post(f"/v1/quarantine/{entry}/redrive", json={"topic": "jobs"})
        assert elsewhere.json()["error"] == "quarantine.topic"
        assert (await http.get("/v1/project/none/quarantine")).status_code == 403
    # Somebody may have called his project so.
    async with api.client(api.user(api.project("none"), *permissions)) as http:
        for path in ("project/none/quarantine", f"quarantine/{nobodys}", "project/none/unknownDevices"):
            assert (await http.get(f"/v1/{path}")).status_code in (401, 403)
    assert _left(api, here.project) == {entry}


def test_the_topics_of_subscriptions_are_those_of_services_yaml() -> None:
    dead_lettered = {
        name: found.topic for name, found in topology.load().subscriptions.items() if found.dead_letter
    }
    assert dead_lettered == quarantine_entries.TOPICS
