"""The emailer through its true entry, on embedded Firestore and Cloud Tasks, and on SendGrid's stand-in."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import functions_framework.aio
import httpx
import pytest

from functions.emailer import provider
from shared import names, template_process, values
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.config import settings
from tests.support import sending_stack
from tests.support.emulators import Address, embedded
from tests.support.processing import ROOT, push
from tests.support.sending_stack import Emulators, Sending

KEY = "SG.a-key-that-nobody-may-read"
FROM = "Fulcrum <alerts@farm.example>"
_numbers = itertools.count(1)


@dataclass
class Emailer:
    """One test's view: a project, the function's requests, the outbox and what SendGrid took."""

    stack: Sending
    sendgrid: Address
    client: httpx.AsyncClient

    @property
    def project(self) -> str:
        """The project of this test alone."""
        return self.stack.project

    async def deliver(self, *mails: dict[str, Any], message_id: str = "m1") -> int:
        """A push of mails; the status that is answered."""
        data = list(mails) if len(mails) > 1 else mails[0]
        body = push(data, {"projectId": self.project}, message_id)
        return (await self.client.post("/", content=body)).status_code

    async def resume(self) -> int:
        """Move the clock until the one task is due, and post it; the status that is answered."""
        ((task, seconds),) = self.stack.tasks()
        self.stack.advance(seconds + 1)
        body = {"type": "sendMsg", "projectId": task.project_id, "id": task.id, "attempt": task.attempt}
        for listed in self.stack.queue.list_tasks(parent=self.stack.queue_path):
            self.stack.queue.delete_task(name=listed.name)
        return (await self.client.post("/", content=json.dumps(body))).status_code

    async def outbox(self) -> list[dict[str, Any]]:
        """The documents of the project's outbox."""
        query = messages().StructuredQuery()
        query.from_.add(collection_id="outbox")
        found = await firestore.run_query(names.project(self.project), query)
        return [{"id": each.id, **values.from_fields(each.fields)} for each in found]

    async def put_template(self, template_id: str, **fields: Any) -> None:
        """A template of the project."""
        write = messages().Write()
        write.update.name = names.document("projects", self.project, "templates", template_id)
        values.to_fields(write.update.fields, fields)
        assert await firestore.batch_write([write]) == [0]

    def sent(self) -> list[dict[str, Any]]:
        """What SendGrid took of this project, in order."""
        taken = httpx.get(f"{self.sendgrid.http}/outbox").json()
        return [
            kept["mail"] for kept in taken if kept["mail"]["custom_args"]["fulcrumProject"] == self.project
        ]

    def faults(self, *rules: dict[str, Any]) -> None:
        """Replace the fault rules of SendGrid."""
        self.stack.faults(self.sendgrid, *rules)

    def calls(self) -> int:
        """Requests at SendGrid since the test began."""
        return int(httpx.get(f"{self.sendgrid.http}/calls").json().get("MailSend", 0))


def _reset(address: Address) -> None:
    httpx.post(f"{address.http}/reset").raise_for_status()


@pytest.fixture(scope="package")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    with sending_stack.emulators(tmp_path_factory.mktemp("emailer")) as made:
        yield made


@pytest.fixture(scope="package")
def sendgrid(emulators: Emulators) -> Iterator[Address]:
    env = {"FULCRUM_CLOCK_FILE": str(emulators.clock_file)}
    options = ("--key", KEY, "--sender", "farm.example")
    with embedded("sendgrid", *options, env=env) as address:
        yield address


@pytest.fixture
async def emailer(
    emulators: Emulators, sendgrid: Address, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Emailer]:
    monkeypatch.setenv("FULCRUM_SENDGRID_ENDPOINT", sendgrid.http)
    monkeypatch.setenv("FULCRUM_SENDGRID_API_KEY", KEY)
    monkeypatch.setenv("FULCRUM_MAIL_FROM", FROM)
    monkeypatch.setenv("FULCRUM_URL_NETWORKS", "127.0.0.1/32")
    with sending_stack.sending_on(emulators, f"p{next(_numbers)}", monkeypatch, "mail") as stack:
        _reset(sendgrid)
        source = str(ROOT / "functions" / "emailer" / "main.py")
        app = functions_framework.aio.create_asgi_app(target="emailer", source=source)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service", timeout=60)
        yield Emailer(stack, sendgrid, client)
        await client.aclose()
        await sending_stack.close()
    template_process._process.end()
    provider._client.cache_clear()
    settings.cache_clear()
