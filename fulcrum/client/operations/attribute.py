"""The operations on ``attribute``, as the command needs them.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from fulcrum.client.operation import Field, Operation, Parameter

OPERATIONS = (
    Operation(
        "attribute",
        "list",
        "GET",
        "/v1/blueprint/{blueprint_id}/attributes",
        summary="List the attributes of a blueprint",
        description="A page of the blueprint's attributes, by id; by name if asked for a name.",
        permission="attribute.list",
        parameters=(
            Parameter("blueprint_id", "path", "string", True, "The id of the blueprint", ()),
            Parameter("perPage", "query", "integer", False, "How many items a page has at most", ()),
            Parameter(
                "cursor",
                "query",
                "string",
                False,
                "The 'next' of the page before; leave out for the first",
                (),
            ),
            Parameter("total", "query", "boolean", False, "Say how many there are in all", ()),
            Parameter("name", "query", "string", False, "Only those whose name begins so", ()),
            Parameter("tags", "query", "string", False, "Only those with this tag", ()),
            Parameter("type", "query", "string", False, "Only those with this type", ()),
            Parameter("path", "query", "string", False, "Only those with this path", ()),
            Parameter(
                "targetBlueprintId", "query", "string", False, "Only those with this targetBlueprintId", ()
            ),
            Parameter(
                "sourceBlueprintId", "query", "string", False, "Only those with this sourceBlueprintId", ()
            ),
            Parameter(
                "refs",
                "query",
                "boolean",
                False,
                "Add the resources that the answer refers to, by kind and id",
                (),
            ),
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
        "attribute",
        "create",
        "POST",
        "/v1/blueprint/{blueprint_id}/attributes",
        summary="Create an attribute",
        description="Creates an attribute in the blueprint. With an Idempotency-Key it is created once, however often the request is sent.",
        permission="attribute.create",
        parameters=(
            Parameter("blueprint_id", "path", "string", True, "The id of the blueprint", ()),
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
        body_required=True,
        fields=(
            Field("name", "string", True, "", ()),
            Field("path", "string", True, "Where in the data, '/' between segments", ()),
            Field("parentPath", "string", False, "What of the path lies above it", ()),
            Field("type", "string", True, "See the types of attributes", ()),
            Field("unit", "string", False, "", ()),
            Field("values", "json", False, "", ()),
            Field("min", "number", False, "", ()),
            Field("max", "number", False, "", ()),
            Field("isCollection", "boolean", False, "", ()),
            Field(
                "source", "string", False, "User: people fill it in, in forms and tables", ("Device", "User")
            ),
            Field("desc", "string", False, "", ()),
            Field("tags", "strings", False, "", ()),
            Field("metadata", "json", False, "", ()),
            Field("targetBlueprintId", "string", False, "Of a relationship: of the children", ()),
            Field(
                "relationshipType", "string", False, "", ("oneToOne", "oneToMany", "manyToOne", "manyToMany")
            ),
            Field("owned", "boolean", False, "Of a relationship: children are deleted with their parent", ()),
            Field(
                "forwardData",
                "boolean",
                False,
                "Of a relationship: what a child reports is kept for its parent too",
                (),
            ),
            Field(
                "mirrorPath",
                "string",
                False,
                "Of a relationship: the path of its mirror; made from the alias if left out",
                (),
            ),
        ),
        body_kinds=(),
        paged=False,
        streams=(),
        answers_json=True,
        secret=False,
        once=True,
    ),
    Operation(
        "attribute",
        "get",
        "GET",
        "/v1/attribute/{attribute_id}",
        summary="Read an attribute",
        description="One attribute; its ETag says its version.",
        permission="attribute.read",
        parameters=(
            Parameter("attribute_id", "path", "string", True, "The id of the attribute", ()),
            Parameter(
                "refs",
                "query",
                "boolean",
                False,
                "Add the resources that the answer refers to, by kind and id",
                (),
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
    Operation(
        "attribute",
        "update",
        "PATCH",
        "/v1/attribute/{attribute_id}",
        summary="Change an attribute",
        description="Changes what the body names: an array of {path, value, op}, or a plain object. May be changed: desc, max, metadata, min, name, source, tags, values. With If-Match, only if nobody was faster.",
        permission="attribute.update",
        parameters=(
            Parameter("attribute_id", "path", "string", True, "The id of the attribute", ()),
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
        "attribute",
        "delete",
        "DELETE",
        "/v1/attribute/{attribute_id}",
        summary="Delete an attribute",
        description="The attribute is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it meanwhile.",
        permission="attribute.delete",
        parameters=(
            Parameter("attribute_id", "path", "string", True, "The id of the attribute", ()),
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
