"""Effects as a script asks for them, checked: what cannot be carried out fails where it is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fulcrum.script import wire
from fulcrum.script.values import encoded_size, plain
from fulcrum.script.writing import BadData, writes

_EMAIL = frozenset(
    {
        "type",
        "to",
        "cc",
        "bcc",
        "blindTo",
        "from",
        "subject",
        "text",
        "html",
        "template",
        "templateId",
        "context",
        "attachments",
    }
)
_SMS = frozenset({"type", "recipients", "message", "templateId", "template", "context", "limitOptions"})
_TIMERS = {
    "once": (frozenset({"delay", "when"}), 1),
    "repeating": (frozenset({"delay"}), 1),
    "scheduled": (frozenset({"cron"}), 1),
    "solar": (frozenset({"latitude", "longitude"}), 2),
}
_ACTIONS = {"publishTopic": "topic", "queryUrl": "url"}
_MAX_ID = 200


class InvalidEffect(ValueError):
    """An effect that cannot be carried out as it is asked for."""


class Start(NamedTuple):
    """When a timer fires: one of the three."""

    timer: Mapping[str, Any] | None
    delay: timedelta | int | None
    when: datetime | int | None


def email(message: str | Mapping[str, Any] | None, given: Mapping[str, Any]) -> wire.SendEmail:
    """A mail from its subject, or from an object that ``given`` completes."""
    fields = _fields(message, given, "subject", _EMAIL, "the mail")
    for key in ("to", "cc", "bcc", "blindTo"):
        if key in fields:
            fields[key] = _names(fields[key], f"the mail's {key}")
    if not (fields.get("to") or fields.get("blindTo")):
        raise InvalidEffect('the mail goes to nobody: name somebody, as in to=["name@example.com"]')
    if fields.get("blindTo") and any(fields.get(key) for key in ("to", "cc", "bcc")):
        raise InvalidEffect("the mail has blind_to, which is a mail for each: leave out to, cc and bcc")
    if not (fields.get("template") or fields.get("templateId")):
        if not (fields.get("text") or fields.get("html")):
            raise InvalidEffect("the mail has no text: give text, html or template")
        if not fields.get("subject"):
            raise InvalidEffect("the mail has no subject")
    return wire.SendEmail(message=fields)


def sms(message: str | Mapping[str, Any] | None, given: Mapping[str, Any]) -> wire.SendSms:
    """A text message from its text, or from an object that ``given`` completes."""
    fields = _fields(message, given, "message", _SMS, "the SMS")
    fields["recipients"] = _names(fields.get("recipients") or [], "the SMS's recipients")
    if not fields["recipients"]:
        raise InvalidEffect('the SMS goes to nobody: name somebody, as in to=["+4712345678"]')
    if not (fields.get("message") or fields.get("templateId") or fields.get("template")):
        raise InvalidEffect("the SMS has no text: give a message or a template")
    return wire.SendSms(message=fields)


def device_data(values: Any, device_id: Any, time: Any, route: Any) -> wire.SetDeviceData:
    """Data for a device."""
    if device_id is None:
        raise InvalidEffect("set_device_data: this event concerns no device: say which by device_id")
    try:
        data = writes(values, "the device data")
    except BadData as error:
        raise InvalidEffect(str(error)) from None
    if not data:
        raise InvalidEffect("set_device_data: no values are given")
    return wire.SetDeviceData(
        device_id=_text(device_id, "device_id"),
        data=data,
        time=_instant(time, "time"),
        route=_kind(route, bool, "route"),
    )


def message(sent: Any, device_id: Any, ttl: Any, key: Any) -> wire.SendMessage:
    """A message to a device."""
    if device_id is None:
        raise InvalidEffect("send_message: this event concerns no device: say which by device_id")
    made = plain(sent, "the message")
    if (size := encoded_size(made, "the message")) > wire.MAX_MESSAGE_BYTES:
        raise InvalidEffect(f"the message has {size} bytes: at most {wire.MAX_MESSAGE_BYTES}")
    if ttl is not None:
        ttl = _delay(ttl, "ttl")
        if not 1_000 <= ttl <= wire.MAX_TTL:
            raise InvalidEffect("ttl is a second at least, and 28 days at most")
    if key is not None and not 0 < len(_text(key, "key")) <= 100:
        raise InvalidEffect("key has 1 to 100 characters")
    return wire.SendMessage(device_id=_text(device_id, "device_id"), message=made, ttl=ttl, key=key)


def set_timer(
    id: Any, start: Start, action: Any, entry: Any, params: Any, device_id: str | None
) -> wire.SetTimer:
    """A timer that runs an entry point, or does ``action``."""
    if action is not None:
        action = plain(_kind(action, Mapping, "action"), "action")
        key = _ACTIONS.get(action.get("type", ""))
        if key is None or not isinstance(action.get(key), str):
            raise InvalidEffect(
                'action is {"type": "publishTopic", "topic": ..., "message": ...} '
                'or {"type": "queryUrl", "url": ...}'
            )
    entry = _text(entry, "entry")
    if not entry.isidentifier():
        raise InvalidEffect(f"entry {entry!r} is no name of a function")
    return wire.SetTimer(
        id=_text(id, "the timer's id"),
        timer=_timer(start),
        action=action,
        entry=entry,
        params={} if params is None else plain(_kind(params, Mapping, "params"), "params"),
        device_id=device_id,
    )


def cancel_timer(id: Any) -> wire.CancelTimer:
    """A timer that is to be cancelled."""
    return wire.CancelTimer(id=_text(id, "the timer's id"))


def publish(topic: Any, message: Any, options: Any) -> wire.Publish:
    """A message for a topic."""
    name = _text(topic, "topic")
    if not re.match(r"[A-Za-z][A-Za-z0-9._~+%-]{2,254}\Z", name):
        raise InvalidEffect(f"{name!r} is no name of a topic")
    return wire.Publish(
        topic=name,
        message=plain(_kind(message, Mapping, "message"), "message"),
        options={} if options is None else plain(_kind(options, Mapping, "options"), "options"),
    )


def _timer(start: Start) -> dict[str, Any]:
    if sum(part is not None for part in start) != 1:
        raise InvalidEffect("set_timer: give one of delay, when and timer")
    if start.delay is not None:
        return {"type": "once", "delay": _delay(start.delay)}
    if start.when is not None:
        return {"type": "once", "when": _instant(start.when, "when")}
    given = dict(_kind(start.timer, Mapping, "timer"))
    if isinstance(given.get("delay"), timedelta):
        given["delay"] = _delay(given["delay"])
    if isinstance(given.get("when"), datetime):
        given["when"] = _instant(given["when"], "when")
    timer: dict[str, Any] = plain(given, "timer")
    known = _TIMERS.get(timer.get("type", ""))
    if known is None:
        raise InvalidEffect(f"timer has no type of {', '.join(_TIMERS)}")
    keys, count = known
    if len(keys & timer.keys()) != count:
        raise InvalidEffect(f"a timer of type {timer['type']} has {' or '.join(sorted(keys))}")
    if "delay" in timer:
        timer["delay"] = _delay(timer["delay"])
    return timer


def _delay(value: Any, what: str = "delay") -> int:
    ms = value / timedelta(milliseconds=1) if isinstance(value, timedelta) else value
    if isinstance(ms, bool) or not isinstance(ms, int | float) or not 0 <= ms <= wire.MAX_TIME:
        raise InvalidEffect(f"{what} is {value!r}: give a timedelta, or milliseconds from 0 up")
    return round(ms)


def _instant(value: Any, what: str) -> int:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidEffect(f"{what} has no time zone: use one, as in datetime(..., tzinfo=UTC)")
        value = round(value.timestamp() * 1000)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= wire.MAX_TIME:
        raise InvalidEffect(f"{what} is {value!r}: give a datetime, or epoch milliseconds")
    return round(value)


def _fields(
    message: Any, given: Mapping[str, Any], main: str, known: frozenset[str], what: str
) -> dict[str, Any]:
    if isinstance(message, str):
        message = {main: message}
    fields: dict[str, Any] = plain({} if message is None else _kind(message, Mapping, "message"), what)
    fields.update({key: plain(value, f"{what}'s {key}") for key, value in given.items() if value is not None})
    strange = sorted(fields.keys() - known)
    if strange:
        raise InvalidEffect(f"{what} has no field {strange[0]!r}: it has {', '.join(sorted(known))}")
    fields.pop("type", None)
    for key in fields.keys() & {"subject", "text", "html", "message", "from", "template", "templateId"}:
        _text(fields[key], f"{what}'s {key}", most=None)
    return fields


def _names(value: Any, what: str) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, Sequence) or not all(isinstance(name, str) and name for name in names):
        raise InvalidEffect(f"{what} is {value!r}: give a list of strings")
    return list(names)


def _text(value: Any, what: str, most: int | None = _MAX_ID) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidEffect(f"{what} is {value!r}: give a text")
    if most is not None and len(value) > most:
        raise InvalidEffect(f"{what} has {len(value)} characters: at most {most}")
    # A plain one, of a kind of its own too: that is what can be sent.
    return str.__str__(value)


def _kind(value: Any, kind: Any, what: str) -> Any:
    if not isinstance(value, kind):
        raise InvalidEffect(f"{what} is of type {type(value).__name__}: give a {kind.__name__.lower()}")
    return value
