"""Twilio tells how far a text message is, in requests that it signs.

No postponed annotations here: the framework reads the handlers' annotations.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi.responses import Response
from starlette.requests import Request

from functions.api.access.mail import public_url
from functions.api.needs import Call, public
from functions.api.router import Router
from shared import send_reports
from shared.config import settings
from shared.errors import ApiError
from shared.log import log
from shared.send_reports import Report, Told

router = Router("about")
HEADER = "x-twilio-signature"
MAX_BYTES = 20_000
_MAX_FIELDS = 100
# Twilio's words, https://www.twilio.com/docs/messaging/api/message-resource#message-status-values; those
# that are not here say less than the answer to the request did.
_STATES: Final[dict[str, Told]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "failed",
}


@router.post("/callback/twilio", include_in_schema=False, response_class=Response)
async def twilio_callback(
    request: Request, call: Annotated[Call, public("whoever has no key of Twilio's is refused")]
) -> Response:
    """204 for a report that is taken, or says nothing new; 403 for one that is not Twilio's."""
    body = await request.body()
    fields = _fields(body)
    _check(request, fields)
    given, query = dict(fields), request.query_params
    project_id, message_id = query.get("projectId", ""), query.get("messageId", "")
    sid, state = given.get("MessageSid", ""), _STATES.get(given.get("MessageStatus", ""))
    result = "ignored"
    if state is not None and sid and project_id and message_id and "/" not in project_id + message_id:
        code = given.get("ErrorCode")
        report = Report(sid, state, f"twilio.{code}" if code else None, given.get("ErrorMessage"))
        result = await send_reports.store(project_id, message_id, report)
    log("INFO", "report of a text message", projectId=project_id[:200], id=message_id[:200], result=result)
    return Response(status_code=204)


def signature(token: str, url: str, fields: Sequence[tuple[str, str]]) -> str:
    """What Twilio signs a form with: https://www.twilio.com/docs/usage/security#validating-requests."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    # SHA-1 is what Twilio uses; within HMAC nothing is known against it.
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def _check(request: Request, fields: Sequence[tuple[str, str]]) -> None:
    token = settings().text("TWILIO_AUTH_TOKEN", "")
    given = request.headers.get(HEADER, "")
    path = request.scope["path"]
    query = request.scope["query_string"].decode("latin-1")
    url = public_url(request) + path + (f"?{query}" if query else "")
    if not token or not hmac.compare_digest(signature(token, url, fields).encode(), given.encode()):
        raise ApiError(
            403,
            "callback.signature",
            "the request is not signed as Twilio signs it",
            "see that PUBLIC_URL and TWILIO_AUTH_TOKEN are those that text messages are sent with",
        )


def _fields(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form; ApiError 400 for what is none."""
    try:
        if len(body) > MAX_BYTES:
            raise ValueError(f"over {MAX_BYTES} bytes")
        return parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise ApiError(
            400, "callback.form", f"the body is no form: {error}", "send the form that Twilio sends"
        ) from None
