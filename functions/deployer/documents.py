"""The documents of a deployment: read together, written by mask and only as they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared import clock, script_documents, values
from shared.clients import firestore
from shared.clients.firestore import Document
from shared.clients.firestore_pb import messages
from shared.errors import Rejected

FINISHED = frozenset({"serving", "failed", "done"})
# The end of a log that a document keeps, in characters.
MAX_LOG = 8_000
MAX_MESSAGE = 900
_MAX_ID = 200


class Changed(Exception):
    """Somebody else has written one of the documents meanwhile: read them again."""


@dataclass(frozen=True)
class Deployment:
    """A deployment and the state of its script, as read. ``superseded``: a later one has taken its place."""

    project_id: str
    id: str
    fields: Mapping[str, Any]
    state: Mapping[str, Any]
    superseded: bool
    update_time: Any
    state_time: Any

    @property
    def script_id(self) -> str:
        """The script."""
        return str(self.fields["scriptId"])

    @property
    def version(self) -> int:
        """The version that is to serve; 0 where none is."""
        return int(self.fields.get("version") or 0)

    @property
    def operation(self) -> str:
        """The operation of the cloud that is under way for it; empty if there is none."""
        return str(self.fields.get("operation") or "")

    @property
    def age_ms(self) -> int:
        """How long ago it was asked for."""
        return clock.now_ms() - int(self.fields.get("created") or 0)


async def read(project_id: str, deployment_id: str) -> Deployment | None:
    """A deployment as it is now; None if it is gone. Rejected for ids that none can have."""
    for part in (project_id, deployment_id):
        if not part or "/" in part or len(part) > _MAX_ID or part in (".", ".."):
            raise Rejected("deploy.badId", f"{part[:200]!r} is no id")
    name = script_documents.deployment(project_id, deployment_id)
    document = (await firestore.batch_get([name])).get(name)
    if document is None:
        return None
    fields = values.from_fields(document.fields)
    if not isinstance(fields.get("scriptId"), str) or fields.get("action") not in ("deploy", "undeploy"):
        raise Rejected("deploy.badDeployment", f"the deployment {deployment_id} names no script or action")
    state_name = script_documents.state(project_id, fields["scriptId"])
    state = (await firestore.batch_get([state_name])).get(state_name)
    known = values.from_fields(state.fields) if state is not None else {}
    other = known.get("deployment")
    later = isinstance(other, str) and other != deployment_id and await _later(project_id, other, fields)
    state_time = state.update_time if state is not None else None
    return Deployment(project_id, deployment_id, fields, known, later, document.update_time, state_time)


async def _later(project_id: str, other_id: str, fields: Mapping[str, Any]) -> bool:
    """Whether another deployment was asked for later than this one."""
    name = script_documents.deployment(project_id, other_id)
    other = (await firestore.batch_get([name], ["created"])).get(name)
    if other is None:
        return False
    created = values.from_fields(other.fields).get("created")
    return int(created or 0) >= int(fields.get("created") or 0)


async def read_version(found: Deployment) -> Document | None:
    """The version that a deployment names."""
    name = script_documents.version(found.project_id, found.script_id, found.version)
    return (await firestore.batch_get([name])).get(name)


async def save(found: Deployment, fields: Mapping[str, Any], state: Mapping[str, Any] | None = None) -> None:
    """Write fields of the deployment, and of its script's state, in one commit; None removes a field.

    Changed where one of them is not as it was read.
    """
    deployment = {"lastModified": clock.now_ms(), **fields}
    name = script_documents.deployment(found.project_id, found.id)
    writes = [_merge(name, deployment, found.update_time)]
    if state is not None:
        named = {"scriptId": found.script_id, "deployment": found.id, **state}
        writes.append(
            _merge(script_documents.state(found.project_id, found.script_id), named, found.state_time)
        )
    try:
        await firestore.commit(writes)
    except firestore.PreconditionFailed as error:
        raise Changed from error


def _merge(name: str, fields: Mapping[str, Any], update_time: Any) -> Any:
    pb = messages()
    write = pb.Write(update=pb.Document(name=name))
    write.update_mask.field_paths.extend(sorted(fields))
    values.to_fields(write.update.fields, {key: value for key, value in fields.items() if value is not None})
    if update_time is None:
        write.current_document.exists = False
    else:
        write.current_document.update_time.CopyFrom(update_time)
    return write
