"""Files of mails: what is taken, fetched within limits, and refused by their place."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from functions.emailer import attachments
from functions.emailer.attachments import File
from functions.emailer.mails import Attachment
from shared.clients import outside
from shared.clients.outside import Answer
from shared.config import settings
from shared.errors import Rejected, Transient
from shared.sending import Busy

URL = "https://files.example/report.pdf"


class Web:
    """What answers in place of the Internet."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Exception] = {}
        self.asked: list[tuple[str, dict[str, str], int]] = []

    async def request(self, method: str, url: str, headers: dict[str, str], **more: Any) -> Answer:
        """As ``outside.request``."""
        self.asked.append((method, headers, more["most"]))
        answer = self.answers[url]
        if isinstance(answer, Exception):
            raise answer
        return answer._replace(body=answer.body[: more["most"]])


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    settings.cache_clear()
    made = Web()
    monkeypatch.setattr(outside, "request", made.request)
    return made


def _answer(body: bytes = b"PDF", status: int = 200, **headers: str) -> Answer:
    return Answer(status, body, URL, {key.replace("_", "-"): value for key, value in headers.items()})


def _decoded(file: File) -> bytes:
    return base64.b64decode(file.data, validate=True)


async def test_files_with_their_content_and_files_at_urls(web: Web) -> None:
    web.answers[URL] = _answer(content_type="application/pdf; charset=x")
    files = await attachments.gather(
        [
            Attachment(filename="a.csv", content="YSxi\nCg=="),
            Attachment(filename="b.txt", content="blåbær", encoding="utf-8", content_type="text/plain"),
            Attachment(filename="report", url=URL, known_length=3),
            Attachment(filename="c.unknown-kind", content="YQ=="),
        ]
    )
    assert [(file.name, file.content_type) for file in files] == [
        ("a.csv", "text/csv"),
        ("b.txt", "text/plain"),
        ("report", "application/pdf"),
        ("c.unknown-kind", "application/octet-stream"),
    ]
    assert [_decoded(file) for file in files] == [b"a,b\n", "blåbær".encode(), b"PDF", b"a"]
    ((method, headers, _),) = web.asked
    assert (method, headers["Accept-Encoding"]) == ("GET", "identity")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (_answer(status=404), "is not there: its URL answers 404"),
        (_answer(status=204), "is not there: its URL answers 204"),
        (_answer(b""), "is empty"),
        (_answer(content_encoding="gzip"), "comes packed"),
        (_answer(b"x" * (attachments.MAX_FILE_BYTES + 1)), "is too large"),
        (_answer(b"four"), "has 4 bytes, and a knownLength of 3"),
    ],
    ids=["gone", "nothing", "empty", "packed", "large", "length"],
)
async def test_a_file_that_cannot_go_with_a_mail_refuses_it(web: Web, answer: Answer, said: str) -> None:
    web.answers[URL] = answer
    with pytest.raises(Rejected) as caught:
        await attachments.gather(
            [Attachment(filename="a", content="YQ=="), Attachment(filename="b", url=URL, known_length=3)]
        )
    assert caught.value.error_type == "email.attachments"
    assert caught.value.message.startswith(f"attachments[1] {said}")


@pytest.mark.parametrize("error", ["url.private", "url.redirects"])
async def test_a_url_that_may_not_be_called_refuses_the_mail(web: Web, error: str) -> None:
    web.answers[URL] = Rejected(error, "no")
    with pytest.raises(Rejected) as caught:
        await attachments.gather([Attachment(filename="b", url=URL)])
    assert caught.value.error_type == error


@pytest.mark.parametrize(
    "answer",
    [
        *(_answer(status=status) for status in (408, 425, 429, 500, 503)),
        _answer(b"half", content_length="8"),
        Transient("no answer"),
    ],
    ids=["408", "425", "429", "500", "503", "cut", "none"],
)
async def test_a_file_that_is_not_there_now_has_the_mail_wait(web: Web, answer: Answer | Exception) -> None:
    web.answers[URL] = answer
    with pytest.raises(Busy) as caught:
        await attachments.gather([Attachment(filename="b", url=URL)])
    assert caught.value.code == "email.attachments"


async def test_all_files_of_a_mail_have_one_limit(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MAX_BYTES", 10)
    web.answers[URL] = _answer(b"x" * 6)
    files = [Attachment(filename="a", url=URL), Attachment(filename="b", url=URL)]
    assert len(await attachments.gather(files[:1])) == 1
    with pytest.raises(Rejected, match=r"attachments\[1\] is too large"):
        await attachments.gather(files)
    assert [most for _, _, most in web.asked] == [11, 11, 5]


async def test_files_that_take_too_long_have_the_mail_wait(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    async def never(*given: Any, **more: Any) -> Answer:
        await asyncio.Event().wait()
        return _answer()

    monkeypatch.setattr(outside, "request", never)
    monkeypatch.setattr(attachments, "SECONDS", 0.05)
    with pytest.raises(Busy, match="not there within"):
        await attachments.gather([Attachment(filename="b", url=URL)])


async def test_few_mails_with_files_are_in_memory_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import AsyncExitStack

    monkeypatch.setattr(attachments, "TURN_SECONDS", 0.05)
    async with AsyncExitStack() as held:
        for _ in range(3):
            assert not attachments.is_full()
            await held.enter_async_context(attachments.turn())
        assert attachments.is_full()
        with pytest.raises(Busy):
            await held.enter_async_context(attachments.turn())
    assert not attachments.is_full()
