"""Curating the runs of scripts: rows of the table ``script_runs`` go, or only the logs in them."""

from __future__ import annotations

from fulcrum.core import ids
from functions.db_curator.task import Task
from shared.clients import bigquery
from shared.config import settings
from shared.retention import reading, runs_sql
from shared.retention.rules import Store, cutoff

_SECONDS = 300.0


async def step(task: Task, deadline: float) -> bool:
    """All of it is one statement, which can be repeated."""
    own = (await reading.project_rules(task.project_id)).get(task.store, Store())
    if own.enabled and (until := cutoff(own.days, task.now)):
        sql, parameters = runs_sql.change(
            settings().bigquery_dataset, task.store, task.project_id, until, task.now
        )
        task.add(rows=await bigquery.change(sql, parameters, f"fulcrum_{ids.new_id()}", _SECONDS))
    return True
