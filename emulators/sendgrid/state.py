"""What was accepted, what becomes of it, and what is still to be told of that.

For each recipient the events of a mail are ``processed`` and ``delivered``, unless the outcome of his address
is set otherwise: ``bounce``, ``blocked``, ``dropped`` or ``deferred``, told before ``delivered``. Who
has bounced gets nothing any more: ``dropped``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from emulators.kit.records import Records
from emulators.sendgrid import checks

Outcome = Literal["delivered", "bounce", "blocked", "dropped", "deferred"]
# So many are kept, the latest.
MOST_MAILS = 2_000
OUTCOMES: tuple[str, ...] = get_args(Outcome)
_DETAILS: dict[str, dict[str, str]] = {
    "processed": {},
    "delivered": {"response": "250 OK"},
    "deferred": {"response": "400 try again later", "attempt": "1"},
    "bounce": {"reason": "550 5.1.1 unknown recipient", "status": "5.1.1", "type": "bounce"},
    "blocked": {"reason": "550 5.7.1 refused", "status": "5.7.1", "type": "blocked"},
    "dropped": {"reason": "Bounced Address", "status": "5.0.0"},
}


class Mails:
    """The state. ``now_ms``: the clock; ``on_events`` is called when there is something to tell."""

    def __init__(self, records: Records, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._now_ms = now_ms
        self._order = 0
        self.mails: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.outcomes: dict[str, str] = {}
        self.on_events: Callable[[str], None] = lambda _: None

    def restore(self) -> None:
        """Read what an earlier process has kept."""
        for key, value in self._records.read("mail"):
            self.mails[key] = json.loads(value)
            self._order = max(self._order, self.mails[key]["order"])
        self.mails = dict(sorted(self.mails.items(), key=lambda item: item[1]["order"]))
        for key, value in self._records.read("outcome"):
            self.outcomes[key] = value.decode()
        for key, value in self._records.read("events"):
            self.events[key] = json.loads(value)
            self.on_events(key)

    def accept(self, mail: Mapping[str, Any]) -> str:
        """Take a mail; its X-Message-Id."""
        message_id = secrets.token_urlsafe(16)
        self._order += 1
        kept = {"id": message_id, "order": self._order, "time": self._now_ms(), "mail": mail}
        self.mails[message_id] = kept
        events = [event for to in dict.fromkeys(checks.recipients(mail)) for event in self._events(kept, to)]
        self.events[message_id] = events
        self._records.write(
            [
                ("mail", message_id, json.dumps(kept).encode()),
                ("events", message_id, json.dumps(events).encode()),
            ]
        )
        while len(self.mails) > MOST_MAILS:
            oldest = next(iter(self.mails))
            del self.mails[oldest]
            self._records.write(deletes=[("mail", oldest)])
        self.on_events(message_id)
        return message_id

    def _events(self, kept: Mapping[str, Any], to: str) -> list[dict[str, Any]]:
        outcome = self.outcomes.get(to.casefold(), "delivered")
        if outcome in ("bounce", "dropped"):
            self.set_outcome(to, "dropped")
        told = {
            "delivered": ("processed", "delivered"),
            "deferred": ("processed", "deferred", "delivered"),
            "dropped": ("dropped",),
        }.get(outcome, ("processed", outcome))
        return [self._event(kept, to, name) for name in told]

    def _event(self, kept: Mapping[str, Any], to: str, name: str) -> dict[str, Any]:
        mail = kept["mail"]
        return {
            "email": to,
            "timestamp": kept["time"] // 1000,
            "smtp-id": f"<{kept['id']}@geopod-ismtpd-0>",
            "event": "bounce" if name == "blocked" else name,
            "sg_event_id": secrets.token_urlsafe(16),
            "sg_message_id": f"{kept['id']}.filterdrecv-0.0.0",
            **_DETAILS[name],
            **(mail.get("custom_args") or {}),
        }

    def set_outcome(self, address: str, outcome: str) -> None:
        """What becomes of mail to an address from now on."""
        self.outcomes[address.casefold()] = outcome
        self._records.write([("outcome", address.casefold(), outcome.encode())])

    def told(self, message_id: str) -> None:
        """The events of a mail are told."""
        self.events.pop(message_id, None)
        self._records.write(deletes=[("events", message_id)])

    def clear(self) -> None:
        """Forget everything."""
        self.mails.clear()
        self.events.clear()
        self.outcomes.clear()
        self._records.clear()
