"""The message that has a script deployed, on the wire."""

from __future__ import annotations

import json

import pytest

from shared import script_documents
from shared.clients import pubsub
from shared.errors import Rejected
from tests.support.api import Topics


async def test_a_deployment_is_read_as_it_was_published(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = Topics()
    monkeypatch.setattr(pubsub, "publish", topics.publish)
    await script_documents.publish(script_documents.Message("p1", "d1"))
    (data,) = topics.take("deploy")
    assert json.loads(data) == {"type": "scriptDeployMsg", "projectId": "p1", "deploymentId": "d1"}
    assert script_documents.decode(data) == script_documents.Message("p1", "d1")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"type":"scriptDeployMsg","projectId":"p1"}',
        b'{"type":"emailMsg","projectId":"p1","deploymentId":"d"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_deployment_is_set_aside(data: bytes) -> None:
    with pytest.raises(Rejected, match="not a deployment's message"):
        script_documents.decode(data)


def test_a_deleted_script_is_named_without_a_deployment() -> None:
    found = script_documents.decode(b'{"type":"scriptDeployMsg","projectId":"p1","scriptId":"s1"}')
    assert (found.deployment_id, found.script_id) == ("", "s1")
