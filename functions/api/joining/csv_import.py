"""Importing a table of devices: all rows are checked first, then written, many devices in one commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from functions.api.devices import aliases, changing, definition_rows, external_ids, holding, placement
from functions.api.devices.definition_rows import Definition
from functions.api.devices.external_ids import EXTERNAL_ID
from functions.api.joining import csv_columns, csv_known
from functions.api.joining.csv_columns import RowProblem, Said
from functions.api.joining.csv_plan import Planner, Step, in_order
from functions.api.joining.csv_table import Table
from functions.api.needs import Call
from shared import names
from shared.errors import ApiError
from shared.model.device import DEVICE
from shared.model.device_import import ImportReport, RowError
from shared.store.change import Change, retrying

MAX_ERRORS = 100
# A commit takes 500 writes; a device with its aliases, its lock, its audit entry and what it holds are some.
_WRITES = 300
_PLANNED_AT_ONCE = 200
_UPDATES_AT_ONCE = 8


class Progress(msgspec.Struct, rename="camel"):
    """How far an import is: rows ``checked``, then ``written``."""

    checked: int = 0
    written: int = 0
    rows: int = 0


class Refused(ApiError):
    """422: rows are wrong, and nothing was written. The body has the report as well."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__(
            422,
            "import.rows",
            f"{report.failed} of {report.rows} rows are wrong; nothing was written",
            "correct the rows that 'report' names, or send it with partial=true to write the others",
        )
        self.report = report

    def body(self) -> dict[str, Any]:
        """The error's body with the report."""
        return super().body() | {"report": self.report.wire()}


async def run(
    call: Call, table: Table, *, dry_run: bool, partial: bool
) -> AsyncIterator[Progress | ImportReport]:
    """Import a table: progress as it goes, and the report at the end.

    Without ``partial`` nothing is written if any row is wrong: :class:`Refused`. Rows that fail as they are
    written, by what others did meanwhile, are in the report. ApiErrors for the table as a whole.
    """
    csv_columns.check(table.columns)
    await call.scope.must_exist()
    report = ImportReport(dry_run=dry_run, rows=len(table.rows))
    progress = Progress(rows=len(table.rows))
    rows = _said(table, report)
    planner = Planner(call, await csv_known.read(call.scope, rows), rows)
    steps: list[Step] = []
    failed: set[str] = set()
    for index, (row, problem) in enumerate(in_order(rows), 1):
        try:
            if problem:
                raise RowProblem("csv.circle", problem, "parent")
            if row.of("parent") in failed:
                raise RowProblem("csv.parent", "the row of its parent is wrong", "parent")
            steps.append(await planner.plan(row))
        except RowProblem as error:
            failed.add(row.of(EXTERNAL_ID))
            failed.discard("")
            _note(report, row.number, error)
        if index % _PLANNED_AT_ONCE == 0:
            yield msgspec.structs.replace(progress, checked=index)
            # Planning waits for nothing: others have their turn.
            await asyncio.sleep(0)
    progress.checked = len(table.rows)
    yield msgspec.structs.replace(progress)
    if dry_run or (report.failed and not partial):
        _count(report, steps)
        if not dry_run:
            raise Refused(report)
        yield report
        return
    async for count in _write(call, steps, report):
        progress.written += count
        yield msgspec.structs.replace(progress)
    yield report


def _said(table: Table, report: ImportReport) -> list[Said]:
    rows = []
    for row in table.rows:
        try:
            rows.append(csv_columns.said(row))
        except RowProblem as error:
            _note(report, row.number, error)
    return rows


async def _write(call: Call, steps: Sequence[Step], report: ImportReport) -> AsyncIterator[int]:
    """Do what was planned; how many rows each time. What fails now is reported, the rest goes on."""
    report.unchanged += sum(step.kind == "keep" for step in steps)
    yield report.unchanged
    for chunk in _chunks([step for step in steps if step.kind == "create"]):
        await _create(call, chunk, report)
        yield len(chunk)
    updates = [step for step in steps if step.kind == "update"]
    moves = [step for step in updates if "parentDeviceId" in step.fields]
    others = [step for step in updates if "parentDeviceId" not in step.fields]
    # Placements wait for each other anyhow, and were checked in this order.
    chunks = [[step] for step in moves]
    chunks += [others[start : start + _UPDATES_AT_ONCE] for start in range(0, len(others), _UPDATES_AT_ONCE)]
    for some in chunks:
        await asyncio.gather(*(_update(call, step, report) for step in some))
        yield len(some)


def _chunks(steps: Sequence[Step]) -> list[list[Step]]:
    """Steps that are committed together; a parent is committed before its children."""
    chunks: list[list[Step]] = []
    chunk: list[Step] = []
    inside: set[str] = set()
    cost = 0
    for step in steps:
        own = 4 + len(aliases.triples(step.fields)) + 4 * bool(step.fields.get("parentDeviceId"))
        if chunk and (cost + own > _WRITES or step.after in inside):
            chunks.append(chunk)
            chunk, inside, cost = [], set(), 0
        chunk.append(step)
        inside.add(step.device_id)
        cost += own
    return [*chunks, chunk] if chunk else chunks


async def _create(call: Call, steps: Sequence[Step], report: ImportReport) -> None:
    """Create devices in one commit; if that is refused, each for itself."""
    async with definition_rows.settled():
        try:
            await _committed(call, steps)
            report.created += len(steps)
            return
        except ApiError as error:
            if len(steps) == 1:
                _note(report, steps[0].row, RowProblem(error.error, error.message))
                return
        for step in steps:
            try:
                await _committed(call, [step])
                report.created += 1
            except ApiError as error:
                _note(report, step.row, RowProblem(error.error, error.message))


async def _committed(call: Call, steps: Sequence[Step]) -> None:
    async def attempt() -> None:
        change = call.change()
        made = [await _add(change, step) for step in steps]
        _hold(change, steps)
        await definition_rows.commit(change, *made)

    await retrying(attempt)


async def _add(change: Change, step: Step) -> Definition:
    parent_id = step.fields.get("parentDeviceId")
    if parent_id:
        await placement.check(change, step.device_id, step.fields["systemId"], parent_id, new=True)
    aliases.move(change, step.device_id, set(), aliases.triples(step.fields))
    external_ids.move(change, step.device_id, {}, step.fields)
    change.create(DEVICE, step.fields, step.device_id)
    stamped = step.fields | {"created": change.now, "lastModified": change.now, "version": 1}
    return Definition(step.device_id, stamped)


def _hold(change: Change, steps: Sequence[Step]) -> None:
    """What devices refer to must still be there at the commit; each document is named once."""
    project = change.scope.project_id
    wanted: dict[str, None] = {}
    for step in steps:
        fields = step.fields
        wanted[names.document("projects", project, "systems", fields["systemId"])] = None
        wanted[names.blueprint(project, fields["blueprintId"])] = None
        networks = {
            fields.get("networkId"),
            fields.get("simNetworkId"),
            *(fields.get("networkAliases") or {}),
        }
        wanted |= {names.network(network_id): None for network_id in sorted(filter(None, networks))}
        if fields.get("messageRouteId"):
            wanted[names.message_route(project, fields["messageRouteId"])] = None
    holding.exists(change, *wanted)


async def _update(call: Call, step: Step, report: ImportReport) -> None:
    try:
        await changing.update(call, step.device_id, step.fields, step.stored.etag if step.stored else None)
    except ApiError as error:
        _note(report, step.row, RowProblem(error.error, error.message))
    else:
        report.updated += 1


def _count(report: ImportReport, steps: Sequence[Step]) -> None:
    report.created = sum(step.kind == "create" for step in steps)
    report.updated = sum(step.kind == "update" for step in steps)
    report.unchanged = sum(step.kind == "keep" for step in steps)


def _note(report: ImportReport, row: int, problem: RowProblem) -> None:
    report.failed += 1
    found = RowError(
        row=row, column=problem.column or None, error=problem.error, message=problem.message[:500]
    )
    report.errors = sorted([*report.errors, found], key=lambda error: error.row)[:MAX_ERRORS]
