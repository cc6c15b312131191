"""What a provider tells of a message that it took: put into the outbox, and only ever forward.

A report may come twice, late, or before the call that it is of has answered; it may be of a try whose answer
was lost, and then it is how one knows that the message went out, even if that was the last and it has failed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from shared import clock, outbox, values
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.errors import Transient

Told = Literal["sent", "delivered", "undelivered", "failed"]
Result = Literal["stored", "known", "foreign", "unknown"]

# A report moves a message from one of these to a later one; the last are ends.
_ORDER = {"sending": 0, "waiting": 0, "sent": 1, "delivered": 2, "undelivered": 2, "failed": 2}
_CONFLICT = frozenset({5, 6, 9, 10})
_TRIES = 8


class Report(NamedTuple):
    """What is told of a message: the provider's id of it, how far it is, and why it is not further.

    ``code`` is a stable name such as ``twilio.30003``.
    """

    provider_id: str
    state: Told
    code: str | None = None
    text: str | None = None


async def store(project_id: str, message_id: str, report: Report) -> Result:
    """Put a report into a message's document. Transient where a store fails.

    ``unknown``: there is no such message. ``foreign``: the provider knows the message by another id.
    """
    return await change(project_id, message_id, lambda fields, now: decide(fields, report, now))


# From a message's fields and the time, in ms, what of them changes (None deletes), or why nothing does.
Decide = Callable[[dict[str, Any], int], "dict[str, Any] | Literal['known', 'foreign']"]


async def change(project_id: str, message_id: str, decided: Decide) -> Result:
    """Change a message's document as ``decided`` says, of what it is then. Transient where a store fails."""
    name = outbox.name(project_id, message_id)
    for tried in range(_TRIES):
        found = (await firestore.batch_get([name])).get(name)
        if found is None:
            return "unknown"
        changes = decided(values.from_fields(found.fields), clock.now_ms())
        if isinstance(changes, str):
            return changes
        write = messages().Write()
        write.update.name = name
        values.to_fields(
            write.update.fields, {key: value for key, value in changes.items() if value is not None}
        )
        write.update_mask.field_paths.extend(changes)
        write.current_document.update_time.CopyFrom(found.update_time)
        (code,) = await firestore.batch_write([write])
        if code == 0:
            return "stored"
        if code not in _CONFLICT:
            raise Transient(f"the outbox was not written: status code {code}")
        await asyncio.sleep(0.02 * 2**tried * random.random())
    raise Transient("a message is changed by others all the time")


def decide(fields: dict[str, Any], report: Report, now: int) -> dict[str, Any] | Literal["known", "foreign"]:
    """What a report changes of a message's fields; pure."""
    before = fields.get("state")
    known = fields.get("providerId")
    if known is not None and known != report.provider_id:
        return "foreign"
    # One that failed here, and not there: the answer of its last try was lost.
    order = -1 if before == "failed" and known is None else _ORDER.get(str(before), 3)
    if _ORDER[report.state] <= order:
        return "known"
    changes: dict[str, Any] = {"state": report.state, "reportTime": now}
    if known is None:
        # What went wrong with the answer counts no more.
        changes |= {"providerId": report.provider_id, "sentTime": now, "error": None}
    if report.code is not None:
        changes["error"] = {"code": report.code[:100], "text": (report.text or "")[:500]}
    return changes
