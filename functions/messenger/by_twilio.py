"""Sending text messages by Twilio's own library, each to one number.

What its API answers is told apart as Twilio documents it (https://www.twilio.com/docs/usage/twilios-response):
2xx took the message; 429 and 5xx may take it later, as may whoever does not answer; any other 4xx never takes
it as it is (a number, an account, a permission), and its code says why.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from shared import send_limits
from shared.config import settings
from shared.errors import Rejected
from shared.send_limits import Limit
from shared.sending import Busy, Limited, Message, Provider

CALLBACK = "/v1/callback/twilio"
# Of one request: less than a claim lasts.
_SECONDS = 15.0
_LATER = frozenset({408, 425, 429})
_MAX_CHARACTERS = 300
# Not only its beginning: a sender's name may begin so, too.
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}\Z")
# Twilio says whose number is wrong, and what it says goes into logs.
_NUMBER = re.compile(r"\+?[0-9]{6,}")


class Account(NamedTuple):
    """Who sends.

    ``sender``: a number, a name, or the sid of a messaging service. ``endpoint``: of a stand-in.
    """

    sid: str
    token: str
    sender: str
    endpoint: str
    callback_url: str


def provider() -> Provider | None:
    """Twilio, if this deployment has an account there."""
    account = _account()
    return None if account is None else _provider(account)


@cache
def _provider(account: Account) -> Provider:
    calls = threading.local()

    async def send(message: Message) -> str:
        # The library waits for its answers: in threads, whose number the turns of send_requests bound.
        return await asyncio.to_thread(_send, calls, account, message)

    return Provider(send, _check_limit)


def _account() -> Account | None:
    config = settings()
    account = Account(
        config.text("TWILIO_ACCOUNT_SID", ""),
        config.text("TWILIO_AUTH_TOKEN", ""),
        config.text("TWILIO_FROM", ""),
        config.twilio_endpoint,
        config.text("CALLBACK_URL", "").rstrip("/"),
    )
    return account if account.sid and account.token and account.sender else None


async def _check_limit(message: Message) -> None:
    """Limited if the message's own limits hold it back."""
    text = message.fields.get("limitOptions")
    if text is None:
        return
    limit = msgspec.json.decode(text, type=Limit)
    (recipient,) = message.fields["recipients"]
    verdict = await send_limits.admit(message.project_id, "sms", recipient, limit, message.id)
    if verdict != "admitted":
        raise Limited(first=verdict == "first")


def _send(calls: threading.local, account: Account, message: Message) -> str:
    """Hand a message over; Twilio's id of it."""
    import requests
    from twilio.base.exceptions import TwilioException

    if not hasattr(calls, "client"):
        # One for each thread: the library keeps the latest answer in its HTTP client.
        calls.client, calls.asked_to_wait = _client(account)
    (recipient,) = message.fields["recipients"]
    try:
        made = calls.client.messages.create(
            to=recipient, body=message.fields["message"], **_from(account), **_callback(account, message)
        )
    except TwilioException as error:
        raise _failure(error, calls.asked_to_wait()) from None
    except requests.RequestException as error:
        raise Busy("twilio.noAnswer", f"no answer of Twilio: {type(error).__name__}") from error
    except (ValueError, AttributeError) as error:
        # No JSON, or none that the library can walk through.
        raise _nobody() from error
    if not isinstance(made.sid, str) or not made.sid:
        raise _nobody()
    return made.sid


def _nobody() -> Busy:
    return Busy("twilio.answer", "what answered is not Twilio's API")


def _client(account: Account) -> tuple[Any, Callable[[], int | None]]:
    """Twilio's client, and what says for how many ms its latest answer asked to wait."""
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    latest: dict[str, str] = {}

    def note(answer: Any, *given: Any, **named: Any) -> None:
        latest["retryAfter"] = answer.headers.get("Retry-After", "")

    def asked_to_wait() -> int | None:
        text = latest.get("retryAfter", "")
        return int(text) * 1000 if text.isdecimal() and len(text) < 7 else None

    # An environment of its own: the library would read ours, and another account's region from it.
    client = Client(
        account.sid,
        account.token,
        http_client=TwilioHttpClient(timeout=_SECONDS, request_hooks={"response": note}),
        environment={"": ""},
    )
    if account.endpoint:
        client.api.base_url = account.endpoint
    return client, asked_to_wait


def _from(account: Account) -> dict[str, str]:
    service = _SERVICE.match(account.sender)
    return {"messaging_service_sid" if service else "from_": account.sender}


def _callback(account: Account, message: Message) -> dict[str, str]:
    if not account.callback_url:
        return {}
    names = urlencode({"projectId": message.project_id, "messageId": message.id})
    return {"status_callback": f"{account.callback_url}{CALLBACK}?{names}"}


def _failure(error: Any, wait_ms: int | None) -> Rejected | Busy:
    status, number = getattr(error, "status", None), getattr(error, "code", None)
    said = str(getattr(error, "msg", None) or getattr(error, "detail", None) or error)
    said = _NUMBER.sub("…", said)[:_MAX_CHARACTERS]
    code = f"twilio.{number or status}"
    if status is None or status in _LATER or status >= 500:
        return Busy(code, said, wait_ms)
    return Rejected(code, said)
