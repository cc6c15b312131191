"""REST: datasets, tables and routines. Parse and serialise only."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from emulators.bigquery.engine import Engine
from emulators.bigquery.errors import duplicate
from emulators.bigquery.resources import function_from_json, function_resource, table_resource
from emulators.bigquery.routing import Handler, add, body_of, page
from emulators.bigquery.tables import Table
from emulators.kit.faults import Faults
from shared import clock

_DATASET = "/datasets/{dataset}"
_TABLE = _DATASET + "/tables/{table}"
_ROUTINE = _DATASET + "/routines/{routine}"


class Rest:
    """The handlers of the catalog."""

    def __init__(self, engine: Engine, faults: Faults) -> None:
        self._engine = engine
        self._catalog = engine.catalog
        self._faults = faults

    def add_routes(self, app: web.Application) -> None:
        """Add the routes."""
        for verb, path, name, handler in (
            ("POST", "/datasets", "datasets.insert", self._insert_dataset),
            ("GET", "/datasets", "datasets.list", self._list_datasets),
            ("GET", _DATASET, "datasets.get", self._get_dataset),
            ("PATCH", _DATASET, "datasets.patch", self._patch_dataset),
            ("PUT", _DATASET, "datasets.update", self._patch_dataset),
            ("DELETE", _DATASET, "datasets.delete", self._delete_dataset),
            ("POST", _DATASET + "/tables", "tables.insert", self._insert_table),
            ("GET", _DATASET + "/tables", "tables.list", self._list_tables),
            ("GET", _TABLE, "tables.get", self._get_table),
            ("PATCH", _TABLE, "tables.patch", self._patch_table),
            ("PUT", _TABLE, "tables.update", self._update_table),
            ("DELETE", _TABLE, "tables.delete", self._delete_table),
            ("POST", _DATASET + "/routines", "routines.insert", self._insert_routine),
            ("GET", _DATASET + "/routines", "routines.list", self._list_routines),
            ("GET", _ROUTINE, "routines.get", self._get_routine),
            ("PUT", _ROUTINE, "routines.update", self._update_routine),
            ("DELETE", _ROUTINE, "routines.delete", self._delete_routine),
        ):
            add(app, self._faults, verb, path, name, handler if verb == "GET" else self._alone(handler))

    def _alone(self, handler: Handler) -> Handler:
        """A change of the catalog, one at a time."""

        async def call(request: web.Request) -> Any:
            async with self._engine.changing:
                return await handler(request)

        return call

    async def _insert_dataset(self, request: web.Request) -> dict[str, Any]:
        project = request.match_info["project"]
        resource = self._catalog.new_dataset(project, await body_of(request), clock.now_ms())
        key = f"{project}.{resource['datasetReference']['datasetId']}"
        await self._engine.save_dataset(key, resource)
        return resource

    async def _list_datasets(self, request: web.Request) -> dict[str, Any]:
        prefix = request.match_info["project"] + "."
        keys = sorted(key for key in self._catalog.datasets if key.startswith(prefix))
        part, token = page([self._catalog.datasets[key] for key in keys], request)
        return _listed("datasets", part, token)

    async def _get_dataset(self, request: web.Request) -> dict[str, Any]:
        return self._catalog.dataset(request.match_info["project"], request.match_info["dataset"])

    async def _patch_dataset(self, request: web.Request) -> dict[str, Any]:
        project, dataset = request.match_info["project"], request.match_info["dataset"]
        old = self._catalog.dataset(project, dataset)
        new = self._catalog.patched_dataset(old, await body_of(request), clock.now_ms())
        await self._engine.save_dataset(f"{project}.{dataset}", new)
        return new

    async def _delete_dataset(self, request: web.Request) -> None:
        contents = request.query.get("deleteContents", "false").lower() == "true"
        await self._engine.delete_dataset(
            request.match_info["project"], request.match_info["dataset"], contents
        )

    def _table(self, request: web.Request) -> Table:
        info = request.match_info
        return self._catalog.table(info["project"], info["dataset"], info["table"])

    async def _shown(self, table: Table) -> dict[str, Any]:
        return table_resource(table, await self._engine.table_size(table))

    async def _insert_table(self, request: web.Request) -> dict[str, Any]:
        info, body = request.match_info, await body_of(request)
        table = self._catalog.new_table(
            info["project"], info["dataset"], body, self._engine.new_uid(), clock.now_ms()
        )
        await self._engine.create_table(table)
        return table_resource(table, 0)

    async def _list_tables(self, request: web.Request) -> dict[str, Any]:
        project, dataset = request.match_info["project"], request.match_info["dataset"]
        self._catalog.dataset(project, dataset)
        tables = [table_resource(table) for table in self._catalog.tables_of(project, dataset)]
        part, token = page(tables, request)
        return {**_listed("tables", part, token), "totalItems": len(tables)}

    async def _get_table(self, request: web.Request) -> dict[str, Any]:
        return await self._shown(self._table(request))

    async def _patch_table(self, request: web.Request) -> dict[str, Any]:
        return await self._change_table(request, full=False)

    async def _update_table(self, request: web.Request) -> dict[str, Any]:
        return await self._change_table(request, full=True)

    async def _change_table(self, request: web.Request, full: bool) -> dict[str, Any]:
        body = await body_of(request)
        old = self._table(request)
        new = self._catalog.patched_table(old, body, clock.now_ms(), full)
        await self._engine.change_table(old, new)
        return await self._shown(new)

    async def _delete_table(self, request: web.Request) -> None:
        await self._engine.delete_table(self._table(request))

    async def _insert_routine(self, request: web.Request) -> dict[str, Any]:
        project, dataset = request.match_info["project"], request.match_info["dataset"]
        self._catalog.dataset(project, dataset)
        function = function_from_json(project, dataset, await body_of(request), clock.now_ms())
        if function.key in self._catalog.functions:
            raise duplicate("Routine", f"{project}:{dataset}.{function.name}")
        await self._engine.save_function(function)
        return function_resource(function)

    async def _update_routine(self, request: web.Request) -> dict[str, Any]:
        info = request.match_info
        self._catalog.function(info["project"], info["dataset"], info["routine"])
        body = await body_of(request)
        body.setdefault("routineReference", {})["routineId"] = info["routine"]
        function = function_from_json(info["project"], info["dataset"], body, clock.now_ms())
        await self._engine.save_function(function)
        return function_resource(function)

    async def _list_routines(self, request: web.Request) -> dict[str, Any]:
        project, dataset = request.match_info["project"], request.match_info["dataset"]
        self._catalog.dataset(project, dataset)
        functions = [function_resource(item) for item in self._catalog.functions_of(project, dataset)]
        part, token = page(functions, request)
        return _listed("routines", part, token)

    async def _get_routine(self, request: web.Request) -> dict[str, Any]:
        info = request.match_info
        return function_resource(self._catalog.function(info["project"], info["dataset"], info["routine"]))

    async def _delete_routine(self, request: web.Request) -> None:
        info = request.match_info
        function = self._catalog.function(info["project"], info["dataset"], info["routine"])
        await self._engine.delete_function(function)


def _listed(name: str, items: list[Any], token: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {name: items}
    if token is not None:
        body["nextPageToken"] = token
    return body
