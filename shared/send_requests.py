"""What posts to a service that sends messages: pushes of Pub/Sub, and tasks that bring a message back."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from shared import outbox, sending
from shared.envelope import Delivery, decode_push
from shared.errors import FulcrumError, Rejected, Transient
from shared.log import log
from shared.loops import PerLoop
from shared.outbox import Entry, Refused
from shared.quarantine import SetAside, set_aside
from shared.sending import Outcome, Provider, SendMsg, Service

# So many messages are sent at a time by one instance: providers' libraries run in threads, of which there are
# at least five, and what is claimed must not wait for one.
_AT_ONCE = 4
# No message of a delivery is begun later: the function may run for 60 s, and a mail with files takes 40.
SECONDS = 15.0

# From a delivery the messages that it asks for, and what of it is refused.
Read = Callable[[Delivery], Awaitable[tuple[Sequence[Entry], Sequence[Refused]]]]
_decode = msgspec.json.Decoder(SendMsg).decode
_turns = PerLoop(lambda: asyncio.Semaphore(_AT_ONCE))


async def answer(request: Request, service: Service, read: Read, provider: Provider | None) -> Response:
    """204 once every message is sent, waits for its task or is set aside; 500: it is to come again.

    400: neither push nor task. Without a ``provider`` messages are kept in the outbox, to be looked at.
    """
    trace = request.headers.get("x-cloud-trace-context")
    started = time.perf_counter()
    named: dict[str, Any] = {}
    try:
        body = await request.body()
        task = _task(body)
        if task is not None:
            named = {"projectId": task.project_id, "id": task.id, "try": task.attempt}
            done = await _again(task, service, provider, trace)
        else:
            delivery = decode_push(body)
            named = delivery.named()
            done = await _carry(delivery, service, read, provider, trace)
    except FulcrumError as error:
        if isinstance(error, Rejected) and not named:
            log("ERROR", "neither push nor task", trace=trace, error=error.message[:500])
            return Response(error.message, 400)
        log("WARNING", "the delivery will come again", trace=trace, **named, error=str(error)[:500])
        return Response("try again", 500)
    except Exception:
        log("ERROR", "unexpected error", trace=trace, **named, error=traceback.format_exc())
        return Response("try again", 500)
    log("INFO", service.said, trace=trace, **named, **done, ms=round((time.perf_counter() - started) * 1000))
    return Response(status_code=204)


def _task(body: bytes) -> SendMsg | None:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


async def _again(
    task: SendMsg, service: Service, provider: Provider | None, trace: str | None
) -> dict[str, Any]:
    if provider is None:
        raise Transient("a message waits to be sent again, and no provider is set")
    async with _turns():
        return {"outcome": await sending.resume(task, service, provider, trace)}


async def _carry(
    delivery: Delivery, service: Service, read: Read, provider: Provider | None, trace: str | None
) -> dict[str, Any]:
    entries, refused = await read(delivery)
    outcomes: Counter[str] = Counter()
    failure: Exception | None = None
    if provider is None:
        await outbox.put(entries)
        outcomes["kept"] += len(entries)
    else:
        outcomes, failure = await _send(entries, service, provider, trace)
    await set_aside([_set_aside(delivery, service, each) for each in refused], trace)
    if failure is not None:
        raise failure
    return {**outcomes, "quarantined": len(refused)}


async def _send(
    entries: Sequence[Entry], service: Service, provider: Provider, trace: str | None
) -> tuple[Counter[str], Exception | None]:
    """What became of the messages, and why the delivery must come again, if it must."""
    ends = time.monotonic() + SECONDS

    async def one(entry: Entry) -> Outcome | Exception:
        async with _turns():
            if time.monotonic() > ends:
                return Transient("there was no time for all messages of the delivery")
            try:
                return await sending.deliver(entry, service, provider, trace)
            except Exception as error:
                # Raised once all others have come to their end.
                return error

    # A message that is in its delivery twice is one.
    distinct = {(entry.project_id, entry.id): entry for entry in entries}
    found = await asyncio.gather(*map(one, distinct.values()))
    failures = [one for one in found if isinstance(one, Exception)]
    return Counter(one for one in found if isinstance(one, str)), failures[0] if failures else None


def _set_aside(delivery: Delivery, service: Service, refused: Refused) -> SetAside:
    return SetAside(
        refused.error,
        refused.data,
        service.name,
        service.topic,
        delivery.message_id,
        refused.place,
        delivery.attributes.get("projectId"),
    )
