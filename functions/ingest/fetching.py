"""``GET /out/<network>/<device>``: what waits for a device that fetches its messages, each given once."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from functions.ingest import content
from functions.ingest.auth import Gate
from functions.ingest.content import Refused
from functions.ingest.limits import Limits
from shared import clock, outbound, outbound_store
from shared.errors import ApiError
from shared.log import log
from shared.outbound import Record

# So many messages an answer has at most; whoever gets as many asks again.
MOST = 50
_PATH = re.compile(rb"/out/([A-Za-z0-9][A-Za-z0-9_-]{0,127})/([^/]+)\Z")
_QUERY = frozenset({"aliasKey", "again"})


async def fetch(request: Request, gate: Gate, limits: Limits) -> Response:
    """The messages of a device, marked as sent; with ``again=true`` also what it has not acknowledged."""
    scope = request.scope
    raw_path = scope.get("raw_path") or scope["path"].encode()
    match = _PATH.match(raw_path.partition(b"?")[0])
    if match is None:
        there = "get /out/<network>/<device>"
        raise ApiError(404, "request.unknownPath", "there is nothing here", there)
    if scope["method"] != "GET":
        raise ApiError(405, "request.badMethod", f"{scope['method']} is not served here", "use GET")
    sender = await gate.admit(match[1].decode(), dict(scope["headers"]).get(b"authorization"))
    network = sender.network
    if not network.polls:
        raise ApiError(
            409,
            "network.noPoll",
            "messages of this network are not fetched",
            "set the network's outbound.transport to poll",
        )
    query = dict(request.query_params)
    again = query.get("again", "false")
    if not query.keys() <= _QUERY or again not in ("true", "false"):
        raise ApiError(400, "request.badQuery", "a parameter is not known", "use aliasKey and again=true")
    try:
        named: dict[str, Any] = {"deviceId": unquote(match[2].decode(), errors="replace")}
        named |= {"aliasKey": query["aliasKey"]} if "aliasKey" in query else {}
        alias_key, outside = content.names(named, network.alias_keys)
    except Refused as refused:
        fault = refused.fault
        raise ApiError(400, fault.error, fault.message, fault.description) from None
    limits.take(network.id, network.rates, [(alias_key, outside)], clock.monotonic())
    device_id = await gate.device(sender, alias_key, outside)
    taken = await _take(network.project_id, network.id, device_id)
    if again == "true":
        taken = await _unanswered(network.project_id, network.id, device_id, taken)
    if taken:
        project, count = network.project_id, len(taken)
        log("INFO", "messages fetched", projectId=project, deviceId=device_id, messages=count)
    items = [
        {
            "msgId": record.msg_id,
            "message": msgspec.Raw(record.message.encode()),
            "created": record.created,
            "expireTime": record.expire_time,
        }
        for record in sorted(taken, key=lambda one: one.order)
    ]
    body = msgspec.json.encode({"messages": items})
    return Response(body, 200, {"Cache-Control": "no-store"}, "application/json")


async def _take(project_id: str, network_id: str, device_id: str) -> list[Record]:
    """Mark what waits as sent; only what this call has marked is its to give, of one key only the newest."""
    waiting = await outbound_store.of_device(project_id, device_id, "queued", MOST)
    newest = {one.record.key: one.record for one in sorted(waiting, key=lambda one: one.record.order)}
    now = clock.now_ms()

    def decide(before: Record) -> Record | None:
        if before.network_id != network_id or before.transport != "poll":
            return None
        if (
            before.key is not None
            and (late := outbound.replaced(before, newest[before.key], now)) is not None
        ):
            return late
        return outbound.sent(before, now, None)

    changed = await outbound_store.change_all(waiting, decide)
    return [record for record in changed if record.state == "sent"]


async def _unanswered(project_id: str, network_id: str, device_id: str, taken: list[Record]) -> list[Record]:
    """With those that were given before and not acknowledged, as long as their time is not over."""
    given = await outbound_store.of_device(project_id, device_id, "sent", MOST)
    now, known = clock.now_ms(), {record.msg_id for record in taken}
    return taken + [
        record
        for record in (stored.record for stored in given)
        if record.network_id == network_id and record.msg_id not in known and now < record.expire_time
    ]
