"""From nothing to a project's user with a new password, with the API and the emailer as real processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.push_stack import CLOUD_PROJECT, PushStack, eventually, push_stack

SETUP_TOKEN = "the-secret-of-the-deployment-for-tests"
PASSWORD, NEW = "four-brown-tall-mugs", "three-green-flat-plates"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushStack]:
    further = {"FULCRUM_SETUP_TOKEN": SETUP_TOKEN, "K_SERVICE": "api"}
    with push_stack(tmp_path_factory.mktemp("people"), "api", "emailer", further=further) as made:
        made.publisher.create_topic(name=f"projects/{CLOUD_PROJECT}/topics/email")
        made.subscribe("email", "emailer")
        yield made


def _post(http: httpx.Client, path: str, body: Any, token: str = "", **params: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = http.post(path, json=body, headers=headers, params=params)
    assert answer.is_success, answer.text
    return answer.json()


def test_the_first_administrator_a_project_a_user_and_his_new_password(stack: PushStack) -> None:
    with httpx.Client(base_url=f"{stack.urls['api']}v1", timeout=30) as http:
        _post(http, "/setup", {"token": SETUP_TOKEN, "username": "root", "password": PASSWORD})
        root = _post(http, "/login", {"username": "root", "password": PASSWORD})["idToken"]
        _post(http, "/project", {"id": "farm", "name": "Farm"}, root)
        body = {"username": "ada@example.com", "password": PASSWORD}
        made = _post(http, "/project/farm/accounts", body, root)
        login = {"username": "ADA@example.com", "password": PASSWORD, "projectId": "farm"}
        before = _post(http, "/login", login)
        assert before["profile"]["id"] == made["id"]

        _post(http, "/users/forgotPassword", {"username": "ada@example.com", "projectId": "farm"})
        (mail,) = eventually(lambda: stack.collection("projects/farm/outbox"))
        assert mail["to"] == ["ada@example.com"]
        assert mail["template"] == "resetPassword"
        link = next(line for line in mail["text"].splitlines() if line.startswith("http://127.0.0.1:"))
        token = link.partition("#token=")[2]
        _post(http, "/users/resetPassword", {"token": token, "password": NEW})

        assert _post(http, "/login", login | {"password": NEW})["profile"]["id"] == made["id"]
        assert http.post("/login", json=login).status_code == 401
        old = http.get("/user/me", headers={"Authorization": f"Bearer {before['idToken']}"})
        assert old.status_code == 401

        key = _post(http, "/project/farm/apiAccess", {"name": "Export"}, root)
        listed = http.get("/project/farm/accounts", headers={"Authorization": f"Bearer {key['token']}"})
        assert [item["id"] for item in listed.json()["items"]] == [made["id"]]
    told = "".join(stack.logs[service].read_text() for service in ("api", "emailer"))
    secrets = (PASSWORD, NEW, SETUP_TOKEN, root, before["refreshToken"], token, key["secret"], "argon2id")
    assert not [secret for secret in secrets if secret in told]


def test_a_mail_that_comes_again_is_kept_once(stack: PushStack) -> None:
    # The mail is written, and its answer lost: the delivery comes again.
    stack.faults("firestore", {"method": "BatchWrite", "drop_answer_rate": 1.0})
    mail = {"type": "emailMsg", "to": "a@example.com", "subject": "Hello", "text": "Hello"}
    message_id = stack.publish("email", mail, projectId="barn")

    def logged(text: str) -> list[Any]:
        lines = stack.log("emailer")
        return [line for line in lines if line["message"] == text and line["messageId"] == message_id]

    eventually(lambda: logged("the delivery will come again"))
    stack.faults("firestore")
    eventually(lambda: logged("mail"))
    assert len(stack.collection("projects/barn/outbox")) == 1
    stack.publish("email", mail | {"to": "nobody"}, projectId="barn")
    refused = eventually(lambda: stack.pull("quarantine"))
    assert [attributes["errorType"] for _, attributes in refused] == ["email.address"]
