"""Tells people once when a value rises to a limit, and once when it is back to a lower one.

Between the two limits nothing changes, so that a value that trembles about one of them sends no flood.
"""

from __future__ import annotations

from typing import Any

from fulcrum.script import Context, Message, needs
from fulcrum.script.reading import NoNumber, number_at


@needs("cache", "device", params=["high", "low"])
def run(message: Message, context: Context) -> None:
    """Judge one event. It goes on unchanged whatever it says."""
    params = context.params
    path = str(params.get("path", "temperature"))
    high, low = float(params["high"]), float(params["low"])
    # Were they equal, a value that stands still on them would begin and end the alarm again and again.
    if low >= high:
        raise ValueError(f"low ({low:g}) is not below high ({high:g}): correct the params of the route")
    if message.get("historical"):
        return
    try:
        value = number_at(message, path)
    except NoNumber as error:
        context.error(error)
        return
    if value is None:
        return
    # Several alarms may watch a device, each with a name of its own.
    name = str(params.get("name", path))
    alarms: dict[str, Any] = context.cache
    known = alarms.get(name, {})
    # An event that comes late or again says nothing about what is known to be newer.
    if [message["time"], message["id"]] <= known.get("last", [0, ""]):
        return
    was_high = known.get("high", False)
    is_high = value > low if was_high else value >= high
    if is_high is was_high:
        return
    context.set_cache({**alarms, name: {"high": is_high, "last": [message["time"], message["id"]]}})
    shown = {"active": is_high, "value": value, "since": message["time"]}
    context.set_device_data({f"alarms/{name}/{key}": inner for key, inner in shown.items()})
    unit = str(params.get("unit", ""))
    limit = f"limit {high:g}{unit}" if is_high else f"back to {low:g}{unit} or below"
    device = context.device.get("name") or context.device_id
    _tell(context, f"{device}: {path} is {value:g}{unit}, {limit}")


def _tell(context: Context, title: str) -> None:
    """A text message to each number among the recipients, a mail to each address."""
    text = f"{title} ({context.time:%Y-%m-%d %H:%M:%S} UTC)."
    given = context.params.get("recipients", [])
    recipients = [given] if isinstance(given, str) else [str(one) for one in given]
    phones = [one for one in recipients if "@" not in one]
    addresses = [one for one in recipients if "@" in one]
    if phones:
        context.send_sms(text, phones)
    if addresses:
        context.send_email(title, addresses, text=text + "\n")
