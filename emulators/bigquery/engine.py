"""The catalog and the store as one: changes of tables, and statements run over them."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import duckdb

from emulators.bigquery.errors import ServiceError, invalid_query, unsupported_sql
from emulators.bigquery.jobs import Jobs, Result, run_statement, run_transaction
from emulators.bigquery.resources import (
    function_from_entry,
    function_to_entry,
    table_from_entry,
    table_to_entry,
)
from emulators.bigquery.schema import Column
from emulators.bigquery.sql.ddl import FunctionDdl, function_ddl
from emulators.bigquery.sql.parameters import Parameters
from emulators.bigquery.sql.plan import Context, check_function
from emulators.bigquery.sql.script import transaction_of
from emulators.bigquery.state import Catalog, TableFunction, dataset_in_use
from emulators.bigquery.store import STREAMED, Store, delete_entry, save_entry, transaction
from emulators.bigquery.tables import Table
from shared import clock


class Engine:
    """Everything below the handlers."""

    def __init__(self, data: Path | None) -> None:
        self.catalog = Catalog()
        self.store = Store(data)
        self.jobs = Jobs()
        # Held by whoever changes the catalog: what was checked stays true until it is written.
        self.changing = asyncio.Lock()

    async def open(self) -> None:
        """Read what an earlier run kept."""
        for kind, key, value in await self.store.open():
            if kind == "dataset":
                self.catalog.datasets[key] = value
            elif kind == "table":
                self.catalog.tables[key] = table_from_entry(value)
            else:
                self.catalog.functions[key] = function_from_entry(value)
        tables = {table.uid: table for table in self.catalog.tables.values()}

        def columns_of(uid: str, names: list[str]) -> tuple[Column, ...] | None:
            if uid not in tables:
                return None
            by_name = {column.name: column for column in tables[uid].columns}
            return tuple(by_name[name] for name in names)

        await self.store.replay(columns_of)

    async def reset(self) -> None:
        """Forget all state."""
        async with self.changing:
            self.catalog.clear()
            self.jobs.clear()
            await self.store.reset()

    async def close(self) -> None:
        """Write what is pending and close the files."""
        await self.store.close()

    async def save_dataset(self, key: str, resource: dict[str, Any]) -> None:
        """Create or replace a dataset."""
        await self.store.run(lambda connection: save_entry(connection, "dataset", key, resource))
        self.catalog.datasets[key] = resource

    async def delete_dataset(self, project: str, dataset: str, contents: bool) -> None:
        """Delete a dataset, with its contents if so asked."""
        self.catalog.dataset(project, dataset)
        if not contents and (reason := dataset_in_use(self.catalog, project, dataset)):
            raise reason
        for table in list(self.catalog.tables_of(project, dataset)):
            await self.delete_table(table)
        for function in list(self.catalog.functions_of(project, dataset)):
            await self.delete_function(function)
        del self.catalog.datasets[f"{project}.{dataset}"]
        await self.store.run(lambda connection: delete_entry(connection, "dataset", f"{project}.{dataset}"))

    def new_uid(self) -> str:
        """A name for a stored table that was never used."""
        return f"t_{uuid.uuid4().hex}"

    async def create_table(self, table: Table) -> None:
        """Make an empty table."""

        def create(connection: duckdb.DuckDBPyConnection) -> None:
            columns = ", ".join(_declared(column) for column in table.columns)
            with transaction(connection):
                connection.execute(f'CREATE TABLE "{table.uid}" ({columns}, {STREAMED} TIMESTAMPTZ)')
                save_entry(connection, "table", table.key, table_to_entry(table))

        await self.store.run(create)
        self.catalog.tables[table.key] = table

    async def change_table(self, old: Table, new: Table) -> None:
        """Bring a table to its patched form."""
        added = [column for column in new.columns if old.column(column.name) is None]
        relaxed = [
            column.name
            for column in new.columns
            if column.mode == "NULLABLE" and (was := old.column(column.name)) and was.mode == "REQUIRED"
        ]

        def change(connection: duckdb.DuckDBPyConnection) -> None:
            with transaction(connection):
                for column in added:
                    connection.execute(f'ALTER TABLE "{old.uid}" ADD COLUMN {_declared(column)}')
                for name in relaxed:
                    connection.execute(f'ALTER TABLE "{old.uid}" ALTER COLUMN "{name}" DROP NOT NULL')
                save_entry(connection, "table", new.key, table_to_entry(new))

        await self.store.run(change)
        self.catalog.tables[new.key] = new

    async def delete_table(self, table: Table) -> None:
        """Drop a table; rows on their way to it are forgotten."""
        del self.catalog.tables[table.key]

        def drop(connection: duckdb.DuckDBPyConnection) -> None:
            with transaction(connection):
                connection.execute(f'DROP TABLE "{table.uid}"')
                delete_entry(connection, "table", table.key)

        await self.store.run(drop)

    async def save_function(self, function: TableFunction) -> None:
        """Check and store a table function."""
        now_us = clock.now_ns() // 1000

        def save(connection: duckdb.DuckDBPyConnection) -> None:
            context = self._context(connection, function.project, None, Parameters(None, None), now_us)
            check_function(function, context)
            save_entry(connection, "function", function.key, function_to_entry(function))

        await self.store.run(save)
        self.catalog.functions[function.key] = function

    async def delete_function(self, function: TableFunction) -> None:
        """Remove a table function."""
        del self.catalog.functions[function.key]
        await self.store.run(lambda connection: delete_entry(connection, "function", function.key))

    def _context(
        self,
        connection: duckdb.DuckDBPyConnection,
        project: str,
        dataset: str | None,
        parameters: Parameters,
        now_us: int,
    ) -> Context:
        def scalar(sql: str) -> Any:
            return connection.execute(sql).fetchall()[0][0]

        return Context(self.catalog, project, dataset, now_us, scalar, parameters)

    async def run_sql(self, project: str, configuration: dict[str, Any], sql: str, dry_run: bool) -> Result:
        """Run a statement of a query job's configuration."""
        default = configuration.get("defaultDataset") or {}
        parameters = Parameters(configuration.get("parameterMode"), configuration.get("queryParameters"))
        dataset = default.get("datasetId")
        ddl = function_ddl(sql, project, dataset)
        if ddl is not None:
            async with self.changing:
                return await self._run_ddl(ddl, dry_run)
        script = transaction_of(sql)
        if script is not None and dry_run:
            raise unsupported_sql("A dry run of a transaction")
        limit = configuration.get("maximumBytesBilled")
        most = None if limit is None else int(limit)
        now_us = clock.now_ns() // 1000

        def work(connection: duckdb.DuckDBPyConnection) -> Result:
            self._expire(connection, now_us)
            context = self._context(
                connection, default.get("projectId") or project, dataset, parameters, now_us
            )
            if script is not None:
                return run_transaction(connection, script, context, most)
            return run_statement(connection, sql, context, most, dry_run)

        return await self.store.run(work)

    async def _run_ddl(self, ddl: FunctionDdl, dry_run: bool) -> Result:
        project, dataset, name = ddl.key
        self.catalog.dataset(project, dataset)
        existing = self.catalog.functions.get(".".join(ddl.key))
        if dry_run:
            return Result(ddl.statement)
        if ddl.statement == "DROP_TABLE_FUNCTION":
            if existing is not None:
                await self.delete_function(existing)
            elif not ddl.lenient:
                raise ServiceError(404, "notFound", f"Not found: Routine {project}:{dataset}.{name}")
            return Result(ddl.statement)
        if existing is not None and not ddl.replace:
            if ddl.lenient:
                return Result(ddl.statement)
            raise ServiceError(409, "duplicate", f"Already Exists: Routine {project}:{dataset}.{name}")
        if ddl.body is None:
            raise invalid_query("A table function needs a body")
        function = TableFunction(project, dataset, name, ddl.arguments, ddl.body, clock.now_ms())
        await self.save_function(function)
        return Result(ddl.statement)

    def _expire(self, connection: duckdb.DuckDBPyConnection, now_us: int) -> None:
        """Drop the partitions whose time is over."""
        for table in list(self.catalog.tables.values()):
            part = table.partitioning
            if part is None or part.expiration_ms is None:
                continue
            unit = part.granularity.lower()
            end = f"date_trunc('{unit}', \"{part.column}\"::TIMESTAMPTZ) + INTERVAL 1 {unit}"
            last = now_us - part.expiration_ms * 1000
            connection.execute(f'DELETE FROM "{table.uid}" WHERE epoch_us({end}) <= {last}')  # noqa: S608 own names

    async def table_size(self, table: Table) -> int:
        """The number of rows."""
        query = f'SELECT count(*) FROM "{table.uid}"'  # noqa: S608 own names
        return await self.store.run(lambda connection: int(connection.execute(query).fetchall()[0][0]))


def _declared(column: Column) -> str:
    return f'"{column.name}" {column.duckdb_type}{" NOT NULL" if column.mode == "REQUIRED" else ""}'
