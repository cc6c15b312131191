"""The innermost subquery: whose rows, and of which time. Repeats are dropped in it, and partitions pruned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared import history_sql
from shared.errors import ApiError
from shared.history_query.columns import Model
from shared.history_query.expr import Parameters

# What a query can name one by one: its parameters have 10 MB at most.
MAX_IDS = 50_000
_ACK_COLUMNS = frozenset({"ack_time", "ack_user_id", "ack_data"})


@dataclass(frozen=True)
class Scope:
    """Whose rows are read: of one project, and within it of what is named.

    ``readable_devices`` and ``readable_systems`` are what the caller may read; None for both: everything.
    """

    project_id: str
    device_ids: Sequence[str] | None = None
    system_id: str | None = None
    blueprint_id: str | None = None
    readable_devices: Sequence[str] | None = None
    readable_systems: Sequence[str] | None = None


def condition(scope: Scope, parameters: Parameters) -> str:
    """The condition on rows that a scope is."""
    add = parameters.add
    parts = [f"project_id = {add(scope.project_id, 'STRING')}"]
    if scope.device_ids is not None:
        parts.append(f"device_id IN UNNEST({_ids(scope.device_ids, parameters)})")
    if scope.system_id is not None:
        parts.append(f"system_id = {add(scope.system_id, 'STRING')}")
    if scope.blueprint_id is not None:
        parts.append(f"blueprint_id = {add(scope.blueprint_id, 'STRING')}")
    if scope.readable_devices is not None or scope.readable_systems is not None:
        devices = _ids(scope.readable_devices or (), parameters)
        systems = _ids(scope.readable_systems or (), parameters)
        parts.append(f"(device_id IN UNNEST({devices}) OR system_id IN UNNEST({systems}))")
    return " AND ".join(parts)


def _ids(ids: Sequence[str], parameters: Parameters) -> str:
    if len(ids) > MAX_IDS:
        raise ApiError(
            400,
            "history.tooManyDevices",
            f"the rows of {len(ids)} devices are asked for: at most {MAX_IDS}",
            "Ask for one system or device at a time.",
        )
    return parameters.strings(sorted(ids))


def rows(
    dataset: str,
    model: Model,
    scope: Scope,
    start: int,
    end: int,
    used: frozenset[str],
    parameters: Parameters,
) -> str:
    """The subquery of the rows, or of the event records with their acknowledgements.

    ``used`` are the columns that are asked for.
    """
    within = condition(scope, parameters)
    since = f"time >= {parameters.add(start, 'TIMESTAMP')}"
    until = f"time < {parameters.add(end, 'TIMESTAMP')}"
    kind = "data" if model == "history" else "event"
    columns = sorted(
        (used - _ACK_COLUMNS) | {"time"} | ({"device_id", "record_id"} if kind == "event" else set())
    )
    found = history_sql.distinct_rows(
        dataset, f"{within} AND {since} AND {until} AND kind = '{kind}'", ", ".join(columns)
    )
    if not used & _ACK_COLUMNS:
        return found
    # An acknowledgement never comes before its event, but it may come after the end.
    return history_sql.acknowledged(dataset, found, f"{within} AND {since}")
