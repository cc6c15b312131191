"""A project in the store, and looks at all that is in it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from fulcrum.core import ids
from shared import names, values
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.errors import ApiError, Transient
from shared.model.blueprint import BLUEPRINT
from shared.store.audit import Actor
from shared.store.change import Change, lock_name, retrying
from shared.store.scope import Scope, Stored

ACTOR = Actor("user", "u1", "Ada")


def fields(alias: str = "a", **more: Any) -> dict[str, Any]:
    """The wire fields of a blueprint."""
    return {
        "name": "B",
        "alias": alias,
        "purpose": "device",
        "tags": [],
        "metadata": {},
        "checkMode": "off",
    } | more


class World:
    """One new project; the functions are what the API's operations do."""

    def __init__(self) -> None:
        self.scope = Scope(ids.new_id())

    async def begin(self) -> World:
        """Make the project's document."""
        pb = messages()
        write = pb.Write(update=pb.Document(name=names.project(self.scope.project_id)))
        values.to_fields(write.update.fields, {"revision": 1})
        await firestore.commit([write])
        return self

    def change(self) -> Change:
        """A new change in Ada's name."""
        return Change(self.scope, ACTOR, ids.new_id())

    async def create(self, alias: str) -> str:
        """Create a blueprint; its id."""

        async def attempt() -> str:
            change = self.change()
            made = change.create(BLUEPRINT, fields(alias))
            await change.commit()
            return made

        return str(await retrying(attempt))

    async def update(self, resource_id: str, **wire: Any) -> None:
        """Change fields of a blueprint."""

        async def attempt() -> None:
            stored = await self.scope.get(BLUEPRINT, resource_id)
            change = self.change()
            if change.update(stored, wire):
                await change.commit()

        await retrying(attempt)

    async def delete(self, resource_id: str) -> None:
        """Delete a blueprint."""

        async def attempt() -> None:
            stored = await self.scope.get(BLUEPRINT, resource_id)
            change = self.change()
            change.delete(stored)
            await change.commit()

        await retrying(attempt)

    async def below(self, collection: str) -> list[firestore.Document]:
        """All documents of a collection of the project."""
        query = messages().StructuredQuery()
        query.from_.add(collection_id=collection)
        return await firestore.run_query(names.project(self.scope.project_id), query)

    async def revision(self) -> int:
        """The project's revision."""
        name = names.project(self.scope.project_id)
        found = values.from_fields((await firestore.batch_get([name]))[name].fields)
        return int(found["revision"])

    async def stored(self, resource_id: str) -> Stored[Any]:
        """A blueprint as it is."""
        return await self.scope.get(BLUEPRINT, resource_id)

    async def holder(self, alias: str) -> str | None:
        """Who has an alias."""
        name = lock_name(self.scope, "blueprint", "alias", alias)
        found = (await firestore.batch_get([name])).get(name)
        return None if found is None else str(values.from_fields(found.fields)["holder"])


async def outcome(what: Awaitable[Any]) -> tuple[str, Any]:
    """What became of an operation: done with its result, refused with the error's name, or unknown."""
    try:
        return "done", await what
    except ApiError as error:
        return "refused", error.error
    except Transient:
        return "unknown", None
