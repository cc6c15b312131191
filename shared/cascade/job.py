"""A job: its name, document and message. No model: the function that runs jobs starts without pydantic."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

import msgspec

from fulcrum.core import ids
from shared import clock, names
from shared.clients import pubsub
from shared.errors import Rejected

TOPIC = "jobs"
# How long a finished job can be looked at; Firestore's TTL removes it then.
KEPT = timedelta(days=30)
# A job that is not done and that nothing has touched for so long has lost its message.
IDLE_MS = 60_000

State = Literal["waiting", "running", "done", "failed"]

# The kinds on which something may hang: their deletion starts a job.
KINDS = frozenset(
    {
        *("project", "system", "blueprint", "device", "attribute", "network"),
        *("user", "apiAccess", "role", "messageRoute", "script", "timer"),
    }
)


# Of attributes, only these have anything hanging on them.
_RELATIONS = frozenset({"relationship", "parentRelationship"})


class Message(msgspec.Struct, rename="camel"):
    """What the topic ``jobs`` carries: which job is to go on."""

    project_id: str
    job_id: str


_decoder = msgspec.json.Decoder(Message)


def id_of(kind: str, resource_id: str) -> str:
    """The id of the job that clears what hung on a resource: whoever knows the resource finds its job."""
    return ids.digest("delete", kind, resource_id)


def is_for(kind: str, fields: Mapping[str, Any]) -> bool:
    """Whether anything may hang on a resource, so that its deletion needs a job."""
    return kind in KINDS and (kind != "attribute" or fields.get("type") in _RELATIONS)


def name(project_id: str, job_id: str) -> str:
    """The document of a job."""
    return names.document("projects", project_id, "jobs", job_id)


def fields(
    kind: str,
    resource_id: str,
    resource_name: str | None,
    now_ms: int,
    request_id: str,
    actor: Mapping[str, str],
) -> dict[str, Any]:
    """The document of a new job that clears what hung on a resource."""
    made = {
        "type": "delete",
        "kind": kind,
        "resourceId": resource_id,
        "name": resource_name,
        "state": "waiting",
        "done": 0,
        "tries": 0,
        "created": now_ms,
        "lastModified": now_ms,
        "version": 1,
        "requestId": request_id,
        "actor": dict(actor),
    }
    return {key: value for key, value in made.items() if value is not None}


def is_open(stored: dict[str, Any]) -> bool:
    """Whether a job still has something to do, or has given up on it."""
    return stored.get("state") != "done"


def is_idle(stored: dict[str, Any]) -> bool:
    """Whether a job waits or runs, and nothing has touched it for a minute."""
    touched = stored.get("lastModified", 0)
    return stored.get("state") in ("waiting", "running") and clock.now_ms() - touched >= IDLE_MS


async def publish(project_id: str, job_id: str) -> None:
    """Have a job go on. Transient or Rejected where Pub/Sub does not take it."""
    data = msgspec.json.encode(Message(project_id, job_id))
    await pubsub.publish(TOPIC, [(data, {"projectId": project_id})])


def decode(data: bytes) -> Message:
    """A message of the topic ``jobs``; Rejected ``message.undecodable`` if it is none."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected("message.undecodable", f"not a job's message: {error}") from None
