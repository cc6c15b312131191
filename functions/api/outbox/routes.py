"""Operations that show messages to people, and lift what holds them back.

No postponed annotations here: the framework reads the handlers' annotations.
"""

from typing import Annotated, Any

from fastapi import Path, Query

from functions.api.joining.setting_free import check_project
from functions.api.needs import Call, needs
from functions.api.resources import lists, plain
from functions.api.resources.answers import GONE
from functions.api.router import Router
from shared import clock
from shared.model.base import EpochMs
from shared.model.outbox import (
    HIDDEN,
    OUTBOX,
    OUTBOX_CONTENT,
    MessageKind,
    OutboxContent,
    OutboxMessage,
    State,
)
from shared.model.page import Deleted, Page
from shared.model.send_limit import SEND_LIMIT, SendLimit
from shared.names import NO_PROJECT
from shared.store import query
from shared.store.query import Where
from shared.store.scope import Stored

router = Router("outbox")

ProjectId = Annotated[str, Path(max_length=200, description="The id of the project; none: of the platform")]
MessageId = Annotated[str, Path(max_length=200, description="The id of the message")]
LimitId = Annotated[str, Path(max_length=200, description="The id of the limit")]
_FILE = ("filename", "url", "contentType")


@router.get(
    "/project/{project_id}/outbox",
    operation_id="outbox_list",
    summary="List messages to people",
    description="A page of mail and text messages, the latest first, without what they say. They are kept "
    "for thirty days.",
    responses=GONE,
)
async def list_(
    project_id: ProjectId,
    call: Annotated[Call, needs("outbox.list")],
    kind: Annotated[MessageKind | None, Query(description="Only mail, or only text messages")] = None,
    state: Annotated[State | None, Query(description="Only in this state")] = None,
    since: Annotated[EpochMs | None, Query(description="Only asked for then or later, epoch ms")] = None,
    until: Annotated[EpochMs | None, Query(description="Only asked for before, epoch ms")] = None,
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[OutboxMessage]:
    check_project(call)
    conditions = (
        Where("kind", "==", kind),
        Where("state", "==", state),
        Where("time", ">=", since),
        Where("time", "<", until),
    )
    where = tuple(condition for condition in conditions if condition.value is not None)
    asked = query.Query(where, order="time", descending=True, limit=per_page, after=cursor)
    return await plain.page(call.scope, OUTBOX, asked, total, must_exist=project_id != NO_PROJECT)


@router.get(
    "/outbox/{message_id}",
    operation_id="outbox_get",
    summary="Show a message to people",
    description="One mail or text message with what it says; not of one that is confidential, such as the "
    "mail with which somebody sets a new password. Of attachments their names, without their bytes.",
    responses=GONE,
)
async def get(message_id: MessageId, call: Annotated[Call, needs("outbox.read")]) -> OutboxContent:
    check_project(call)
    stored = await call.scope.get(OUTBOX_CONTENT, message_id)
    return stored._replace(fields=_shown(stored)).model()


@router.get(
    "/project/{project_id}/outbox/limits",
    operation_id="outbox_list_limits",
    summary="List recipients that limits hold back",
    description="A page of those to whom nothing is sent under some key just now, the longest first.",
    responses=GONE,
)
async def list_limits(
    project_id: ProjectId,
    call: Annotated[Call, needs("outbox.list")],
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[SendLimit]:
    check_project(call)
    # No part of what a cursor belongs to: the next page is asked for a little later.
    also = (Where("until", ">", clock.now_ms()),)
    asked = query.Query(order="until", descending=True, limit=per_page, after=cursor, also=also)
    return await plain.page(call.scope, SEND_LIMIT, asked, total, must_exist=project_id != NO_PROJECT)


@router.delete(
    "/outbox/limits/{limit_id}",
    operation_id="outbox_lift_limit",
    summary="Lift a limit",
    description="Messages go to the recipient again, counted anew. What was held back stays so.",
    responses=GONE,
)
async def lift_limit(limit_id: LimitId, call: Annotated[Call, needs("outbox.update")]) -> Deleted:
    check_project(call)
    stored = await call.scope.get(SEND_LIMIT, limit_id)
    change = call.change()
    change.remove(stored.name)
    change.note("lifted", SEND_LIMIT, stored.id, {"key": stored.fields.get("key", "")}, {})
    await change.commit()
    return Deleted(status="deleted", id=limit_id)


def _shown(stored: Stored[Any]) -> dict[str, Any]:
    """What of a message's fields anybody may see."""
    fields = stored.fields
    if fields.get("confidential"):
        return {key: value for key, value in fields.items() if key not in HIDDEN}
    files = [{key: file[key] for key in _FILE if key in file} for file in fields.get("attachments") or ()]
    return fields | ({"attachments": files} if files else {})
