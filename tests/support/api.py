"""The API on an embedded Firestore that refuses queries without an index, for tests of its operations.

Requests go through the function's true entry, in this process; the emulator is a process of its own.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import functions_framework.aio
import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore as official

from fulcrum.core import ids
from functions.api.access import tokens
from local.processes import ROOT
from shared import clock
from shared.clients import firestore, history, pubsub
from shared.config import settings
from shared.errors import Transient
from tests.support.emulators import Address, embedded

CLOUD_PROJECT = "fulcrum-local"
SIGNING_KEY = "a-signing-key-for-tests-of-64-characters-in-all-0123456789abcdef"

OUTBOUND_KEY = "a-key-for-secret-headers-in-tests-of-more-than-32-characters"


@dataclass
class Topics:
    """What the API published, in place of Pub/Sub. While ``down`` is set, publishing fails."""

    messages: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    down: bool = False
    # What the API appended to the history, in place of BigQuery.
    rows: list[bytes] = field(default_factory=list)

    async def append(self, rows: Sequence[bytes], within: float = 20.0) -> dict[int, str]:
        """Take rows as :func:`shared.clients.history.append` does."""
        if self.down:
            raise Transient("AppendRows: UNAVAILABLE")
        self.rows += rows
        return {}

    async def publish(
        self, topic: str, messages: Sequence[tuple[bytes, Mapping[str, str]]], within: float = 10.0
    ) -> list[str]:
        """Take messages as :func:`shared.clients.pubsub.publish` does."""
        if self.down:
            raise Transient(f"publishing to {topic}: UNAVAILABLE")
        self.messages += [(topic, data, dict(attributes)) for data, attributes in messages]
        return [str(len(self.messages)) for _ in messages]

    def take(self, topic: str) -> list[bytes]:
        """The data of what was published to a topic since the last look."""
        found = [data for name, data, _ in self.messages if name == topic]
        self.messages = [message for message in self.messages if message[0] != topic]
        return found


@dataclass
class Api:
    """The API's address book: its store, seen from outside, what it published, and makers of tokens."""

    address: Address
    documents: official.Client
    topics: Topics = field(default_factory=Topics)

    def project(self, project_id: str, **fields: Any) -> str:
        """Make a project's document."""
        made = {"name": project_id, "revision": 1, "created": clock.now_ms(), "version": 1} | fields
        self.documents.document(f"projects/{project_id}").set(made)
        return project_id

    def admin(self) -> str:
        """A token of a new administrator of the platform, who is in no project."""
        return self._token({"username": "root", "admin": True}, "")

    def user(self, project_id: str, *permissions: str, on: tuple[str, str] | None = None) -> str:
        """A token of a new user of a project, who holds these permissions on it, or on a system or device.

        ``on``: ("system" | "device", its id).
        """
        user_id, role_id = ids.new_id(), ids.new_id()
        where = self.documents.document(f"projects/{project_id}")
        where.collection("users").document(user_id).set({"username": f"user-{user_id}"})
        where.collection("roles").document(role_id).set({"name": role_id, "permissions": list(permissions)})
        kind, resource_id = on or ("project", project_id)
        where.collection("userRoles").document(ids.new_id()).set(
            {
                "subjectKind": "user",
                "subjectId": user_id,
                "roleId": role_id,
                "resourceKind": kind,
                "resourceId": resource_id,
            }
        )
        return self._token({"username": f"user-{user_id}", "id": user_id}, project_id)

    def _token(self, user: dict[str, Any], project_id: str) -> str:
        user_id = user.pop("id", ids.new_id())
        session_id = ids.new_id()
        if not project_id:
            self.documents.document(f"users/{user_id}").set(user)
        self.documents.document(f"sessions/{session_id}").set(
            {
                "userId": user_id,
                "projectId": project_id,
                "created": clock.now_ms(),
                "expires": clock.now_ms() + 86_400_000,
                "revoked": False,
            }
        )
        return tokens.mint(user_id, session_id, project_id, timedelta(hours=1))

    @asynccontextmanager
    async def client(self, token: str = "") -> AsyncIterator[httpx.AsyncClient]:
        """An HTTP client of the API, with a bearer token if one is given."""
        app = functions_framework.aio.create_asgi_app(
            target="api", source=str(ROOT / "functions/api/main.py"), signature_type="http"
        )
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as client:
            yield client
        await firestore.close()


@contextmanager
def strict_firestore() -> Iterator[Address]:
    """A Firestore that refuses queries without an index."""
    with embedded("firestore", "--strict", "--indexes", str(ROOT / "firestore.indexes.json")) as address:
        yield address


@contextmanager
def embedded_api(shared: Address | None = None) -> Iterator[Api]:
    """An API on its own Firestore, or on a strict one that is ``shared``, and emptied now."""
    topics = Topics()
    with ExitStack() as stack:
        address = shared or stack.enter_context(strict_firestore())
        httpx.post(f"{address.http}/reset").raise_for_status()
        stack.enter_context(environment(address, topics))
        documents = official.Client(project=CLOUD_PROJECT, credentials=AnonymousCredentials())
        yield Api(address, documents, topics)
        documents.close()


@contextmanager
def environment(address: Address, topics: Topics | None = None) -> Iterator[None]:
    """What the API's process has in its environment; what it publishes goes to ``topics``."""
    with pytest.MonkeyPatch.context() as patch:
        topics = topics or Topics()
        patch.setattr(pubsub, "publish", topics.publish)
        if "FULCRUM_BIGQUERY_STORAGE_ENDPOINT" not in os.environ:
            patch.setattr(history, "append", topics.append)
        patch.setenv("FIRESTORE_EMULATOR_HOST", address.grpc)
        patch.setenv("GOOGLE_CLOUD_PROJECT", CLOUD_PROJECT)
        patch.setenv("FULCRUM_SIGNING_KEY", SIGNING_KEY)
        patch.setenv("FULCRUM_OUTBOUND_KEY", OUTBOUND_KEY)
        patch.setenv("K_SERVICE", "api")
        settings.cache_clear()
        yield
    settings.cache_clear()
