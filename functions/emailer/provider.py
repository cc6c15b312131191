"""SendGrid, by its own library: imported at the first mail, called in a thread.

``SENDGRID_ENDPOINT`` names another host than api.sendgrid.com: that of the EU, or a stand-in.
"""

from __future__ import annotations

import asyncio
import http.client
import logging
from functools import cache
from typing import Any
from urllib.error import URLError

import msgspec

from functions.emailer import attachments
from functions.emailer.mails import Attachment
from functions.emailer.payload import payload, refusal
from shared import clock
from shared.config import settings
from shared.errors import Transient
from shared.sending import Busy, Message, Provider

SECONDS = 15.0
_HOST = "https://api.sendgrid.com"
# Of what it has taken it says so alone, with no other 2xx.
_TAKEN = 202
_attachments = msgspec.json.Decoder(list[Attachment]).decode


def provider() -> Provider | None:
    """Who carries mail away; None: nobody does, because MAIL_FROM or SENDGRID_API_KEY is not set."""
    found = settings()
    if not (found.text("MAIL_FROM", "") and found.text("SENDGRID_API_KEY", "")):
        return None
    return Provider(_send, _before)


async def _before(message: Message) -> None:
    """Transient where so many mails with files are under way that this one would wait for too long."""
    if message.fields.get("attachments") and attachments.is_full():
        raise Transient("many mails with attachments are under way")


async def _send(message: Message) -> str:
    """Hand a mail to SendGrid; its X-Message-Id. Rejected: never; Busy, Transient: not now."""
    given = _attachments(message.fields.get("attachments", "[]"))
    sender = settings().text("MAIL_FROM", "")
    if not given:
        return await asyncio.to_thread(_post, payload(message, sender, ()))
    async with attachments.turn():
        body = payload(message, sender, await attachments.gather(given))
        return await asyncio.to_thread(_post, body)


@cache
def _client(key: str, host: str) -> Any:
    from sendgrid import SendGridAPIClient

    # It would write its headers, and so the key, where somebody asks for all lines.
    logging.getLogger("python_http_client").setLevel(logging.INFO)
    made = SendGridAPIClient(key, host=host)
    made.client.timeout = SECONDS
    return made


def _post(body: dict[str, Any]) -> str:
    from python_http_client.exceptions import HTTPError

    found = settings()
    client = _client(found.text("SENDGRID_API_KEY", ""), found.text("SENDGRID_ENDPOINT", "") or _HOST)
    try:
        answer = client.send(body)
    except HTTPError as error:
        raise refusal(error.status_code, error.body, error.headers, clock.now_ms()) from None
    except URLError as error:
        # Nothing of it was sent, or not all.
        raise Busy(
            "sendgrid.unreachable", f"SendGrid was not reached: {type(error.reason).__name__}"
        ) from None
    except ValueError:
        # Its text has the header that HTTP cannot carry, and so the key: it goes nowhere.
        said = "no request can be made of SENDGRID_API_KEY and SENDGRID_ENDPOINT as they are"
        raise Busy("sendgrid.settings", said) from None
    except (OSError, http.client.HTTPException) as error:
        raise Busy("sendgrid.noAnswer", f"SendGrid did not answer: {type(error).__name__}") from None
    if answer.status_code != _TAKEN:
        raise Busy("sendgrid.answer", f"what answered {answer.status_code} is not SendGrid's API")
    return answer.headers.get("X-Message-Id") or ""
