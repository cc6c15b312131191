"""Where live events come from: the audit entries of a project, and the messages on their way to be stored.

Both cost nothing while nobody listens. Audit entries come by a listener of Firestore, since a moment ago;
device events by a subscription of the topic ``writer`` that is made for the project when somebody begins to
listen, has its messages filtered by Pub/Sub, and is deleted when the last listener leaves (Pub/Sub itself
drops what an instance that died left behind).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from functions.api.live import events
from shared import clock, names, values
from shared.clients import firestore
from shared.clients.channel import open_channel
from shared.config import settings
from shared.store import query as queries

REPLAY_LIMIT = 500
# The shortest time after which Pub/Sub drops a subscription that nobody uses, and keeps messages.
_EXPIRES = timedelta(days=1)
_KEPT = timedelta(minutes=10)
_ACK_SECONDS = 30
_PULL_SECONDS = 20.0
_TARGET = 1
# How far the clocks of two instances of the API may be apart.
_CLOCKS_APART_MS = 10_000
_PUBSUB = ("pubsub.googleapis.com", ("https://www.googleapis.com/auth/pubsub",))
_FIRESTORE = ("firestore.googleapis.com", ("https://www.googleapis.com/auth/datastore",))


@asynccontextmanager
async def data_events(project_id: str) -> AsyncIterator[AsyncIterator[list[events.Live]]]:
    """The device events of a project from now on; entered once nothing later can be missed."""
    from google.pubsub_v1 import types
    from google.pubsub_v1.services.subscriber import SubscriberAsyncClient
    from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

    channel = await open_channel(settings().pubsub_emulator, *_PUBSUB)
    client = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
    name = f"projects/{settings().cloud_project}/subscriptions/live-{secrets.token_hex(12)}"
    try:
        await client.create_subscription(
            types.Subscription(
                name=name,
                topic=names.topic("writer"),
                ack_deadline_seconds=_ACK_SECONDS,
                message_retention_duration=_KEPT,
                expiration_policy=types.ExpirationPolicy(ttl=_EXPIRES),
                filter=f'attributes.projectId = "{project_id}"',
            )
        )
        try:
            yield _pulled(client, name, project_id)
        finally:
            await client.delete_subscription(subscription=name)
    finally:
        await channel.close()


async def _pulled(client: Any, name: str, project_id: str) -> AsyncIterator[list[events.Live]]:
    from google.api_core.exceptions import DeadlineExceeded

    while True:
        try:
            answer = await client.pull(subscription=name, max_messages=100, timeout=_PULL_SECONDS, retry=None)
        except DeadlineExceeded:
            continue  # nothing came; Pub/Sub holds a pull open for a while
        if not answer.received_messages:
            continue
        await client.acknowledge(
            subscription=name, ack_ids=[received.ack_id for received in answer.received_messages]
        )
        for received in answer.received_messages:
            if received.message.attributes.get("projectId") == project_id:
                yield events.of_message(received.message.data)


@asynccontextmanager
async def audit_events(project_id: str) -> AsyncIterator[AsyncIterator[list[events.Live]]]:
    """The audit entries of a project from now on; entered once nothing later can be missed."""
    from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
    from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport

    emulator = settings().firestore_emulator
    channel = await open_channel(emulator, *_FIRESTORE)
    client = FirestoreAsyncClient(transport=FirestoreGrpcAsyncIOTransport(channel=channel))
    since = clock.now_ms() - _CLOCKS_APART_MS
    metadata = [("google-cloud-resource-prefix", names.database())]
    if emulator:
        metadata.append(("authorization", "Bearer owner"))
    closing = asyncio.Event()
    answers = await client.listen(_listen_requests(project_id, since, closing), metadata=metadata)
    try:
        seen = await _until_current(answers)
        yield _listened(answers, seen)
    finally:
        closing.set()
        answers.cancel()
        await channel.close()


async def _listen_requests(project_id: str, since: int, closing: asyncio.Event) -> AsyncIterator[Any]:
    from google.cloud.firestore_v1 import types

    where = queries.Query((queries.Where("time", ">=", since),))
    query = queries.conditions("audit", where)
    target = types.Target.QueryTarget(parent=names.project(project_id))
    target.structured_query = types.StructuredQuery.deserialize(query.SerializeToString())
    yield types.ListenRequest(
        database=names.database(), add_target=types.Target(query=target, target_id=_TARGET)
    )
    await closing.wait()  # the stream of requests stays open for as long as it is listened to


async def _until_current(answers: Any) -> set[str]:
    """Read until the listener has what is there already, which others have told; the ids of that."""
    from google.cloud.firestore_v1.types import TargetChange

    seen: set[str] = set()
    async for answer in answers:
        if answer.document_change.document.name:
            seen.add(answer.document_change.document.name)
        if answer.target_change.target_change_type == TargetChange.TargetChangeType.CURRENT:
            return seen
        _check(answer)
    raise ConnectionError("the listener ended before it began")


async def _listened(answers: Any, seen: set[str]) -> AsyncIterator[list[events.Live]]:
    async for answer in answers:
        _check(answer)
        document = answer.document_change.document
        if not document.name or document.name in seen:
            continue
        seen.add(document.name)
        entry = values.from_fields(type(document).pb(document).fields)
        yield [events.of_audit(entry, document.name.rpartition("/")[2])]
    raise ConnectionError("the listener ended")


def _check(answer: Any) -> None:
    if answer.target_change.cause.code:
        raise ConnectionError(f"the listener was refused: {answer.target_change.cause.message}")


async def replay(project_id: str, since: events.Position) -> tuple[list[events.Live], bool]:
    """The audit entries after a position, at most 500; whether there are more than that."""
    query = queries.Query((queries.Where("time", ">=", since.time),), order="time", limit=REPLAY_LIMIT)
    parent = names.project(project_id)
    documents = await firestore.run_query(parent, queries.structured("audit", query, parent))
    found = [events.of_audit(values.from_fields(document.fields), document.id) for document in documents]
    later = [event for event in found if event.position is not None and event.position > since]
    return later[:REPLAY_LIMIT], len(documents) > REPLAY_LIMIT
