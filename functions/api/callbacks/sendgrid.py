"""SendGrid tells how far mails are, in batches that it signs.

A batch that comes again changes nothing, and so it may: its time is part of what is signed, and no more.

No postponed annotations here: the framework reads the handlers' annotations.
"""

import asyncio
import base64
import binascii
import itertools
from collections import Counter
from functools import cache
from typing import Annotated, Any

import msgspec
from fastapi.responses import Response
from starlette.requests import Request

from functions.api.callbacks import mail_events
from functions.api.callbacks.mail_events import Event, Mail
from functions.api.needs import Call, public
from functions.api.router import Router
from shared import send_reports
from shared.config import settings
from shared.errors import ApiError
from shared.log import log

router = Router("about")
SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
# SendGrid sends batches of less than 768 KB.
MAX_BYTES = 2_000_000
_MAX_TIMESTAMP = 20
_AT_ONCE = 20


@router.post("/callback/sendgrid", include_in_schema=False, response_class=Response)
async def sendgrid_callback(
    request: Request, call: Annotated[Call, public("whoever has no key of SendGrid's is refused")]
) -> Response:
    """204 for events that are taken, or say nothing new; 403 for what is not SendGrid's."""
    body = await request.body()
    _check(request, body)
    results: Counter[str] = Counter()
    told = iter(mail_events.by_mail(_events(body)).items())
    while some := list(itertools.islice(told, _AT_ONCE)):
        results.update(await asyncio.gather(*(_store(mail, events) for mail, events in some)))
    log("INFO", "reports of mails", results=dict(results))
    return Response(status_code=204)


async def _store(mail: Mail, events: list[Event]) -> str:
    return await send_reports.change(
        mail.project_id, mail.message_id, lambda fields, now: mail_events.decide(fields, events, now)
    )


def _events(body: bytes) -> list[Event]:
    try:
        return mail_events.read(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(
            400, "callback.events", f"the body is no list of events: {error}", "send what SendGrid sends"
        ) from None


def _check(request: Request, body: bytes) -> None:
    """ApiError 403 for what is not signed by the account's key."""
    given, timestamp = request.headers.get(SIGNATURE, ""), request.headers.get(TIMESTAMP, "")
    known = settings().text("SENDGRID_WEBHOOK_KEY", "")
    fits = len(body) <= MAX_BYTES and 0 < len(timestamp) <= _MAX_TIMESTAMP
    if not (known and given and fits and _is_signed(_key(known), given, timestamp.encode() + body)):
        raise ApiError(
            403,
            "callback.signature",
            "the request is not signed as SendGrid signs it",
            "switch on Signed Event Webhook, and see that SENDGRID_WEBHOOK_KEY is its verification key",
        )


@cache
def _key(text: str) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    return load_der_public_key(base64.b64decode(text))


def _is_signed(key: Any, signature: str, data: bytes) -> bool:
    """ECDSA with SHA-256 of the time and the body, as
    https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
    says it."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key.verify(base64.b64decode(signature, validate=True), data, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
