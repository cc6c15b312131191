"""Sends the fleet's events over HTTP as gateways and lone devices do, and keeps the book of the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from demo.fleet import Sent

ARRAY = 100
# One event in this many goes alone, as from a device without a gateway.
SINGLE_EVERY = 25
CONCURRENT = 8
_TRIES = 20


@dataclass
class Book:
    """What was sent and what ingest said to it."""

    sent: int = 0
    accepted: list[Sent] = field(default_factory=list)
    refused: list[Sent] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    posts: int = 0


def posts(events: Sequence[Sent]) -> Iterator[list[Sent]]:
    """Group events as they are posted: arrays of one network, and single ones in between."""
    waiting: dict[str, list[Sent]] = {}
    for number, event in enumerate(events):
        if number % SINGLE_EVERY == 0:
            yield [event]
            continue
        group = waiting.setdefault(event.network, [])
        group.append(event)
        if len(group) == ARRAY:
            yield waiting.pop(event.network)
    yield from waiting.values()


async def send(
    url: str, keys: Mapping[str, str], events: Sequence[Sent], progress: Callable[[int], None]
) -> Book:
    """Post all events, a few posts at a time, and return the book. ``progress`` gets event counts."""
    book = Book()
    queue = posts(events)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:

        async def worker() -> None:
            for group in queue:
                status, answer = await _post(session, url, keys, group)
                _enter(book, group, status, answer)
                progress(len(group))

        await asyncio.gather(*(worker() for _ in range(CONCURRENT)))
    return book


async def _post(
    session: aiohttp.ClientSession, url: str, keys: Mapping[str, str], group: list[Sent]
) -> tuple[int, dict[str, Any]]:
    network = group[0].network
    body = group[0].text if len(group) == 1 else "[" + ",".join(event.text for event in group) + "]"
    headers = {"Authorization": f"Bearer {keys[network]}", "Content-Type": "application/json"}
    last = ""
    for attempt in range(_TRIES):
        try:
            async with session.post(f"{url}/rcv/{network}", data=body, headers=headers) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            last = repr(error)
        else:
            if response.status != 429 and response.status < 500:
                answer: dict[str, Any] = json.loads(text)
                return response.status, answer
            last = f"{response.status}: {text}"
        # As a device does it: wait a little, send the same again; ids make that harmless.
        await asyncio.sleep(min(0.2 * 2**attempt, 2))
    raise RuntimeError(f"ingest refused {_TRIES} times, at last with {last}")


def _enter(book: Book, group: list[Sent], status: int, answer: Mapping[str, Any]) -> None:
    if status not in (202, 207, 400):
        raise RuntimeError(f"ingest answered {status}: {json.dumps(answer)}")
    refused = {int(error["index"]): str(error["error"]) for error in answer.get("errors", ())}
    book.posts += 1
    book.sent += len(group)
    for index, event in enumerate(group):
        if index in refused:
            book.refused.append(event)
            book.reasons[refused[index]] = book.reasons.get(refused[index], 0) + 1
        else:
            book.accepted.append(event)
