"""Reading within one project. There is no way to read here without naming the project."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from shared import names, values
from shared.clients import firestore
from shared.errors import ApiError
from shared.model.base import Kind, Resource
from shared.store import query as queries
from shared.store.query import Query, Where

R = TypeVar("R", bound=Resource)

_ID = re.compile(r"(?!__)[A-Za-z0-9_\-]{1,128}\Z")


class Stored(NamedTuple, Generic[R]):
    """A resource as stored: plain fields under their wire names, and the time of the last write to it."""

    kind: Kind[R]
    id: str
    name: str
    fields: dict[str, Any]
    update_time: Any

    @property
    def version(self) -> int:
        """What the ETag says; 0 for a document that the API has not written yet."""
        version = self.fields.get("version")
        return version if isinstance(version, int) else 0

    @property
    def etag(self) -> str:
        """The entity tag: it changes with every change made through the API."""
        return f'"{self.version}"'

    def model(self) -> R:
        """The resource as it is answered; what the model does not name stays inside."""
        wanted = _wire_names(self.kind)
        return self.kind.model.model_validate(
            {"id": self.id} | {key: value for key, value in self.fields.items() if key in wanted}
        )

    def content(self) -> dict[str, Any]:
        """What a tombstone keeps of the resource: its fields without secrets and without state."""
        wanted = (_wire_names(self.kind) | {"version"}) - {"data"}
        return {key: value for key, value in self.fields.items() if key in wanted}


class Found(NamedTuple, Generic[R]):
    """A page of a query: its resources, and the cursor of the next page if there is one."""

    items: list[Stored[R]]
    next: str | None


class Scope:
    """One project's resources."""

    def __init__(self, project_id: str) -> None:
        if not _ID.match(project_id):
            raise not_found("project", project_id)
        self.project_id = project_id

    def name(self, kind: Kind[Any], resource_id: str) -> str:
        """The document of a resource; ApiError 404 for an id that none can have."""
        if not _ID.match(resource_id):
            raise not_found(kind.name, resource_id)
        if kind.is_project and resource_id != self.project_id:
            raise not_found(kind.name, resource_id)
        if kind.top_level or kind.is_project:
            return names.document(kind.collection, resource_id)
        return names.document("projects", self.project_id, kind.collection, resource_id)

    async def find(self, kind: Kind[R], resource_id: str) -> Stored[R] | None:
        """A resource by its id; None if this project has none such. One read."""
        return (await self.find_many(kind, [resource_id])).get(resource_id)

    async def find_many(self, kind: Kind[R], resource_ids: Iterable[str]) -> dict[str, Stored[R]]:
        """Resources by id, in one call; those that this project has not are absent."""
        wanted = {self.name(kind, resource_id): resource_id for resource_id in resource_ids}
        found = await firestore.batch_get(wanted, kind.mask)
        stored = (self._stored(kind, document) for document in found.values())
        return {item.id: item for item in stored if self._ours(kind, item)}

    async def get(self, kind: Kind[R], resource_id: str) -> Stored[R]:
        """A resource by its id; ApiError 410 if it was deleted, 404 if this project never had it."""
        stored = await self.find(kind, resource_id)
        if stored is None:
            raise await self._missing(kind.name, resource_id)
        return stored

    async def must_exist(self) -> None:
        """ApiError 410 if the project was deleted, 404 if there never was one. One read."""
        name = names.project(self.project_id)
        if name not in await firestore.batch_get([name], ["revision"]):
            raise await self._missing("project", self.project_id)

    async def _missing(self, kind_name: str, resource_id: str) -> ApiError:
        tombstone = self.tombstone(kind_name, resource_id)
        gone = (await firestore.batch_get([tombstone], ["time"])).get(tombstone)
        if gone is None:
            return not_found(kind_name, resource_id)
        time = values.from_fields(gone.fields).get("time")
        return ApiError(
            410,
            f"{kind_name}.gone",
            f"the {kind_name} {resource_id!r} was deleted at {time}",
            "create a new one; a deleted one does not come back",
        )

    async def page(self, kind: Kind[R], query: Query) -> Found[R]:
        """One page of a query; ``len(items)`` reads and one more if there is a next page."""
        query = self._scoped(kind, query)
        parent = self._parent(kind)
        structured = queries.structured(kind.collection, query, parent)
        for field in kind.mask or ():
            structured.select.fields.add(field_path=field)
        documents = await firestore.run_query(parent, structured)
        items = [self._stored(kind, document) for document in documents]
        more = len(items) > query.limit
        items = items[: query.limit]
        return Found(items, queries.cursor(query, items[-1].id, items[-1].fields) if more else None)

    def cursor(self, kind: Kind[R], query: Query, last: Stored[R]) -> str:
        """The cursor that follows an item of a page, for answers that end before the page does."""
        return queries.cursor(self._scoped(kind, query), last.id, last.fields)

    def position(self, kind: Kind[R], query: Query) -> list[Any]:
        """Where a query's cursor stands, as :func:`shared.store.query.position`."""
        return queries.position(self._scoped(kind, query))

    async def count(self, kind: Kind[R], query: Query) -> int:
        """How many resources a query has; counted by the store, not read."""
        query = self._scoped(kind, query)
        return await firestore.count(self._parent(kind), queries.counted(kind.collection, query))

    def tombstone(self, kind_name: str, resource_id: str) -> str:
        """The document that says when a resource was deleted."""
        return names.deletion(self.project_id, kind_name, resource_id)

    def _parent(self, kind: Kind[Any]) -> str:
        return f"{names.database()}/documents" if kind.top_level else names.project(self.project_id)

    def _scoped(self, kind: Kind[Any], query: Query) -> Query:
        ours = (Where("projectId", "==", self.project_id),) if kind.top_level else ()
        within = f"{self.project_id}/{kind.collection}"
        return msgspec.structs.replace(query, where=(*ours, *query.where), within=within)

    def _ours(self, kind: Kind[Any], stored: Stored[Any]) -> bool:
        return not stored.fields.get("deleted") and (
            not kind.top_level or stored.fields.get("projectId") == self.project_id
        )

    def _stored(self, kind: Kind[R], document: firestore.Document) -> Stored[R]:
        fields = values.from_fields(document.fields)
        for key in kind.json_text:
            if isinstance(fields.get(key), str):
                fields[key] = msgspec.json.decode(fields[key])
        return Stored(kind, document.id, document.name, fields, document.update_time)


def not_found(kind_name: str, resource_id: str) -> ApiError:
    """404: the same answer for what does not exist and for what is another project's."""
    return ApiError(
        404,
        f"{kind_name}.notFound",
        f"there is no {kind_name} {resource_id[:128]!r}",
        "check the id, and that the token is of the right project",
    )


def _wire_names(kind: Kind[Any]) -> set[str]:
    return {field.alias or name for name, field in kind.model.model_fields.items() if name not in kind.secret}
