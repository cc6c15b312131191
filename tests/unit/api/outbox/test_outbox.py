"""Messages to people by the API: to whom they are shown, and what of them."""

from __future__ import annotations

from typing import Any

import pytest

from fulcrum.core import ids
from shared import send_limits
from shared.send_limits import Limit
from tests.support.api import Api

SECRET = "https://fulcrum.example.com/reset-password#token=sesame"
MAIL = {
    "kind": "email",
    "state": "sent",
    "to": ["ada@example.com"],
    "bcc": ["bob@example.com"],
    "from": "farm@example.com",
    "subject": "Too warm",
    "text": "41 °C",
    "template": "warm",
    "context": '{"t": 41}',
    "attachments": '[{"filename": "t.csv", "content": "c2VzYW1l", "contentType": "text/csv"}]',
    "providerId": "x1",
    "lease": 5,
    "messageId": "m1",
}
SMS = {
    "kind": "sms",
    "state": "failed",
    "attempt": 3,
    "recipients": ["+4791234567"],
    "message": "41 °C",
    "error": {"code": "twilio.20503", "text": "Service Unavailable (after 3 tries)"},
    "limitOptions": '{"count": 3}',
}


def _put(api: Api, project: str, fields: dict[str, Any], **more: Any) -> str:
    message_id = ids.new_id()
    made = {"time": 1_790_000_000_000, **fields, **more}
    api.documents.document(f"projects/{project}/outbox/{message_id}").set(made)
    return message_id


@pytest.fixture
def project(api: Api) -> str:
    return api.project(ids.new_id())


async def test_listed_by_kind_state_and_time_without_what_they_say(api: Api, project: str) -> None:
    first = _put(api, project, MAIL, time=1_000)
    second = _put(api, project, SMS, time=2_000)
    third = _put(api, project, SMS, time=3_000, state="delivered")
    # From before messages had states.
    fourth = _put(api, project, {"kind": "sms", "recipients": ["+4791234567"]}, time=4_000)
    path = f"/v1/project/{project}/outbox"
    async with api.client(api.user(project, "outbox.list")) as http:

        async def found(**params: Any) -> list[str]:
            answer = await http.get(path, params=params)
            assert answer.status_code == 200, answer.text
            assert "°C" not in answer.text
            assert "warm" not in answer.text.replace('"template":"warm"', "")
            return [item["id"] for item in answer.json()["items"]]

        assert await found() == [fourth, third, second, first]
        assert await found(kind="sms") == [fourth, third, second]
        assert await found(state="failed") == [second]
        assert await found(kind="sms", state="delivered", since=1, until=4_000) == [third]
        assert await found(since=2_000, until=4_000) == [third, second]
        page = (await http.get(path, params={"perPage": 2, "total": True})).json()
        assert page["total"] == 4
        assert [item["state"] for item in page["items"]] == ["kept", "delivered"]
        assert page["items"][0]["created"] == 4_000
        assert await found(perPage=2, cursor=page["next"]) == [second, first]
        for wrong in ({"kind": "fax"}, {"state": "gone"}, {"since": -1}, {"cursor": "x"}):
            assert (await http.get(path, params=wrong)).status_code == 400


async def test_shown_with_what_they_say(api: Api, project: str) -> None:
    mail, sms = _put(api, project, MAIL), _put(api, project, SMS)
    async with api.client(api.user(project, "outbox.read")) as http:
        shown = (await http.get(f"/v1/outbox/{mail}")).json()
        assert (shown["subject"], shown["text"], shown["from"]) == ("Too warm", "41 °C", "farm@example.com")
        assert (shown["to"], shown["bcc"], shown["context"]) == (MAIL["to"], MAIL["bcc"], {"t": 41})
        assert shown["attachments"] == [{"filename": "t.csv", "contentType": "text/csv"}]
        assert not {"lease", "messageId", "cc", "html", "message"} & shown.keys()
        shown = (await http.get(f"/v1/outbox/{sms}")).json()
        assert (shown["message"], shown["limitOptions"]) == ("41 °C", {"count": 3})
        assert (shown["error"], shown["attempt"]) == (SMS["error"], 3)


async def test_what_is_confidential_is_shown_to_nobody(api: Api, project: str) -> None:
    secret = {"text": SECRET, "html": SECRET, "context": f'{{"link": "{SECRET}"}}', "subject": SECRET}
    mail = _put(api, project, MAIL | secret, confidential=True)
    sms = _put(api, project, SMS, confidential=True, message=SECRET)
    for token in (api.user(project, "*"), api.admin()):
        async with api.client(token) as http:
            for message_id in (mail, sms):
                answer = await http.get(f"/v1/outbox/{message_id}", params={"projectId": project})
                assert answer.status_code == 200
                assert "sesame" not in answer.text
                assert answer.json()["confidential"] is True
            answer = await http.get(f"/v1/project/{project}/outbox")
            assert (len(answer.json()["items"]), "sesame" in answer.text) == (2, False)


async def test_limits_that_hold_somebody_back_are_listed_and_lifted(api: Api, project: str) -> None:
    limit = Limit(count=1, period=1_000_000, duration=1_000_000, key="tooHot")
    for recipient, messages in (("+4791234567", "ab"), ("+4791234568", "ab"), ("+4791234569", "a")):
        for message in messages:
            await send_limits.admit(project, "sms", recipient, limit, message)
    path = f"/v1/project/{project}/outbox/limits"
    async with api.client(api.user(project, "outbox.list", "outbox.update")) as http:
        first = (await http.get(path, params={"perPage": 1, "total": True})).json()
        assert (first["total"], first["items"][0]["key"], first["items"][0]["kind"]) == (2, "tooHot", "sms")
        second = (await http.get(path, params={"perPage": 1, "cursor": first["next"]})).json()
        found = {item["recipient"]: item["id"] for item in first["items"] + second["items"]}
        assert sorted(found) == ["+4791234567", "+4791234568"]
        assert (await http.delete(f"/v1/outbox/limits/{found['+4791234567']}")).status_code == 200
        assert (await http.delete(f"/v1/outbox/limits/{found['+4791234567']}")).status_code == 404
        (left,) = (await http.get(path)).json()["items"]
        assert left["recipient"] == "+4791234568"
        assert await send_limits.admit(project, "sms", "+4791234567", limit, "c") == "admitted"
        assert await send_limits.admit(project, "sms", "+4791234568", limit, "c") == "limited"
    async with api.client(api.user(project, "outbox.list")) as http:
        assert (await http.delete(f"/v1/outbox/limits/{found['+4791234568']}")).status_code == 403


async def test_whoever_may_not_sees_nothing(api: Api, project: str) -> None:
    other = api.project(ids.new_id())
    message = _put(api, project, SMS)
    paths = (f"/v1/project/{project}/outbox", f"/v1/outbox/{message}?projectId={project}")
    for token, status in (
        ("", 401),
        (api.user(project, "quarantine.read", "device.list"), 403),
        (api.user(other, "*"), 403),
    ):
        async with api.client(token) as http:
            for path in paths:
                assert (await http.get(path)).status_code == status
    async with api.client(api.user(project, "outbox.list")) as http:
        assert [(await http.get(path)).status_code for path in paths] == [200, 403]
    async with api.client(api.user(other, "*")) as http:
        assert (await http.get(f"/v1/outbox/{message}")).status_code == 404


async def test_what_is_of_no_project_is_for_administrators(api: Api) -> None:
    message = _put(api, "none", SMS)
    async with api.client(api.admin()) as http:
        listed = (await http.get("/v1/project/none/outbox")).json()["items"]
        assert message in [item["id"] for item in listed]
        assert (await http.get(f"/v1/outbox/{message}?projectId=none")).status_code == 200
        assert (await http.get(f"/v1/project/{ids.new_id()}/outbox")).status_code == 404
        assert (await http.get("/v1/outbox/never?projectId=none")).status_code == 404
