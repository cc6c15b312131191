"""The operations on ``about``, as the command needs them.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from fulcrum.client.operation import Operation

OPERATIONS = (
    Operation(
        "about",
        "get",
        "GET",
        "/v1/about",
        summary="Say what answers here",
        description="Answer that the API is up, and which version of it.",
        permission="public",
        parameters=(),
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
        "about",
        "openapi",
        "GET",
        "/v1/openapi.json",
        summary="The OpenAPI 3.1 document",
        description="Answer the description of every operation, from which clients are generated.",
        permission="public",
        parameters=(),
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
