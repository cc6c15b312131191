"""Whether the data of events fit their blueprint's attributes, where the blueprint has them checked. Pure.

``strict``: an event with a value that does not fit is refused. ``warn``: it goes on and is counted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from functions.message_processor.events import Inbound, Message
from shared.attributes.checks import Checks, summary
from shared.attributes.types import Problem
from shared.errors import Rejected
from shared.messages import Write

_decode = msgspec.json.Decoder(list[Write]).decode
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_MAX_SAMPLE = 300


class Misfit(NamedTuple):
    """An event that went on although values of it do not fit."""

    device_id: str
    problems: list[Problem]

    def log_fields(self) -> dict[str, Any]:
        """What a log line says of it."""
        return {"deviceId": self.device_id, "problem": summary(self.problems, 1)[:_MAX_SAMPLE]}


def misfit(checks: Checks, message: Message, device_id: str) -> Misfit | None:
    """An event's problems where the checks only warn; Rejected (``attribute.type``) where they are strict."""
    problems = _problems(checks, message)
    if not problems:
        return None
    if checks.mode == "strict":
        count = f"{len(problems)} values do not fit their attributes: " if len(problems) > 1 else ""
        raise Rejected("attribute.type", count + summary(problems))
    return Misfit(device_id, problems)


def _problems(checks: Checks, message: Message) -> list[Problem]:
    if not isinstance(message, Inbound) or not message.data:
        return []
    try:
        writes = _decode(message.data)
    except _UNDECODABLE:
        return []  # no writes at all, which whoever stores them says
    return checks.problems(writes)
