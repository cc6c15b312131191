"""What SendGrid tells of a mail, recipient by recipient, and how far the mail is by all of it. Pure.

Events come in any order, more than once, and of several recipients. Of each recipient the one counts that
says most: ``processed``, ``deferred``, ``delivered``, and then ``bounced`` or ``dropped``, because a server
that has taken a mail may still send it back. The mail is ``delivered`` when it is for all, and
``undelivered`` as soon as it is not for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Literal, NamedTuple

import msgspec

# How much an event says; ``bounce`` of the type ``blocked`` is one, too.
_RANKS = {"processed": 0, "deferred": 1, "delivered": 2, "bounce": 3, "dropped": 3}
_STATES = {"bounce": "bounced"}
_ENDS = frozenset({"bounced", "dropped"})
_RANKS_OF_STATES = {_STATES.get(name, name): rank for name, rank in _RANKS.items()}
# A report counts for a message in one of these: not for one that is only kept, say.
_OPEN = frozenset({"sending", "waiting", "sent", "delivered", "undelivered", "failed"})
# One whose answer may have been lost.
_UNSURE = frozenset({"sending", "waiting", "failed"})
_MAX_TEXT = 500


class Event(msgspec.Struct, frozen=True):
    """An event of SendGrid's, as far as it is read. ``timestamp`` is in seconds."""

    event: str = ""
    email: str = ""
    timestamp: int = 0
    sg_message_id: str = ""
    reason: str = ""
    response: str = ""
    fulcrum_project: str = msgspec.field(name="fulcrumProject", default="")
    fulcrum_message: str = msgspec.field(name="fulcrumMessage", default="")


class Mail(NamedTuple):
    """Which mail an event is of."""

    project_id: str
    message_id: str


_decode = msgspec.json.Decoder(Event, strict=False).decode


def read(body: bytes) -> list[Event]:
    """The events of a batch, without those that are none; msgspec.DecodeError for what is no list."""
    found = []
    for raw in msgspec.json.decode(body, type=list[msgspec.Raw]):
        # One that nobody understands is no reason to be told all others again for a day.
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found.append(_decode(raw))
    return found


def by_mail(events: Iterable[Event]) -> dict[Mail, list[Event]]:
    """The events that say how far a mail of ours is, by that mail."""
    found: dict[Mail, list[Event]] = {}
    for event in events:
        mail = Mail(event.fulcrum_project, event.fulcrum_message)
        if event.event in _RANKS and all(mail) and "/" not in "".join(mail):
            found.setdefault(mail, []).append(event)
    return found


def decide(
    fields: Mapping[str, Any], events: Iterable[Event], now: int
) -> dict[str, Any] | Literal["known", "foreign"]:
    """What events change of a mail's fields."""
    before = fields.get("state")
    known = fields.get("providerId")
    # Of a try whose answer was lost there may be another mail, which SendGrid calls otherwise.
    ours = [event for event in events if _is_of(event, known)]
    if not ours or before not in _OPEN:
        return "known" if ours else "foreign"
    told: dict[str, dict[str, Any]] = {one["to"].casefold(): one for one in fields.get("deliveries") or ()}
    for event in ours:
        # Of what is processed, the answer to the request has said so already.
        if event.event != "processed" or before in _UNSURE:
            key, new = event.email.casefold(), _delivery(event)
            told[key] = max(told.get(key, new), new, key=_says)
    deliveries = [told[key] for key in sorted(told)]
    changes: dict[str, Any] = {"state": _state(fields, deliveries), "deliveries": deliveries}
    for bad in deliveries:
        if bad["state"] in _ENDS:
            changes["error"] = {"code": f"sendgrid.{bad['state']}", "text": bad.get("text", "")}
            break
    if all(fields.get(key) == value for key, value in changes.items() if value):
        return "known"
    if not known:
        # What went wrong with the answer counts no more.
        changes = {"providerId": _provider_id(ours[0]), "sentTime": now, "error": None} | changes
    return changes | {"reportTime": now}


def _delivery(event: Event) -> dict[str, Any]:
    said = (event.reason or event.response)[:_MAX_TEXT]
    told = {"to": event.email, "state": _STATES.get(event.event, event.event), "time": event.timestamp * 1000}
    return told | ({"text": said} if said else {})


def _says(delivery: Mapping[str, Any]) -> tuple[int, int, str, str, str]:
    """What is greater counts: how much is said, then when. The rest only tells any two apart."""
    state = delivery["state"]
    return _RANKS_OF_STATES[state], delivery["time"], state, delivery.get("text", ""), delivery["to"]


def _state(fields: Mapping[str, Any], deliveries: Iterable[Mapping[str, Any]]) -> str:
    states = [one["state"] for one in deliveries]
    if _ENDS.intersection(states):
        return "undelivered"
    recipients = sum(len(fields.get(key) or ()) for key in ("to", "cc", "bcc"))
    return "delivered" if states.count("delivered") >= recipients else "sent"


def _is_of(event: Event, known: str | None) -> bool:
    """Whether an event may be of the mail with this X-Message-Id, which has dots of its own now and then."""
    return not known or event.sg_message_id == known or event.sg_message_id.startswith(f"{known}.")


def _provider_id(event: Event) -> str:
    """The X-Message-Id that SendGrid answered, or its beginning: what an event's own id begins with."""
    return event.sg_message_id.partition(".")[0]
