"""One request, step by step: path, sender, body, events, limits, publish, answer."""

from __future__ import annotations

import re
from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from functions.ingest import assemble, body, decode, publish, respond
from functions.ingest.auth import Gate
from functions.ingest.limits import Limits
from shared import clock, collector
from shared.clients import pubsub
from shared.clock import monotonic
from shared.errors import ApiError
from shared.log import log

_PATH = re.compile(r"/(rcv|ack)/([A-Za-z0-9][A-Za-z0-9_-]{0,127})\Z")
_LINES = (b"application/x-ndjson", b"application/ndjson", b"application/jsonl", b"application/x-jsonlines")


@cache
def parts() -> tuple[Gate, Limits, publish.GroupCommit]:
    """What the requests of one instance share; made at the first one, after the server has forked."""
    collector.relax()
    return Gate(), Limits(), publish.GroupCommit(pubsub.publish)


async def receive(request: Request) -> Response:
    """Take the events of a request; ApiError or Transient where none of them was taken."""
    scope = request.scope
    match = _PATH.match(scope["path"])
    if match is None:
        if scope["path"].startswith("/out/"):
            # A start for events does not pay for it.
            from functions.ingest import fetching

            return await fetching.fetch(request, *parts()[:2])
        raise ApiError(404, "request.unknownPath", "there is nothing here", "post to /rcv/<network>")
    if scope["method"] != "POST":
        raise ApiError(405, "request.badMethod", f"{scope['method']} is not served here", "use POST")
    gate, limits, commit = parts()
    headers = dict(scope["headers"])
    sender = await gate.admit(match[2], headers.get(b"authorization"))
    content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    data = await body.read(headers, request.receive)
    found = decode.parse(data, content_type in _LINES)
    if match[1] == "ack":
        from functions.ingest import acks

        batch = acks.batch(found, sender.network, clock.now_ms())
    else:
        key = _idempotency_key(headers.get(b"idempotency-key"))
        batch = assemble.batch(found, sender.network, clock.now_ms(), key)
    await gate.check_devices(sender, batch.devices)
    limits.take(sender.network.id, sender.network.rates, batch.devices, monotonic())
    if batch.events:
        trace = headers.get(b"x-cloud-trace-context", b"").decode("latin-1") or None
        named = batch.ids if match[1] == "rcv" else ()
        await commit.publish(sender.network.project_id, batch.events, trace, named)
    if batch.refused:
        errors = sorted({fault.error for _, fault in batch.refused})
        log("NOTICE", "events refused", network=sender.network.id, refused=len(batch.refused), errors=errors)
    return respond.outcome(batch.ids, batch.refused)


def _idempotency_key(sent: bytes | None) -> str:
    if sent is None:
        return ""
    key = sent.decode("latin-1").strip()
    if not 0 < len(key) <= 255 or not key.isprintable():
        raise ApiError(
            400, "request.badIdempotencyKey", "Idempotency-Key is not 1 to 255 characters", "shorten it"
        )
    return key
