"""What was taken, and how far it is: state and rules, no requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from email.utils import format_datetime
from typing import Any, Literal
from uuid import uuid4

from emulators.kit.records import Records
from emulators.twilio.errors import too_many
from emulators.twilio.numbers import segments
from shared import clock

Status = Literal["accepted", "queued", "sent", "delivered", "undelivered", "failed"]
# What becomes of a message after it was taken, and after so many seconds of the clock.
_SENT_AFTER, _ENDS_AFTER = 0.2, 0.5
_KIND = "message"


@dataclass(frozen=True)
class Text:
    """One message. Times are in epoch ms; an empty text is what Twilio calls null."""

    sid: str
    account: str
    to: str
    sender: str
    service: str
    body: str
    callback: str
    status: Status
    created: int
    updated: int
    sent: int | None = None
    error_code: int | None = None

    def resource(self) -> dict[str, Any]:
        """As the API shows it."""
        uri = f"/2010-04-01/Accounts/{self.account}/Messages/{self.sid}"
        return {
            "account_sid": self.account,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": _rfc2822(self.created),
            "date_sent": None if self.sent is None else _rfc2822(self.sent),
            "date_updated": _rfc2822(self.updated),
            "direction": "outbound-api",
            "error_code": self.error_code,
            "error_message": None,
            "from": self.sender or None,
            "messaging_service_sid": self.service or None,
            "num_media": "0",
            "num_segments": str(segments(self.body)),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }

    def report(self) -> dict[str, str]:
        """The form that tells of its status."""
        told = {
            "SmsSid": self.sid,
            "SmsStatus": self.status,
            "MessageStatus": self.status,
            "To": self.to,
            "MessageSid": self.sid,
            "AccountSid": self.account,
            "From": self.sender,
            "ApiVersion": "2010-04-01",
        }
        if self.service:
            told["MessagingServiceSid"] = self.service
        if self.error_code is not None:
            told["ErrorCode"] = str(self.error_code)
        return told


@dataclass(frozen=True)
class Fate:
    """What becomes of messages to a number. ``error_code`` is one of Twilio's, such as 30003."""

    status: Literal["delivered", "undelivered", "failed"] = "delivered"
    error_code: int | None = None


class Texts:
    """All messages by their sid, as they came."""

    def __init__(self, records: Records, tell: Callable[[Text], None]) -> None:
        self._records = records
        self._tell = tell
        self._fates: dict[str, Fate] = {}
        self._per_second = 0
        self._second, self._count = 0, 0
        self.all: dict[str, Text] = {}
        for _, data in records.read(_KIND):
            text = Text(**json.loads(data))
            self.all[text.sid] = text

    def take(self, account: str, form: Mapping[str, str]) -> Text:
        """Take a message that was checked."""
        now = clock.now_ms()
        service = form.get("MessagingServiceSid", "")
        text = Text(
            sid=f"SM{uuid4().hex}",
            account=account,
            to=form["To"],
            sender=form.get("From", ""),
            service=service,
            body=form["Body"],
            callback=form.get("StatusCallback", ""),
            status="accepted" if service else "queued",
            created=now,
            updated=now,
        )
        self._put(text)
        return text

    def under_way(self) -> list[Text]:
        """Those that have come to no end."""
        return [text for text in self.all.values() if text.status in ("accepted", "queued", "sent")]

    def count(self) -> None:
        """Count a request; ApiError 429 for one that is too many in its second."""
        second = clock.now_ms() // 1000
        if second != self._second:
            self._second, self._count = second, 0
        self._count += 1
        if self._per_second and self._count > self._per_second:
            raise too_many()

    def limit(self, per_second: int) -> None:
        """Take so many requests a second; 0: any number."""
        self._per_second = per_second

    def decide(self, to: str, fate: Fate) -> None:
        """What becomes of messages to a number from now on."""
        self._fates[to] = fate

    async def carry(self, sid: str) -> None:
        """Carry a message to its end, by the clock, and tell of each step."""
        await clock.sleep(_SENT_AFTER)
        self._go(sid, "sent", None)
        await clock.sleep(_ENDS_AFTER - _SENT_AFTER)
        if text := self.all.get(sid):
            fate = self._fates.get(text.to, Fate())
            self._go(sid, fate.status, fate.error_code)

    def _go(self, sid: str, status: Status, error_code: int | None) -> None:
        text = self.all.get(sid)
        if text is None:
            return  # forgotten meanwhile
        now = clock.now_ms()
        sent = now if status == "sent" else text.sent
        after = replace(text, status=status, updated=now, sent=sent, error_code=error_code)
        self._put(after)
        self._tell(after)

    def _put(self, text: Text) -> None:
        self.all[text.sid] = text
        if self._records.durable:
            key = f"{text.created:015d} {text.sid}"
            self._records.write([(_KIND, key, json.dumps(asdict(text)).encode())])

    def clear(self) -> None:
        """Forget everything."""
        self.all.clear()
        self._fates.clear()
        self._per_second = 0
        self._records.clear()


def _rfc2822(ms: int) -> str:
    return format_datetime(clock.from_ms(ms))
