"""Sending a message to a person by a provider, once: claimed in the outbox, tried thrice, told how it went.

Whoever makes a message's document in the outbox, or takes it over when its lease has run out, calls the
provider; everybody else finds it claimed and comes again later. A claim that is lost between the provider's
answer and the mark in the document is taken over, and then a message may go out twice, which is rare.

- The provider takes it: ``sent``, with the provider's own id of it.
- Transient: ``waiting``; a Cloud Task, named by message and try, brings it back. After the third try: failed.
- Rejected: ``failed``, and set aside in quarantine as a message that can be sent again.
- :class:`Limited`: ``limited``.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from fulcrum.core import ids
from shared import clock, outbox, values
from shared.clients import firestore, tasks
from shared.clients.firestore_pb import messages
from shared.config import settings
from shared.errors import FulcrumError, Rejected, Transient
from shared.log import log
from shared.outbox import Entry
from shared.quarantine import SetAside, set_aside

TRIES = 3
WAIT_MS = 30_000
# A provider that asks for a longer wait than this gets no longer one.
MAX_WAIT_MS = 900_000
# Longer than a provider's call and the mark behind it may take.
LEASE_MS = 60_000
_MARK_TRIES = 6
# Firestore's answers to a document that is not as it was read.
_CONFLICT = frozenset({5, 6, 9, 10})

Outcome = Literal["kept", "sent", "waiting", "failed", "limited", "known"]


class Message(NamedTuple):
    """A message as its document has it. ``attempt`` is 1 at the first try."""

    project_id: str
    id: str
    attempt: int
    fields: Mapping[str, Any]


class Busy(Transient):
    """A provider does not take the message now; ``wait_ms``: when it asked to be tried again, if it did.

    ``code``: what went wrong, a stable name such as ``twilio.20429``.
    """

    def __init__(self, code: str, text: str, wait_ms: int | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.wait_ms = wait_ms


class Limited(FulcrumError):
    """The message's own limits hold it back; ``first``: it is the first that they do since they last held."""

    def __init__(self, first: bool) -> None:
        super().__init__("limited")
        self.first = first


class Provider(NamedTuple):
    """Who carries messages away.

    ``send`` hands one over and gives the provider's id of it. Rejected: never; Transient: not now.
    ``before`` comes ahead of it: Limited, or Transient where that cannot be known now, and then nothing was
    tried. Both may be called again with a message that they have seen.
    """

    send: Callable[[Message], Awaitable[str]]
    before: Callable[[Message], Awaitable[None]] | None = None


class Service(NamedTuple):
    """A service that sends messages: its name, its topic, what its log calls them, and its queue.

    ``again``: of a message that failed, and a new id, the bytes that ask for the same once more.
    """

    name: str
    topic: str
    said: str
    queue: str
    again: Callable[[Message, str], bytes]


class SendMsg(msgspec.Struct, frozen=True, rename="camel", tag="sendMsg", tag_field="type"):
    """The body of a task: which message is to be tried again, and which try that is."""

    project_id: str
    id: str
    attempt: int


class _Held(NamedTuple):
    """A message that this process has claimed: its document as it is now."""

    message: Message
    update_time: Any


async def deliver(entry: Entry, service: Service, provider: Provider, trace: str | None = None) -> Outcome:
    """Send a message that has come. Transient: it is to come again, because somebody else is at it, say."""
    write = outbox.created(entry, _claim(1))
    written = (await firestore.batch_write_timed([write]))[0]
    if written.code == 0:
        message = Message(entry.project_id, entry.id, 1, outbox.stored(entry))
        return await _try(_Held(message, written.update_time), service, provider, trace)
    if written.code not in outbox.PRESENT:
        raise Transient(f"the outbox was not written: status code {written.code}")
    found = await _read(entry.project_id, entry.id)
    if found is None:
        raise Transient("the message has just been deleted")
    # One that waits has its task.
    if found.message.fields.get("state") != "sending":
        return "known"
    return await _take_over(found, service, provider, trace)


async def resume(task: SendMsg, service: Service, provider: Provider, trace: str | None = None) -> Outcome:
    """Do what a task is for: try a message again. Transient as with :func:`deliver`."""
    found = await _read(task.project_id, task.id)
    # A message is kept for thirty days.
    state = None if found is None else found.message.fields.get("state")
    if found is None or state not in ("sending", "waiting"):
        return "known"
    if state == "waiting" and task.attempt != found.message.attempt + 1:
        return "known"
    return await _take_over(found, service, provider, trace)


async def _take_over(found: _Held, service: Service, provider: Provider, trace: str | None) -> Outcome:
    """Try a message that nobody is at: it waits, or whoever claimed it has come to no end."""
    message = found.message
    if message.fields["state"] == "sending" and message.fields.get("lease", 0) > clock.now_ms():
        raise Transient("the message is being sent just now")
    if message.attempt >= TRIES:
        lost = Rejected("send.lost", f"try {message.attempt} came to no end, and may have succeeded")
        return await _fail(found, service, lost, trace)
    attempt = message.attempt + 1
    update_time = await _write(found, _claim(attempt))
    if update_time is None:
        raise Transient("the message is being sent just now")
    return await _try(_Held(message._replace(attempt=attempt), update_time), service, provider, trace)


def _claim(attempt: int) -> dict[str, Any]:
    return {"state": "sending", "attempt": attempt, "lease": clock.now_ms() + LEASE_MS}


async def _try(held: _Held, service: Service, provider: Provider, trace: str | None) -> Outcome:
    message = held.message
    try:
        if provider.before is not None:
            await provider.before(message)
    except Limited as limited:
        await _mark(held, {"state": "limited", **({"firstLimited": True} if limited.first else {})})
        if limited.first:
            about = {"projectId": message.project_id, "id": message.id}
            log("NOTICE", "from this message on a recipient is held back", trace=trace, **about)
        return "limited"
    except Transient:
        # Nothing was tried: the claim is given back, so that the next to come need not wait for its end.
        await _write(held, {"lease": 0, "attempt": message.attempt - 1})
        raise
    except Rejected as error:
        return await _fail(held, service, error, trace)
    try:
        provider_id = await provider.send(message)
    except Rejected as error:
        return await _fail(held, service, error, trace)
    except Transient as error:
        return await _later(held, service, error, trace)
    await _mark(held, {"state": "sent", "providerId": provider_id, "sentTime": clock.now_ms(), "error": None})
    return "sent"


async def _later(held: _Held, service: Service, error: Transient, trace: str | None) -> Outcome:
    code = error.code if isinstance(error, Busy) else "send.noAnswer"
    if held.message.attempt >= TRIES:
        return await _fail(held, service, Rejected(code, f"{error} (after {TRIES} tries)"), trace)
    asked = error.wait_ms if isinstance(error, Busy) and error.wait_ms is not None else 0
    due = clock.now_ms() + min(max(WAIT_MS, asked), MAX_WAIT_MS)
    message = held.message
    again = SendMsg(message.project_id, message.id, message.attempt + 1)
    task_id = ids.digest("send", message.project_id, message.id, str(again.attempt))
    # The task first: should this process end in between, it finds a claim, and waits for its end.
    await tasks.create(
        service.queue,
        tasks.Task(task_id, settings().text("TASKS_TARGET", ""), msgspec.json.encode(again), due),
    )
    await _mark(held, {"state": "waiting", "error": _said(code, str(error)), "nextTry": due})
    return "waiting"


async def _fail(held: _Held, service: Service, error: Rejected, trace: str | None) -> Outcome:
    """Set a message aside as one that can be sent again, then mark it."""
    message = held.message
    # The same however often it fails: one entry of quarantine.
    again = service.again(message, ids.digest("send again", message.project_id, message.id))
    entry = SetAside(error, again, service.name, service.topic, message.id, project_id=message.project_id)
    await set_aside([entry], trace)
    await _mark(held, {"state": "failed", "error": _said(error.error_type, error.message)})
    return "failed"


def _said(code: str, text: str) -> dict[str, str]:
    return {"code": code[:100], "text": text[:500]}


async def _read(project_id: str, message_id: str) -> _Held | None:
    name = outbox.name(project_id, message_id)
    found = (await firestore.batch_get([name])).get(name)
    if found is None:
        return None
    fields = values.from_fields(found.fields)
    return _Held(Message(project_id, message_id, fields.get("attempt", 0), fields), found.update_time)


async def _mark(held: _Held, changes: dict[str, Any]) -> None:
    """Write down how it went, tried for some seconds: what is not written down goes out again.

    What others have written meanwhile counts: the provider's own word, or a later claim.
    """
    mine = held.message.attempt
    for tried in range(_MARK_TRIES):
        try:
            if await _write(held, changes) is not None:
                return
            found = await _read(held.message.project_id, held.message.id)
        except Transient:
            if tried == _MARK_TRIES - 1:
                raise
        else:
            left = _still(changes, found.message.fields, mine) if found is not None else {}
            if found is None or not left:
                return
            held, changes = found, left
        await asyncio.sleep(0.1 * 2**tried * (0.5 + random.random()))
    raise Transient("a message is changed by others all the time")


def _still(changes: dict[str, Any], fields: Mapping[str, Any], mine: int) -> dict[str, Any]:
    """What of ``changes`` is still to be written, by try number ``mine``, to a document with these fields."""
    state = fields.get("state")
    if changes.get("state") != "sent":
        return changes if state == "sending" and fields.get("attempt") == mine else {}
    if state in ("sending", "waiting"):
        return changes
    known = ("providerId", "sentTime")
    return {key: changes[key] for key in known if key in changes and key not in fields}


async def _write(held: _Held, changes: Mapping[str, Any]) -> Any:
    """Change a document that is as it was read: its new update time, None where it is not. None deletes."""
    write = messages().Write()
    write.update.name = outbox.name(held.message.project_id, held.message.id)
    values.to_fields(write.update.fields, {key: value for key, value in changes.items() if value is not None})
    write.update_mask.field_paths.extend(changes)
    write.current_document.update_time.CopyFrom(held.update_time)
    written = (await firestore.batch_write_timed([write]))[0]
    if written.code == 0:
        return written.update_time
    if written.code in _CONFLICT:
        return None
    raise Transient(f"the outbox was not written: status code {written.code}")
