"""Tells people when a device has sent nothing for too long, and when it sends again.

Each event sets the device's timer anew; where none comes in time, the timer fires and runs ``silent``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fulcrum.script import Context, Message, needs

_TIMER = "silence"


@needs("cache", "device", params=["timeout"])
def run(message: Message, context: Context) -> None:
    """A sign of life. The event goes on unchanged."""
    timeout = float(context.params["timeout"])
    if timeout <= 0:
        raise ValueError("timeout is in seconds, above 0: correct the params of the route")
    if message.get("historical"):
        return
    # What counts is when an event arrives, not when its device took it: one that was kept back is a sign too.
    heard = round(1000 * context.now.timestamp())
    known: dict[str, Any] = context.cache
    if heard < known.get("heard", 0):
        return
    context.set_cache({"heard": heard, "silent": False})
    context.set_timer(
        _TIMER,
        when=context.now + timedelta(seconds=timeout),
        entry="silent",
        params={**context.params, "heard": heard},
    )
    if known.get("silent"):
        minutes = (heard - int(known["heard"])) / 60_000
        context.set_device_data({"watchdog/silent": False, "watchdog/since": heard}, time=context.now)
        _tell(context, f"{_name(context)} sends again, after {minutes:.1f} minutes")


@needs("cache", "device", params=["heard"])
def silent(message: Message, context: Context) -> None:
    """The timer: nothing has come in time."""
    known: dict[str, Any] = context.cache
    # An event may have come while the timer was on its way.
    if known.get("silent") or known.get("heard") != context.params["heard"]:
        return
    context.set_cache({**known, "silent": True})
    context.set_device_data({"watchdog/silent": True, "watchdog/since": known["heard"]}, time=context.now)
    minutes = float(context.params["timeout"]) / 60
    _tell(context, f"{_name(context)} has sent nothing for {minutes:.1f} minutes")


def _name(context: Context) -> str:
    return str(context.device.get("name") or context.device_id)


def _tell(context: Context, title: str) -> None:
    """A text message to each number among the recipients, a mail to each address."""
    text = f"{title} ({context.now:%Y-%m-%d %H:%M:%S} UTC)."
    given = context.params.get("recipients", [])
    recipients = [given] if isinstance(given, str) else [str(one) for one in given]
    phones = [one for one in recipients if "@" not in one]
    addresses = [one for one in recipients if "@" in one]
    if phones:
        context.send_sms(text, phones)
    if addresses:
        context.send_email(title, addresses, text=text + "\n")
