"""The fleet as SQL: a snapshot's rows and those since, folded (:mod:`fulcrum.core.fold`), with definitions.

For each path of data that a search looks at, per device:

- ``m`` is the greatest stamp written at the path, ``s`` the greatest one that set a value, ``v`` that value;
- ``a`` is the greatest stamp written at a path above it: a greater one than ``m`` hides what is at the path;
- ``d`` and ``k`` are what was set and what was cleared below it: something set there that neither a newer
  write above nor a newer one on the way hides makes the path an object, whatever scalar it held.

A stamp is text that sorts as (time, event id) does. Where two events share both, the greater text of the
value decides, as in the fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from shared.device_rows import AHEAD_MS, SNAPSHOTS
from shared.history import TABLE
from shared.search.expressions import Expressions, Parameters
from shared.search.fields import ID, Field

# An event may arrive this much later than it happened and still be seen before the next snapshot.
LATE_MS = 7 * 86_400_000
# Longer than any path of a definition: no column can be as deep.
_STAMP_ZERO = 10**15
# Of all rows of kind ``device`` of one device, the one that counts.
NEWEST = (
    "QUALIFY ROW_NUMBER() OVER (PARTITION BY device_id "
    "ORDER BY LAX_INT64(JSON_QUERY(data, '$.version')) DESC, ms DESC, event_id DESC) = 1"
)


class Window(msgspec.Struct, frozen=True):
    """Which rows make the fleet: a snapshot's (None: there is none) and those of ``since`` to ``until``."""

    snapshot: int | None
    since: int
    until: int
    # Live answers are of all that has come, even from clocks that run ahead.
    exact: bool

    @classmethod
    def of(cls, snapshot: int | None, at: int | None, now: int) -> Window:
        """The window for the fleet at an instant (None: now) on a snapshot not later than it; epoch ms."""
        since = 0 if snapshot is None else max(0, snapshot - LATE_MS)
        return cls(snapshot, since, now + AHEAD_MS if at is None else at, at is not None)


def source(dataset: str, project_id: str, window: Window, kinds: str, parameters: Parameters) -> str:
    """The rows that make the fleet: device_id, kind (state | device), ms, event_id, data, cleared.

    ``kinds`` is which of them are read: ``both`` or ``device``.
    """
    project = parameters.add(project_id)
    since = parameters.add(window.since, "TIMESTAMP")
    until = parameters.add(window.until, "TIMESTAMP")
    wanted = "'data', 'baseline', 'device'" if kinds == "both" else "'device'"
    rows = (
        "SELECT device_id, IF(kind = 'device', 'device', 'state') AS kind, "  # noqa: S608 our own text
        # A baseline row stands in a partition that retention keeps; the write that it keeps is older.
        "IF(kind = 'baseline', SAFE_CAST(original_time AS INT64), UNIX_MILLIS(time)) AS ms, "
        f"event_id, data, cleared FROM `{dataset}.{TABLE}` WHERE project_id = {project} "
        f"AND time >= {since} AND time <= {until} AND kind IN ({wanted}) AND NOT historical"
    )
    if window.snapshot is None:
        return rows
    states = "'state', 'device'" if kinds == "both" else "'device'"
    return (
        "SELECT device_id, kind, UNIX_MILLIS(time) AS ms, event_id, data, cleared "  # noqa: S608 our own text
        f"FROM `{dataset}.{SNAPSHOTS}` WHERE project_id = {project} "
        f"AND snapshot_time = {parameters.add(window.snapshot, 'TIMESTAMP')} AND kind IN ({states}) "
        f"UNION ALL {rows}"
    )


def fleet(
    dataset: str, project_id: str, window: Window, expressions: Expressions, condition: str
) -> list[tuple[str, str]]:
    """The WITH clauses up to ``found``: the devices that meet a condition, with columns of all fields."""
    parameters = expressions.parameters
    data = [field for field in expressions.fields if field.is_data]
    kinds = "both" if data else "device"
    clauses = [
        ("source", source(dataset, project_id, window, kinds, parameters)),
        (
            "definitions",
            f"SELECT device_id, data AS definition FROM source WHERE kind = 'device' {NEWEST}",  # noqa: S608
        ),
    ]
    joined = ""
    if data:
        clauses += _states(data, expressions)
        joined = " LEFT JOIN settled AS w ON w.device_id = d.device_id"
    columns = ", ".join(column for field in expressions.fields for column in _raw(field, expressions))
    separator = ", " if columns else ""
    clauses += [
        (
            "raw",
            f"SELECT d.device_id AS device_id{separator}{columns} "  # noqa: S608 our own text
            f"FROM definitions AS d{joined} "
            "WHERE NOT COALESCE(LAX_BOOL(JSON_QUERY(d.definition, '$.deleted')), FALSE)",
        ),
        ("fleet", f"SELECT {', '.join(('device_id', *_columns(expressions)))} FROM raw"),  # noqa: S608 our own
        ("found", f"SELECT * FROM fleet WHERE {condition}"),  # noqa: S608 our own text
    ]
    return clauses


def with_clauses(clauses: Iterable[tuple[str, str]]) -> str:
    """``WITH a AS (...), b AS (...)``."""
    return "WITH " + ",\n".join(f"{name} AS ({body})" for name, body in clauses)


def json_path(path: Iterable[str]) -> str:
    """A path as JSONPath; its segments hold no quotation marks (:mod:`shared.search.fields`)."""
    return "$" + "".join(f'."{segment}"' for segment in path)


def _raw(field: Field, expressions: Expressions) -> Iterator[str]:
    if field == ID:
        return
    number = expressions.number_of(field)
    if field.is_data:
        yield f"w.v{number} AS j{number}"
        yield f"COALESCE(w.o{number}, FALSE) AS o{number}"
    else:
        path = expressions.parameters.add(json_path(field.path))
        yield f"JSON_QUERY(d.definition, {path}) AS j{number}"


def _columns(expressions: Expressions) -> Iterator[str]:
    for number, field in enumerate(expressions.fields):
        json = f"j{number}"
        if field == ID:
            yield f"device_id AS s{number}, CAST(NULL AS FLOAT64) AS n{number}, TRUE AS x{number}"
            yield f"CAST(NULL AS BOOL) AS b{number}, CAST(NULL AS STRING) AS r{number}"
        elif field.kind == "list":
            texts = f"UNNEST(JSON_VALUE_ARRAY({json})) AS t"
            yield f"ARRAY(SELECT DISTINCT t FROM {texts} WHERE t IS NOT NULL) AS l{number}"  # noqa: S608
            yield f"COALESCE(ARRAY_LENGTH(JSON_QUERY_ARRAY({json})) > 0, FALSE) AS x{number}"
        else:
            yield f"IF(JSON_TYPE({json}) = 'string', LAX_STRING({json}), NULL) AS s{number}"
            yield f"IF(JSON_TYPE({json}) = 'number', LAX_FLOAT64({json}), NULL) AS n{number}"
            yield f"IF(JSON_TYPE({json}) = 'boolean', LAX_BOOL({json}), NULL) AS b{number}"
            yield f"IF(JSON_TYPE({json}) = 'number', LAX_STRING({json}), NULL) AS r{number}"
            there = f"COALESCE(JSON_TYPE({json}) != 'null', FALSE)"
            yield f"({there}{f' OR o{number}' if field.is_data else ''}) AS x{number}"


class _Paths:
    """The paths that the fold of some fields looks at: their own and those above, numbered."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self.numbers: dict[tuple[str, ...], int] = {}
        for field in fields:
            for length in range(1, len(field.path) + 1):
                self.numbers.setdefault(field.path[:length], len(self.numbers))

    def above(self, path: tuple[str, ...]) -> list[int]:
        """The numbers of the paths above a path."""
        return [self.numbers[path[:length]] for length in range(1, len(path))]


def _states(fields: list[Field], expressions: Expressions) -> list[tuple[str, str]]:
    """The clauses that fold: ``settled`` has the value ``v`` and whether there is an object, ``o``."""
    paths = _Paths(fields)
    parameters = expressions.parameters
    found = ", ".join(
        f"JSON_QUERY(data, {parameters.add(json_path(path))}) AS q{number}"
        for path, number in paths.numbers.items()
    )
    stamp = f"CONCAT(CAST({_STAMP_ZERO} + ms AS STRING), event_id)"
    return [
        (
            "written",
            f"SELECT device_id, {stamp} AS stamp, cleared, {found} "  # noqa: S608 our own text
            "FROM source WHERE kind = 'state'",
        ),
        ("touched", f"SELECT {', '.join(_touched(fields, paths, parameters))} FROM written"),  # noqa: S608
        (
            "folded",
            f"SELECT device_id, {', '.join(_folded(fields, paths, expressions))} "  # noqa: S608 our own text
            "FROM touched GROUP BY device_id",
        ),
        ("settled", f"SELECT device_id, {', '.join(_settled(fields, expressions))} FROM folded"),  # noqa: S608
    ]


def _touched(fields: list[Field], paths: _Paths, parameters: Parameters) -> Iterator[str]:
    """Of each row: what it sets (``w``) or clears (``c``) at a path, and what below it (``e``, ``f``)."""
    yield "device_id, stamp"
    wanted = {field.path for field in fields}
    for path, number in paths.numbers.items():
        json = f"q{number}"
        keys = f"JSON_KEYS({json})"
        text = parameters.add("/".join(path))
        yield f"COALESCE(JSON_TYPE({json}) != 'object' OR ARRAY_LENGTH({keys}) = 0, FALSE) AS w{number}"
        yield f"{text} IN UNNEST(cleared) AS c{number}"
        if path not in wanted:
            continue
        yield f"{json}, {_canonical(json)} AS t{number}"
        inner = f"SELECT 1 FROM UNNEST({keys}) AS o WHERE STARTS_WITH(o, CONCAT(k, '.'))"  # noqa: S608
        yield (
            f"IF(JSON_TYPE({json}) = 'object', ARRAY(SELECT CONCAT(k, ' ', stamp) "  # noqa: S608 our own text
            f"FROM UNNEST({keys}) AS k WHERE NOT EXISTS({inner})), []) AS e{number}"
        )
        below = parameters.add("/".join(path) + "/")
        rest = f"REPLACE(SUBSTR(k, LENGTH({below}) + 1), '/', '.')"
        yield (
            f"ARRAY(SELECT CONCAT({rest}, ' ', stamp) FROM UNNEST(cleared) AS k "  # noqa: S608 our own text
            f"WHERE STARTS_WITH(k, {below})) AS f{number}"
        )


def _folded(fields: list[Field], paths: _Paths, expressions: Expressions) -> Iterator[str]:
    for field in fields:
        number, at = expressions.number_of(field), paths.numbers[field.path]
        above = " OR ".join(f"w{upper} OR c{upper}" for upper in paths.above(field.path)) or "FALSE"
        yield f"MAX(IF(w{at} OR c{at}, stamp, NULL)) AS m{number}"
        yield f"MAX(IF(w{at}, stamp, NULL)) AS s{number}"
        newest = f"IGNORE NULLS ORDER BY stamp DESC, t{at} DESC LIMIT 1"
        yield f"ARRAY_AGG(IF(w{at}, q{at}, NULL) {newest})[SAFE_OFFSET(0)] AS v{number}"
        yield f"MAX(IF({above}, stamp, NULL)) AS a{number}"
        yield f"ARRAY_CONCAT_AGG(e{at}) AS d{number}, ARRAY_CONCAT_AGG(f{at}) AS k{number}"


def _settled(fields: list[Field], expressions: Expressions) -> Iterator[str]:
    for field in fields:
        n = expressions.number_of(field)
        own, above = f"COALESCE(m{n}, '')", f"COALESCE(a{n}, '')"
        hides = (
            f"SELECT 1 FROM UNNEST(k{n}) AS y WHERE {_stamp('y')} > {_stamp('x')} "  # noqa: S608 our own text
            f"AND STARTS_WITH(CONCAT({_path('x')}, '.'), CONCAT({_path('y')}, '.'))"
        )
        below = (
            f"EXISTS(SELECT 1 FROM UNNEST(d{n}) AS x "  # noqa: S608 our own text
            f"WHERE {_stamp('x')} >= GREATEST({own}, {above}) AND NOT EXISTS({hides}))"
        )
        yield f"{below} AS o{n}"
        yield f"IF(s{n} = m{n} AND m{n} >= {above} AND NOT {below}, v{n}, NULL) AS v{n}"


def _stamp(entry: str) -> str:
    return f"SUBSTR({entry}, STRPOS({entry}, ' ') + 1)"


def _path(entry: str) -> str:
    return f"SUBSTR({entry}, 1, STRPOS({entry}, ' ') - 1)"


def _canonical(json: str) -> str:
    """Text by which values of one stamp compare as their canonical JSON does."""
    items = f"ARRAY(SELECT {_scalar('i')} FROM UNNEST(JSON_QUERY_ARRAY({json})) AS i)"  # noqa: S608 our own
    listed = f"CONCAT('[', ARRAY_TO_STRING({items}, ','), ']')"
    return f"IF(JSON_TYPE({json}) = 'array', {listed}, {_scalar(json)})"


def _scalar(json: str) -> str:
    return (
        f"CASE JSON_TYPE({json}) WHEN 'string' THEN CONCAT('\"', LAX_STRING({json}), '\"') "
        f"WHEN 'array' THEN '[' WHEN 'object' THEN '{{' WHEN 'null' THEN 'null' ELSE LAX_STRING({json}) END"
    )
