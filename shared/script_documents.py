"""The documents of scripts below their project, and the message that has one deployed.

No model: the functions that run and deploy scripts start without pydantic. What people read of them is in
``shared/model/script_life.py``.

- ``scripts/{s}``: the definition and the draft (``code``: the text of main.py; ``files``: JSON text
  ``{path: text}`` of the other files; ``requirements``).
- ``scriptVersions/{s}-{n}``: ``scriptId``, ``version`` (n), ``code``, ``files``, ``requirements``,
  ``digest``, ``entries`` (JSON text of a list of :class:`fulcrum.script.wire.Entry`), ``created``,
  ``createdBy``, ``note``. Never changed.
- ``scriptStates/{s}``: ``scriptId``, ``state``, ``version``, ``url``, ``function``, ``entries``,
  ``deployment``, ``breaker``: all that a run needs in one read.
- ``scriptDeployments/{id}``: ``scriptId``, ``version``, ``action``, ``state``, ``progress`` (0 to 100),
  ``message``, ``log`` (the end of the build's log), ``created``, ``lastModified``, ``createdBy``.
- ``scriptCaches/{s}`` and ``caches/{digest(s, deviceId)}``: ``scriptId``, ``deviceId``, ``value`` (JSON).
  Those of devices have a ``mark`` too: text of their last write, which no other write of any cache has.
- ``runs/{run_key}``: ``scriptId``, ``deviceId`` and the rest of a run's record.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from fulcrum.core import ids
from shared import names
from shared.clients import pubsub
from shared.errors import Rejected
from shared.messages import VERSION

TOPIC = "deploy"

Action = Literal["deploy", "undeploy"]
DeploymentState = Literal["queued", "building", "serving", "failed", "done"]
# What goes on, as long as nothing stops it. Then it is ``serving`` (a deployed version), ``done`` (an
# undeployed one) or ``failed``.
OPEN = frozenset({"queued", "building"})


class Message(msgspec.Struct, rename="camel", tag_field="type", tag="scriptDeployMsg", omit_defaults=True):
    """What the topic ``deploy`` carries: a deployment to be carried out.

    Without ``deployment_id``: the script ``script_id`` was deleted, with all its documents, and its function
    is to go too.
    """

    project_id: str
    deployment_id: str = ""
    script_id: str = ""


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Message)


def version(project_id: str, script_id: str, number: int) -> str:
    """The document of a version."""
    return names.document("projects", project_id, "scriptVersions", version_id(script_id, number))


def version_id(script_id: str, number: int) -> str:
    """The id of a version's document."""
    return f"{script_id}-{number}"


def state(project_id: str, script_id: str) -> str:
    """The document of what a script is doing now."""
    return names.document("projects", project_id, "scriptStates", script_id)


def deployment(project_id: str, deployment_id: str) -> str:
    """The document of a deployment."""
    return names.document("projects", project_id, "scriptDeployments", deployment_id)


def script_cache(project_id: str, script_id: str) -> str:
    """The document of a script's own cache."""
    return names.document("projects", project_id, "scriptCaches", script_id)


def device_cache(project_id: str, script_id: str, device_id: str) -> str:
    """The document of a script's cache for a device."""
    return names.document("projects", project_id, "caches", ids.digest(script_id, device_id))


def run(project_id: str, run_key: str) -> str:
    """The document of a run's record."""
    return names.document("projects", project_id, "runs", run_key)


async def publish(message: Message) -> None:
    """Have a deployment carried out. Transient or Rejected where Pub/Sub does not take it."""
    attributes = {"v": VERSION, "hops": "1", "projectId": message.project_id}
    await pubsub.publish(TOPIC, [(_encode(message), attributes)])


def decode(data: bytes) -> Message:
    """A message of the topic ``deploy``; Rejected ``message.undecodable`` if it is none."""
    try:
        found = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected("message.undecodable", f"not a deployment's message: {error}") from None
    if not (found.deployment_id or found.script_id):
        raise Rejected("message.undecodable", "not a deployment's message: it names neither of the two")
    return found
