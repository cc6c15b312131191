"""Attachments at URLs: fetched when the mail goes out, by the rules for users' URLs."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator

import pytest

from tests.integration.emailer.conftest import Emailer

MAIL = {"type": "emailMsg", "id": "e1", "to": "ada@example.com", "subject": "Report", "text": "See below"}


class Files:
    """A server of one file, which answers with what it is told to."""

    def __init__(self) -> None:
        self.status = "200 OK"
        self.asked = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a request."""
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        head = f"HTTP/1.1 {self.status}\r\nContent-Type: application/pdf\r\nContent-Length: 4"
        writer.write(head.encode() + b"\r\nConnection: close\r\n\r\n%PDF")
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    made = Files()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/report"
    yield made
    server.close()
    await server.wait_closed()


async def test_a_file_at_a_url_goes_with_the_mail(emailer: Emailer, files: Files) -> None:
    given = [{"filename": "report.pdf", "url": files.url}, {"filename": "a.txt", "content": "YQ=="}]
    assert await emailer.deliver({**MAIL, "attachments": given}) == 204
    assert await emailer.deliver({**MAIL, "attachments": given}) == 204
    (sent,) = emailer.sent()
    assert [(file["filename"], file["type"]) for file in sent["attachments"]] == [
        ("report.pdf", "application/pdf"),
        ("a.txt", "text/plain"),
    ]
    assert base64.b64decode(sent["attachments"][0]["content"]) == b"%PDF"
    assert files.asked == 1


async def test_a_file_that_is_away_has_the_mail_tried_again(emailer: Emailer, files: Files) -> None:
    files.status = "503 Away"
    assert await emailer.deliver({**MAIL, "attachments": [{"filename": "r.pdf", "url": files.url}]}) == 204
    (kept,) = await emailer.outbox()
    assert (kept["state"], kept["error"]["code"]) == ("waiting", "email.attachments")
    files.status = "200 OK"
    assert await emailer.resume() == 204
    (sent,) = emailer.sent()
    assert sent["attachments"][0]["filename"] == "r.pdf"


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://169.254.169.254/computeMetadata/v1/", "url.private"),
        ("http://127.0.0.2/", "url.private"),
        ("http://0177.0.0.1/", "url.invalid"),
        ("http://[::1]/", "url.private"),
        ("http://10.0.0.1/", "url.private"),
        ("file:///etc/passwd", "url.invalid"),
    ],
)
async def test_a_url_into_the_platform_is_refused(emailer: Emailer, url: str, error: str) -> None:
    assert await emailer.deliver({**MAIL, "attachments": [{"filename": "r.pdf", "url": url}]}) == 204
    (kept,) = await emailer.outbox()
    assert (kept["state"], kept["error"]["code"]) == ("failed", error)
    assert [each[2]["errorType"] for each in emailer.stack.topics.published] == [error]
    assert emailer.calls() == 0


async def test_a_file_that_is_gone_refuses_the_mail(emailer: Emailer, files: Files) -> None:
    files.status = "404 Gone"
    assert await emailer.deliver({**MAIL, "attachments": [{"filename": "r.pdf", "url": files.url}]}) == 204
    (kept,) = await emailer.outbox()
    assert (kept["state"], kept["error"]["code"]) == ("failed", "email.attachments")
    assert emailer.calls() == 0
