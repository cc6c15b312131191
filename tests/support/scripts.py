"""Scripts as documents, as the API writes them: for tests of what deploys and runs them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from fulcrum.core import ids
from shared import clock, script_documents

PROJECT = "workshop"


def put_script(documents: Any, script_id: str, code: str, *, project: str = PROJECT, **fields: Any) -> str:
    """Write a script with its draft by Google's client; returns its id."""
    now = clock.now_ms()
    draft = {"name": script_id, "alias": script_id, "code": code, "created": now, "version": 1}
    documents.document(f"projects/{project}/scripts/{script_id}").set(draft | fields)
    return script_id


def put_version(
    documents: Any,
    script_id: str,
    number: int,
    code: str,
    *,
    files: Mapping[str, str] | None = None,
    requirements: str = "",
    project: str = PROJECT,
) -> int:
    """Write a version of a script; returns its number."""
    texts = json.dumps(dict(files or {}))
    fields = {
        "scriptId": script_id,
        "version": number,
        "code": code,
        "files": texts,
        "requirements": requirements,
        "digest": ids.digest(code, texts, requirements),
        "entries": "[]",
        "created": clock.now_ms(),
    }
    name = script_documents.version_id(script_id, number)
    documents.document(f"projects/{project}/scriptVersions/{name}").set(fields)
    return number


def ask_deployment(
    documents: Any,
    script_id: str,
    version: int | None = None,
    *,
    action: Literal["deploy", "undeploy"] = "deploy",
    project: str = PROJECT,
    deployment_id: str = "",
) -> script_documents.Message:
    """Write a deployment, which the script's state names from then on; returns the message for it."""
    deployment_id = deployment_id or ids.new_id()
    now = clock.now_ms()
    fields = {
        "scriptId": script_id,
        "version": version,
        "action": action,
        "state": "queued",
        "progress": 0,
        "message": "waits for its turn",
        "created": now,
        "lastModified": now,
    }
    batch = documents.batch()
    below = documents.document(f"projects/{project}")
    batch.set(below.collection("scriptDeployments").document(deployment_id), fields)
    state = {"scriptId": script_id, "deployment": deployment_id}
    batch.set(below.collection("scriptStates").document(script_id), state, merge=True)
    batch.commit()
    return script_documents.Message(project_id=project, deployment_id=deployment_id)


def read_deployment(documents: Any, deployment_id: str, *, project: str = PROJECT) -> dict[str, Any]:
    """A deployment as it stands; empty if there is none."""
    found = documents.document(f"projects/{project}/scriptDeployments/{deployment_id}").get()
    return dict(found.to_dict() or {})


def read_state(documents: Any, script_id: str, *, project: str = PROJECT) -> dict[str, Any]:
    """A script's state as it stands; empty if there is none."""
    found = documents.document(f"projects/{project}/scriptStates/{script_id}").get()
    return dict(found.to_dict() or {})
