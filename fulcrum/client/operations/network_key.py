"""The operations on ``network_key``, as the command needs them.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from fulcrum.client.operation import Field, Operation, Parameter

OPERATIONS = (
    Operation(
        "network_key",
        "list",
        "GET",
        "/v1/network/{network_id}/keys",
        summary="List the keys of a network",
        description="All keys of the network with their state, the latest first, without their secrets.",
        permission="network.read",
        parameters=(Parameter("network_id", "path", "string", True, "The id of the network", ()),),
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
    Operation(
        "network_key",
        "create",
        "POST",
        "/v1/network/{network_id}/keys",
        summary="Make a key for a network",
        description="The key's text is in this answer and never shown again. If the answer is lost, revoke the key and make another. Ingest takes it within five seconds.",
        permission="network.update",
        parameters=(Parameter("network_id", "path", "string", True, "The id of the network", ()),),
        body="object",
        body_required=True,
        fields=(
            Field("name", "string", False, "", ()),
            Field("expires", "integer", False, "", ()),
        ),
        body_kinds=(),
        paged=False,
        streams=(),
        answers_json=True,
        secret=True,
        once=False,
    ),
    Operation(
        "network_key",
        "rotate",
        "POST",
        "/v1/network/{network_id}/keys/{key_id}/rotate",
        summary="Replace a key of a network",
        description="Makes a new key; the old one stays valid for a while, so that no event is refused.",
        permission="network.update",
        parameters=(
            Parameter("network_id", "path", "string", True, "The id of the network", ()),
            Parameter(
                "key_id", "path", "string", True, "The id of the key: what stands between its two '_'", ()
            ),
        ),
        body="object",
        body_required=True,
        fields=(
            Field(
                "overlapSeconds",
                "integer",
                False,
                "For how long the old one stays valid, so that senders can be changed over",
                (),
            ),
            Field("expires", "integer", False, "From when on the new one is refused, epoch ms", ()),
        ),
        body_kinds=(),
        paged=False,
        streams=(),
        answers_json=True,
        secret=True,
        once=False,
    ),
    Operation(
        "network_key",
        "revoke",
        "DELETE",
        "/v1/network/{network_id}/keys/{key_id}",
        summary="Revoke a key of a network",
        description="Ingest refuses the key within five seconds, for good. Revoking it again changes nothing.",
        permission="network.update",
        parameters=(
            Parameter("network_id", "path", "string", True, "The id of the network", ()),
            Parameter(
                "key_id", "path", "string", True, "The id of the key: what stands between its two '_'", ()
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
