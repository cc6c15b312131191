"""Every operation against the whole running stack, with requests made from its description by schemathesis:
no 5xx, and no status, content type or body that is not described.

Derandomised: the same description is asked the same questions. ``FULCRUM_EXAMPLES`` makes them more.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from google.cloud import firestore
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fulcrum.core import ids
from functions.api.access import tokens
from functions.api.openapi import document
from local.stack import Stack
from shared import clock
from shared.config import settings as configuration
from tests.support.operations import operations

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("schemathesis")]

EXAMPLES = int(os.environ.get("FULCRUM_EXAMPLES", "5"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Answers of the way to the operations, where an odd value of a path leads past the operation meant.
ROUTING = frozenset({"path.notFound", "method.notAllowed"})
# A stream that never ends; its own tests read it.
ENDLESS = ["live_get"]
# Other methods at the same path are no operations: the API's own tests hold 405 for them.
CONFIG = schemathesis.Config.from_dict({"phases": {"coverage": {"unexpected-methods": []}}})
schema = schemathesis.openapi.from_dict(document(), config=CONFIG).exclude(operation_id=ENDLESS)


@dataclass
class Target:
    """A running stack with a project in which there is one of everything that an example can make."""

    url: str
    project: str
    store: firestore.Client
    ids: dict[str, str] = field(default_factory=dict)

    def token(self) -> str:
        """A new session of a new administrator of the platform: what an operation ends is its own."""
        user_id, session_id = ids.new_id(), ids.new_id()
        self.store.document(f"users/{user_id}").set({"username": f"root-{user_id}", "admin": True})
        self.store.document(f"sessions/{session_id}").set(
            {
                "userId": user_id,
                "projectId": "",
                "created": clock.now_ms(),
                "expires": clock.now_ms() + 86_400_000,
                "revoked": False,
            }
        )
        return tokens.mint(user_id, session_id, "", timedelta(hours=1))


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("schemathesis")
    with Stack(folder / "stack", data=folder / "data") as stack, pytest.MonkeyPatch.context() as patch:
        (secrets,) = folder.rglob("secrets.json")
        patch.setenv("FULCRUM_SIGNING_KEY", json.loads(secrets.read_text())["SIGNING_KEY"])
        patch.setenv("FIRESTORE_EMULATOR_HOST", stack.env()["FIRESTORE_EMULATOR_HOST"])
        configuration.cache_clear()
        store = firestore.Client(project=stack.project)
        made = Target(stack.url, "conformance", store)
        _fill(made)
        yield made
        store.close()
        _show(stack, folder)


def _fill(target: Target) -> None:
    """Make a project, and of every kind what the example of its creation makes."""
    headers = {"Authorization": f"Bearer {target.token()}", "X-Fulcrum-Project": target.project}
    with httpx.Client(base_url=target.url, headers=headers, timeout=30) as http:
        answer = http.post("/v1/project", json={"id": target.project, "name": "Conformance"})
        assert answer.status_code == 201, answer.text
        creations = [each for each in operations() if each.id.endswith("_create") and "{" in each.path]
        # What stands below another thing is made after it.
        for _ in range(3):
            for operation in creations:
                kind = operation.id.removesuffix("_create")
                if f"{kind}_id" in target.ids or operation.permission in ("public", "signedIn"):
                    continue
                request = operation.request(target.project, target.ids)
                for body in _bodies(request.get("json"), target.ids):
                    whole = request | {"json": body, "headers": headers | request["headers"]}
                    answer = http.request(**whole)
                    if answer.status_code == 201 and "id" in answer.json():
                        target.ids[f"{kind}_id"] = target.ids[f"{kind}Id"] = answer.json()["id"]
                        break
    assert {"system_id", "blueprint_id", "device_id", "network_id"} <= set(target.ids), target.ids


def _bodies(body: Any, known: dict[str, str]) -> list[Any]:
    """An example's body with ids of what there is; then without what may be about other things."""
    if not isinstance(body, dict):
        return [body]
    named = {key: known.get(key, value) for key, value in body.items()}
    return [named, {key: value for key, value in named.items() if isinstance(value, str)}]


def _show(stack: Stack, folder: Path) -> None:
    # What the functions said of their own failures helps to mend what the checks found.
    lines = [line for line in stack.log().splitlines() if "unexpected error" in line]
    (folder / "errors.log").write_text("\n".join(lines))
    for line in lines[:20]:
        print(line[:4000])  # noqa: T201 shown by pytest with a failure


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_answers_as_described(case: schemathesis.Case[Any], target: Target) -> None:
    _aim(case, target)
    headers = {"Authorization": f"Bearer {_token(target, case)}", "X-Fulcrum-Project": target.project}
    answer = case.call(base_url=target.url, headers=headers, timeout=60)
    if answer.status_code in (404, 405) and any(error in answer.text for error in ROUTING):
        return
    if answer.status_code in (400, 404) and "x-request-id" not in answer.headers:
        return  # the server before the application refused it: a line too long, a line break in the path
    case.validate_response(answer, checks=CHECKS)


def _aim(case: schemathesis.Case[Any], target: Target) -> None:
    """Have half of the requests name what there is, which is the same half every time.

    Deletions meet what is not there: what they take away would be missing to all that comes after.
    """
    chosen = zlib.crc32(repr((case.query, case.body)).encode()) % 2 == 0
    if case.method.upper() == "DELETE" or not (chosen or case.operation.body is None):
        return
    for name in case.path_parameters or {}:
        if name == "project_id":
            case.path_parameters[name] = target.project
        elif name in target.ids:
            case.path_parameters[name] = target.ids[name]


_tokens: dict[str, str] = {}


def _token(target: Target, case: schemathesis.Case[Any]) -> str:
    label = case.operation.label
    if label not in _tokens:
        _tokens[label] = target.token()
    return _tokens[label]
