"""SQL of what goes from the runs of scripts: whole rows (``runs``), or what the scripts said (``logs``)."""

from __future__ import annotations

from shared.clients.bigquery import Parameter
from shared.retention.rules import UNTOUCHED_MS
from shared.script_runs import TABLE

_OLD = "project_id = @project AND started < @cutoff AND stored_time < @before"


def _condition(store: str) -> str:
    return f"{_OLD} AND logs IS NOT NULL" if store == "logs" else _OLD


def _parameters(project_id: str, cutoff: int, now: int) -> list[Parameter]:
    return [
        ("project", "STRING", project_id),
        ("cutoff", "TIMESTAMP", cutoff),
        ("before", "TIMESTAMP", now - UNTOUCHED_MS),
    ]


def change(dataset: str, store: str, project_id: str, cutoff: int, now: int) -> tuple[str, list[Parameter]]:
    """The statement that lets go what is older than ``cutoff``, in a curation at ``now`` (epoch ms)."""
    table = f"`{dataset}.{TABLE}`"
    if store == "logs":
        sql = f"UPDATE {table} SET logs = NULL WHERE {_condition(store)}"  # noqa: S608 our own text
    else:
        sql = f"DELETE FROM {table} WHERE {_condition(store)}"  # noqa: S608 our own text
    return sql, _parameters(project_id, cutoff, now)


def count(dataset: str, store: str, project_id: str, cutoff: int, now: int) -> tuple[str, list[Parameter]]:
    """How many rows that statement would change."""
    sql = f"SELECT COUNT(*) AS found FROM `{dataset}.{TABLE}` WHERE {_condition(store)}"  # noqa: S608 our own
    return sql, _parameters(project_id, cutoff, now)
