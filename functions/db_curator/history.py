"""Curating the history, day by day: baseline rows keep what the state rests on, then the day is deleted.

Each part can be done again: baseline rows, shortened rows and definitions that are written twice say the
same, and what is deleted is what was stored well before the curation. So whoever is killed leaves nothing
that the next try, or the next night, does not finish.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from fulcrum.core import ids
from functions.db_curator import keeping
from functions.db_curator.task import Task
from shared import device_rows
from shared.clients import bigquery
from shared.config import settings
from shared.errors import Rejected
from shared.history import TABLE
from shared.history_query.expr import Parameters
from shared.log import log
from shared.retention import horizon, reading, rules
from shared.retention.going_sql import Going

_PHASES = ("shorten", "define", "keep", "delete")
_SECONDS = 300.0
# In the error of a transaction that would delete what is to stay.
_OTHERS = "the partition holds rows that stay"


async def step(task: Task, deadline: float) -> bool:
    """Do one part of one day, or several until the time is up; whether all is done."""
    scopes = await reading.history_scopes(task.project_id, task.store, task.now)
    if not scopes or not rules.latest(scopes):
        return True
    going = Going(task.store, task.project_id, scopes, task.now)
    if task.progress.get("rules") != (digest := reading.digest(scopes)):
        # What was kept under other rules does not cover what goes under these: from the beginning.
        found = await reading.days(going, 2**62)
        task.progress = {"rules": digest, "days": msgspec.to_builtins(found), "at": 0, "phase": _PHASES[0]}
        return False
    days = msgspec.convert(task.progress["days"], list[reading.Day])
    while task.progress["at"] < len(days):
        await _part(task, going, days[task.progress["at"]], deadline)
        if time.monotonic() >= deadline:
            return False
        await task.save()
    if task.store == "history":
        await _delete_snapshots(task, rules.latest(scopes))
    await horizon.write(task.project_id, task.store, horizon.Last(task.now, scopes))
    return True


async def _part(task: Task, going: Going, day: reading.Day, deadline: float) -> None:
    """The phase of a day that is due, or as much of it as there is time for; progress says how far it is."""
    phase, after = task.progress["phase"], task.progress.get("after", "")
    if phase == "delete":
        deleted = await _delete(going, day)
        task.add(rows=day.rows, bytes=day.bytes, shortened=day.shortened, days=1)
        log("INFO", "day curated", projectId=task.project_id, store=task.store, day=day.day, deleted=deleted)
        task.progress |= {"at": task.progress["at"] + 1, "phase": _PHASES[0], "after": ""}
        return
    reached = ""
    if task.store == "history" and (phase != "shorten" or day.shortened):
        work = {"shorten": keeping.shorten, "define": keeping.define, "keep": keeping.keep}[phase]
        done = await work(going, day.day, after, task.now, deadline)
        task.add(**{f"{phase}Rows": done.written})
        reached = done.after
    if reached:
        task.progress["after"] = reached
    else:
        task.progress |= {"phase": _PHASES[_PHASES.index(phase) + 1], "after": ""}


async def _delete(going: Going, day: reading.Day) -> int | None:
    """Delete what goes of a day; how many rows, None where the whole partition went: that tells no number."""
    table = f"`{settings().bigquery_dataset}.{TABLE}`"
    if going.is_whole(day.day) and await _delete_partition(going, day.day, table):
        return None
    parameters = Parameters()
    sql = f"DELETE FROM {table} WHERE {going.rows(parameters, day.day)}"  # noqa: S608 our own text
    return await bigquery.change(sql, parameters.all(), f"fulcrum_{ids.new_id()}", _SECONDS)


async def _delete_partition(going: Going, day: int, table: str) -> bool:
    """Delete a whole partition, which BigQuery does without reading it; whether nothing in it is to stay.

    Whether that is so is asked within the transaction: a row that comes meanwhile is not seen, and stays.
    """
    parameters = Parameters()
    stays = going.whole_partition(parameters, day)
    since, until = parameters.add(day, "TIMESTAMP"), parameters.add(day + rules.DAY_MS, "TIMESTAMP")
    others = f"SELECT 1 FROM {table} WHERE {stays}"  # noqa: S608 our own text
    delete = f"DELETE FROM {table} WHERE time >= {since} AND time < {until}"  # noqa: S608 our own text
    check = f"ASSERT NOT EXISTS({others}) AS '{_OTHERS}'"
    sql = f"BEGIN TRANSACTION;\n{check};\n{delete};\nCOMMIT TRANSACTION;"
    try:
        await bigquery.change(sql, parameters.all(), f"fulcrum_{ids.new_id()}", _SECONDS)
    except Rejected as error:
        # Somebody else's rows stand in it, or somebody changed it at the same time.
        if error.error_type != "bigquery.invalidQuery" or not _is_expected(error.message):
            raise
        return False
    return True


def _is_expected(message: str) -> bool:
    return _OTHERS in message or "aborted due to concurrent update" in message


async def _delete_snapshots(task: Task, cutoff: int) -> None:
    """Daily snapshots hold what the rules let go: those from before the latest cutoff go as a whole."""
    table = f"`{settings().bigquery_dataset}.{device_rows.SNAPSHOTS}`"
    sql = f"DELETE FROM {table} WHERE {reading.OLD_SNAPSHOTS}"  # noqa: S608 our own text
    given: Any = reading.old_snapshots_parameters(task.project_id, cutoff)
    task.add(snapshotRows=await bigquery.change(sql, given, f"fulcrum_{ids.new_id()}", _SECONDS))
