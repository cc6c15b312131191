"""The queries of a search in BigQuery: who matches, in order; the aggregations; the rows of some devices."""

from __future__ import annotations

import msgspec

from shared.search.aggregation_sql import grouped
from shared.search.aggregations import fields_in
from shared.search.body import Search
from shared.search.conditions import fields_of
from shared.search.expressions import Expressions, Parameter, Parameters
from shared.search.fleet_sql import NEWEST, Window, fleet, source, with_clauses


class Sql(msgspec.Struct, frozen=True):
    """A query with its parameters."""

    text: str
    parameters: tuple[Parameter, ...]


def matching(dataset: str, project_id: str, search: Search, window: Window) -> Sql:
    """The ids of the devices that match, in the search's order: column ``device_id``."""
    parameters = Parameters()
    expressions = Expressions(search.looked_at(), parameters)
    condition = expressions.condition(search.condition)
    clauses = fleet(dataset, project_id, window, expressions, condition)
    order = ", ".join(_order(search, expressions))
    text = f"{with_clauses(clauses)}\nSELECT device_id FROM found ORDER BY {order}"
    return Sql(text, parameters.all())


def aggregated(dataset: str, project_id: str, search: Search, window: Window) -> Sql:
    """The groups of the search's aggregations; :mod:`shared.search.buckets` makes the answer of them."""
    parameters = Parameters()
    looked_at = (*fields_of(search.condition), *fields_in(search.aggregations))
    expressions = Expressions(looked_at, parameters)
    condition = expressions.condition(search.condition)
    clauses = fleet(dataset, project_id, window, expressions, condition)
    return Sql(f"{with_clauses(clauses)}\n{grouped(search.aggregations, expressions)}", parameters.all())


def definitions_of(dataset: str, project_id: str, device_ids: list[str], window: Window) -> Sql:
    """The definitions of some devices at a window's end: columns ``device_id``, ``data``, and ``ms`` of the
    change that made it so."""
    parameters = Parameters()
    rows = source(dataset, project_id, window, "device", parameters)
    wanted = parameters.texts(device_ids)
    return Sql(
        f"SELECT device_id, data, ms FROM ({rows}) WHERE device_id IN UNNEST({wanted}) {NEWEST}",  # noqa: S608
        parameters.all(),
    )


def _order(search: Search, expressions: Expressions) -> list[str]:
    made = []
    for sort in search.sorts:
        text, number, flag = (expressions.column(kind, sort.field) for kind in "snb")
        rank = f"CASE WHEN {flag} IS NOT NULL THEN 1 WHEN {number} IS NOT NULL THEN 2 ELSE 3 END"
        missing = f"({text} IS NULL AND {number} IS NULL AND {flag} IS NULL)"
        way = "DESC" if sort.descending else "ASC"
        made.append(f"{missing} {'DESC' if sort.missing_first else 'ASC'}")
        made += [f"{key} {way}" for key in (rank, flag, number, text)]
    made.append(f"device_id {'DESC' if search.ends_descending() else 'ASC'}")
    return made
