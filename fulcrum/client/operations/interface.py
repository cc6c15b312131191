"""The operations on ``interface``, as the command needs them.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from fulcrum.client.operation import Operation, Parameter

OPERATIONS = (
    Operation(
        "interface",
        "list",
        "GET",
        "/v1/interface/{system_id}/{blueprint_id}",
        summary="List the devices of a blueprint in a system",
        description="A page of the devices that you may read, by id.",
        permission="device.read",
        parameters=(
            Parameter("system_id", "path", "string", True, "The system, by its id or alias", ()),
            Parameter(
                "blueprint_id", "path", "string", True, "The blueprint of the root, by its id or alias", ()
            ),
            Parameter("perPage", "query", "integer", False, "How many items a page has at most", ()),
            Parameter(
                "cursor",
                "query",
                "string",
                False,
                "The 'next' of the page before; leave out for the first",
                (),
            ),
            Parameter("refs", "query", "boolean", False, "Add the resources that the items refer to", ()),
        ),
        body="none",
        body_required=False,
        fields=(),
        body_kinds=(),
        paged=True,
        streams=(),
        answers_json=True,
        secret=False,
        once=False,
    ),
    Operation(
        "interface",
        "search_root",
        "POST",
        "/v1/interface/{system_id}/{blueprint_id}",
        summary="Search the devices of a blueprint in a system",
        description="The path ends on .search; the body is that of a search.",
        permission="device.read",
        parameters=(
            Parameter("system_id", "path", "string", True, "The system, by its id or alias", ()),
            Parameter(
                "blueprint_id", "path", "string", True, "The blueprint of the root, by its id or alias", ()
            ),
        ),
        body="object",
        body_required=False,
        fields=(),
        body_kinds=(),
        paged=False,
        streams=(),
        answers_json=True,
        secret=False,
        once=False,
    ),
    Operation(
        "interface",
        "get",
        "GET",
        "/v1/interface/{system_id}/{blueprint_id}/{path}",
        summary="Walk to devices along relationships",
        description="Ends on a device (its id, or a relationship with one child): that device. Ends on a relationship or '*': a page of devices. Ends on getDeviceByNetworkAlias, history or events: those of what stands before, by query parameters. Reads a bounded number of devices whatever the path: a page may be short, and 'next' goes on.",
        permission="device.read",
        parameters=(
            Parameter("system_id", "path", "string", True, "The system, by its id or alias", ()),
            Parameter(
                "blueprint_id", "path", "string", True, "The blueprint of the root, by its id or alias", ()
            ),
            Parameter(
                "path",
                "path",
                "string",
                True,
                "Ids and relationships in turn: :id/<relation>/:id/<relation>…; '*' stands for all, and behind a relationship with one child no id is needed",
                (),
            ),
            Parameter("networkId", "query", "string", False, "Of getDeviceByNetworkAlias: the network", ()),
            Parameter("aliasKey", "query", "string", False, "Of getDeviceByNetworkAlias: the alias key", ()),
            Parameter("value", "query", "string", False, "Of getDeviceByNetworkAlias: the value", ()),
            Parameter("perPage", "query", "integer", False, "How many items a page has at most", ()),
            Parameter(
                "cursor",
                "query",
                "string",
                False,
                "The 'next' of the page before; leave out for the first",
                (),
            ),
            Parameter("refs", "query", "boolean", False, "Add the resources that the items refer to", ()),
        ),
        body="none",
        body_required=False,
        fields=(),
        body_kinds=(),
        paged=True,
        streams=(),
        answers_json=True,
        secret=False,
        once=False,
    ),
    Operation(
        "interface",
        "create",
        "POST",
        "/v1/interface/{system_id}/{blueprint_id}/{path}",
        summary="Create, link or search devices along relationships",
        description="On a root: /create makes a device. On a relationship: makes a device and links it in one commit, or links the one that 'deviceId' names. Ends on .search: searches what stands before, and on history or events: queries them. With an Idempotency-Key a device is created once.",
        permission="device.create",
        parameters=(
            Parameter("system_id", "path", "string", True, "The system, by its id or alias", ()),
            Parameter(
                "blueprint_id", "path", "string", True, "The blueprint of the root, by its id or alias", ()
            ),
            Parameter(
                "path",
                "path",
                "string",
                True,
                "Ids and relationships in turn: :id/<relation>/:id/<relation>…; '*' stands for all, and behind a relationship with one child no id is needed",
                (),
            ),
            Parameter(
                "Idempotency-Key",
                "header",
                "string",
                False,
                "Sent again with the same body within a day, it is answered again, not done again",
                (),
            ),
        ),
        body="object",
        body_required=False,
        fields=(),
        body_kinds=(),
        paged=False,
        streams=(),
        answers_json=True,
        secret=False,
        once=True,
    ),
    Operation(
        "interface",
        "update",
        "PATCH",
        "/v1/interface/{system_id}/{blueprint_id}/{path}",
        summary="Change a device at the end of a walk",
        description="As device_update, for the device that the path ends on.",
        permission="device.update",
        parameters=(
            Parameter("system_id", "path", "string", True, "The system, by its id or alias", ()),
            Parameter(
                "blueprint_id", "path", "string", True, "The blueprint of the root, by its id or alias", ()
            ),
            Parameter(
                "path",
                "path",
                "string",
                True,
                "Ids and relationships in turn: :id/<relation>/:id/<relation>…; '*' stands for all, and behind a relationship with one child no id is needed",
                (),
            ),
            Parameter(
                "If-Match", "header", "string", False, "The ETag that the resource must still have", ()
            ),
        ),
        body="patch",
        body_required=True,
        fields=(),
        body_kinds=(),
        paged=False,
        streams=(),
        answers_json=True,
        secret=False,
        once=False,
    ),
    Operation(
        "interface",
        "delete",
        "DELETE",
        "/v1/interface/{system_id}/{blueprint_id}/{path}",
        summary="Delete a device at the end of a walk, or cut its link",
        description="Deletes the device as device_delete does. With unlink=true only the last link of the path is cut, and the device stays.",
        permission="device.delete",
        parameters=(
            Parameter("system_id", "path", "string", True, "The system, by its id or alias", ()),
            Parameter(
                "blueprint_id", "path", "string", True, "The blueprint of the root, by its id or alias", ()
            ),
            Parameter(
                "path",
                "path",
                "string",
                True,
                "Ids and relationships in turn: :id/<relation>/:id/<relation>…; '*' stands for all, and behind a relationship with one child no id is needed",
                (),
            ),
            Parameter("unlink", "query", "boolean", False, "Cut the link, and keep the device", ()),
            Parameter(
                "If-Match", "header", "string", False, "The ETag that the resource must still have", ()
            ),
        ),
        body="none",
        body_required=False,
        fields=(),
        body_kinds=(),
        paged=False,
        streams=(),
        answers_json=True,
        secret=False,
        once=False,
    ),
)
