"""Operations on the relations of a device: list children, link, cut."""

from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from functions.api.devices import access, listing, relations, showing
from functions.api.devices.parameters import ITEM, DeviceId
from functions.api.needs import Call, needs
from functions.api.resources import lists
from functions.api.resources.answers import GONE, etag, problem
from functions.api.router import Router
from shared.model.base import Identifier, Model
from shared.model.device import Device
from shared.model.page import Page

router = Router("device")

RelationText = Annotated[
    str,
    Query(
        min_length=1,
        max_length=300,
        description="The relationship, by its path or id",
        examples=["building/rooms"],
    ),
]


class Link(Model):
    """A link to be made: which relationship of the parent's blueprint, and the child."""

    relation: str = Field(
        min_length=1, max_length=300, description="By its path or id", examples=["building/rooms"]
    )
    child_id: Identifier


@router.get(
    "/device/{device_id}/relations",
    operation_id="device_relation_list",
    summary="List the children of a device",
    description="A page of the devices that are linked below this one by one relationship.",
    responses=GONE,
)
async def list_(
    device_id: DeviceId,
    relation: RelationText,
    call: Annotated[Call, needs("device.read", anywhere=True)],
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
) -> Page[Device]:
    parent = await access.load(call, "device.read", device_id)
    known = await relations.relation_of(call, parent, relation)
    found = await relations.children(call, parent, known, per_page, cursor)
    return await listing.answered(call, found, per_page)


@router.post(
    "/device/{device_id}/relations",
    operation_id="device_relation_create",
    summary="Link a device below this one",
    description="Both must be in one system and of the relationship's blueprints. Where the relationship "
    "allows one child or one parent, of several who link at once one wins. An owned child stands under its "
    "parent, and is deleted with it. Linking again changes nothing.",
    responses=ITEM,
    openapi_extra={
        "requestBody": {
            "content": {
                "application/json": {
                    "example": {"relation": "building/rooms", "childId": "3Vc8Qn0kZ5tWb1yLr7sXe2"}
                }
            }
        }
    },
)
async def create(
    device_id: DeviceId,
    body: Link,
    response: Response,
    call: Annotated[Call, needs("device.createRelationship", anywhere=True, others=["relationship.create:"])],
) -> Device:
    stored = await relations.link(call, device_id, body.relation, body.child_id)
    etag(response, stored)
    return await showing.one(call, stored)


@router.delete(
    "/device/{device_id}/relations/{child_id}",
    operation_id="device_relation_delete",
    summary="Cut a link below this device",
    description="The child stays as a device; an owned one stands under nobody then.",
    responses=ITEM | {404: problem("There is no such link")},
)
async def delete(
    device_id: DeviceId,
    child_id: Annotated[str, Path(max_length=200, description="The id of the child")],
    relation: RelationText,
    response: Response,
    call: Annotated[Call, needs("device.deleteRelationship", anywhere=True)],
) -> Device:
    stored = await relations.unlink(call, device_id, relation, child_id)
    etag(response, stored)
    return await showing.one(call, stored)
