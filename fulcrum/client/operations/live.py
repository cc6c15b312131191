"""The operations on ``live``, as the command needs them.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from fulcrum.client.operation import Operation, Parameter

OPERATIONS = (
    Operation(
        "live",
        "get",
        "GET",
        "/v1/live",
        summary="Hear of what changes",
        description="Server-sent events of the project for as long as the connection lasts. ``ready`` comes first: from there on nothing is left out. ``data``, ``event`` and ``ack`` are device events on their way to be stored, ``changed`` is what somebody did to a resource. ``gap`` says that device events may have been missed: read again what matters. ``overflow`` and ``expired`` end the stream, the one because the listener was too slow, the other because its token is no longer good. With Last-Event-ID the changes since then come first.",
        permission="device.readData",
        parameters=(
            Parameter(
                "name",
                "query",
                "strings",
                False,
                "Only these events: data, event, ack, changed",
                ("data", "event", "ack", "changed"),
            ),
            Parameter("deviceId", "query", "strings", False, "Only these devices", ()),
            Parameter("systemId", "query", "string", False, "Only this system", ()),
            Parameter("blueprintId", "query", "string", False, "Only device events of this blueprint", ()),
            Parameter("Last-Event-ID", "header", "string", False, "Go on after this event", ()),
        ),
        body="none",
        body_required=False,
        fields=(),
        body_kinds=(),
        paged=False,
        streams=("text/event-stream",),
        answers_json=False,
        secret=False,
        once=False,
    ),
)
