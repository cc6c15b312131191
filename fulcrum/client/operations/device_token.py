"""The operations on ``device_token``, as the command needs them.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from fulcrum.client.operation import Field, Operation, Parameter

OPERATIONS = (
    Operation(
        "device_token",
        "list",
        "GET",
        "/v1/device/{device_id}/tokens",
        summary="List the tokens of a device",
        description="All tokens of the device with their state, the latest first, without their secrets.",
        permission="device.read",
        parameters=(Parameter("device_id", "path", "string", True, "The id of the device", ()),),
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
        "device_token",
        "create",
        "POST",
        "/v1/device/{device_id}/tokens",
        summary="Make a token for a device",
        description="The token's text is in this answer and never shown again. If the answer is lost, revoke the token and make another. Ingest takes it within five seconds, for the device's aliases on one network.",
        permission="device.update",
        parameters=(Parameter("device_id", "path", "string", True, "The id of the device", ()),),
        body="object",
        body_required=True,
        fields=(
            Field("networkId", "string", False, "On which network; the device's own if left out", ()),
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
        "device_token",
        "rotate",
        "POST",
        "/v1/device/{device_id}/tokens/{token_id}/rotate",
        summary="Replace a token of a device",
        description="Makes a new token; the old one stays valid for a while, so that no event is refused.",
        permission="device.update",
        parameters=(
            Parameter("device_id", "path", "string", True, "The id of the device", ()),
            Parameter(
                "token_id", "path", "string", True, "The id of the token: what stands between its two '_'", ()
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
        "device_token",
        "revoke",
        "DELETE",
        "/v1/device/{device_id}/tokens/{token_id}",
        summary="Revoke a token of a device",
        description="Ingest refuses the token within five seconds, for good. Revoking it again changes nothing.",
        permission="device.update",
        parameters=(
            Parameter("device_id", "path", "string", True, "The id of the device", ()),
            Parameter(
                "token_id", "path", "string", True, "The id of the token: what stands between its two '_'", ()
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
