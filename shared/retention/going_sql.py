"""SQL of what goes from the history: which rows, whole or in part, on which days, and how many.

A row's leaves are what :func:`fulcrum.core.paths.flatten` makes of its data, and the paths that it cleared;
each goes or stays by the rule of its path. A row goes when all of them go; it is shortened when some do.
``shared.retention.split`` says the same of a row that was read; tests hold that both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared import history
from shared.history_query.expr import Parameter, Parameters
from shared.retention.rules import DAY_MS, UNTOUCHED_MS, Scope

# What of a row is data by paths, and is shortened where some of it stays.
_BY_PATHS = "(kind IN ('data', 'baseline') OR (kind = 'input' AND record_id IS NULL))"
_DEFINITION = "kind = 'device'"
_EVENTS = "(kind IN ('event', 'ack') OR (kind = 'input' AND record_id IS NOT NULL))"
# All keys of a row's data, where they are paths: those of a definition are people's own words.
_PATHS = f"JSON_KEYS(IF({_BY_PATHS}, data, NULL))"
# As one text: a key is a leaf where none goes on behind it.
_KEYS = f"CONCAT(',', ARRAY_TO_STRING({_PATHS}, ','))"
# Bytes of a row as BigQuery counts them.
_TEXTS = [column["name"] for column in history.schema() if column["type"] == "STRING"]
_FIXED = sum(
    {"TIMESTAMP": 8, "BOOL": 1}.get(column["type"], 0) for column in history.schema()
)  # all of these are REQUIRED


def size() -> str:
    """SQL of a row's bytes, by BigQuery's rules for the size of its data."""
    parts = [str(_FIXED), "IF(data IS NULL, 0, 2 + BYTE_LENGTH(TO_JSON_STRING(data)))"]
    for column in history.schema():
        name = column["name"]
        if column["type"] != "STRING":
            continue
        if column["mode"] == "REPEATED":
            parts.append(f"COALESCE(2 * ARRAY_LENGTH({name}) + BYTE_LENGTH(ARRAY_TO_STRING({name}, '')), 0)")
        else:
            parts.append(f"COALESCE(2 + BYTE_LENGTH({name}), 0)")
    return " + ".join(parts)


class Going:
    """The conditions on rows of one project and store, as of a curation at ``now`` (epoch ms)."""

    def __init__(self, store: str, project_id: str, scopes: Sequence[Scope], now: int) -> None:
        self.store = store
        self.project_id = project_id
        self.scopes = scopes
        self.before = now - UNTOUCHED_MS

    def scope(self, blueprint_id: str | None) -> Scope:
        """The rules for rows of a blueprint."""
        default = self.scopes[0]
        for scope in self.scopes:
            if scope.blueprint_id == blueprint_id:
                return scope
            if scope.blueprint_id is None:
                default = scope
        return default

    def is_whole(self, day: int) -> bool:
        """Whether everything of a day goes, so that nothing of it is shortened."""
        return all(scope.goes_whole(day) for scope in self.scopes)

    def rows(self, parameters: Parameters, day: int, *, stays: bool = False) -> str:
        """The condition on rows of a day (its first instant) of which something goes; it filters partitions.

        ``stays``: something stays of them as well.
        """
        within = _within(parameters, day)
        return f"{self._mine(parameters)} AND {within} AND {self._goes(parameters, day, stays)}"

    def whole_partition(self, parameters: Parameters, day: int) -> str:
        """The condition on rows of a day that must stay: whoever's, of another kind, or too young."""
        kinds = _EVENTS if self.store == "events" else f"({_BY_PATHS} OR {_DEFINITION})"
        return f"{_within(parameters, day)} AND NOT ({self._mine(parameters)} AND {kinds})"

    def counted(
        self, dataset: str, ranges: Sequence[tuple[int, int]] | None = None
    ) -> tuple[str, tuple[Parameter, ...]]:
        """Per day: its first instant (epoch ms), rows that go, their bytes, rows that are shortened, theirs.

        A shortened row's bytes are those that it has now. ``ranges``: only days of these are looked at.
        """
        parameters = Parameters()
        latest = max((rule.cutoff for scope in self.scopes for rule in scope.rules), default=0)
        until = f"time < {parameters.add(latest, 'TIMESTAMP')}"
        if ranges is not None:
            add = parameters.add
            days = (f"(time >= {add(a, 'TIMESTAMP')} AND time < {add(b, 'TIMESTAMP')})" for a, b in ranges)
            until = f"{until} AND ({' OR '.join(days)})"
        short = self._goes(parameters, None, stays=True)
        rows = (
            f"SELECT time, {size()} AS size, {short} AS shortened "  # noqa: S608 our own text
            f"FROM `{dataset}.{history.TABLE}` "
            f"WHERE {self._mine(parameters)} AND {until} AND {self._goes(parameters, None)}"
        )
        sql = (
            "SELECT UNIX_MILLIS(TIMESTAMP_TRUNC(time, DAY)) AS day, COUNTIF(NOT shortened) AS found, "  # noqa: S608 our own text
            "SUM(IF(shortened, 0, size)) AS bytes, COUNTIF(shortened) AS shortened_rows, "
            f"SUM(IF(shortened, size, 0)) AS shortened_bytes FROM ({rows}) GROUP BY day ORDER BY day"
        )
        return sql, parameters.all()

    def _mine(self, parameters: Parameters) -> str:
        add = parameters.add
        before = f"stored_time < {add(self.before, 'TIMESTAMP')}"
        return f"project_id = {add(self.project_id, 'STRING')} AND {before}"

    def _goes(self, parameters: Parameters, day: int | None, stays: bool = False) -> str:
        """Whether something of a row goes, or with ``stays`` something goes and something stays.

        ``day``: all rows are of this one. Without a NULL, so that it may be negated.
        """
        base = (
            f"time < {self.by_blueprint(parameters, lambda scope: _instant(scope.base.cutoff, parameters))}"
        )
        if self.store == "events":
            return "FALSE" if stays else f"({_EVENTS} AND {base})"
        whole = day is not None and self.is_whole(day)
        uniform = all(len(scope.rules) == 1 for scope in self.scopes)
        if stays:
            if whole or uniform:
                return "FALSE"
            some = _some_leaf(self, parameters, "<")
            return f"({_BY_PATHS} AND {some} AND {_some_leaf(self, parameters, '>=')})"
        if whole:
            return f"({_BY_PATHS} OR {_DEFINITION})"
        if uniform:
            return f"(({_BY_PATHS} OR {_DEFINITION}) AND {base})"
        some = _some_leaf(self, parameters, "<")
        return f"(({_BY_PATHS} AND {some}) OR ({_DEFINITION} AND {base}))"

    def by_blueprint(self, parameters: Parameters, of: Callable[[Scope], str]) -> str:
        """What ``of`` says of the scope that a row is in."""
        whens = [
            f"WHEN blueprint_id = {parameters.add(scope.blueprint_id, 'STRING')} THEN {of(scope)}"
            for scope in self.scopes
            if scope.blueprint_id is not None
        ]
        last = of(self.scope(None))
        return f"CASE {' '.join(whens)} ELSE {last} END" if whens else last


def _within(parameters: Parameters, day: int) -> str:
    add = parameters.add
    return f"time >= {add(day, 'TIMESTAMP')} AND time < {add(day + DAY_MS, 'TIMESTAMP')}"


def _instant(cutoff: int, parameters: Parameters) -> str:
    return parameters.add(cutoff, "TIMESTAMP")


def _some_leaf(going: Going, parameters: Parameters, operator: str) -> str:
    """Whether a row has a leaf or cleared path that goes (``<``: it is older than its rule), or stays."""

    def cutoff(separator: str) -> str:
        return going.by_blueprint(parameters, lambda scope: _decided(scope, parameters, separator))

    return (
        f"(EXISTS(SELECT 1 FROM UNNEST({_PATHS}) AS k WHERE time {operator} {cutoff('.')} "  # noqa: S608 our own text
        f"AND STRPOS({_KEYS}, CONCAT(',', k, '.')) = 0) "
        f"OR EXISTS(SELECT 1 FROM UNNEST(cleared) AS k WHERE time {operator} {cutoff('/')}))"
    )


def _decided(scope: Scope, parameters: Parameters, separator: str) -> str:
    """The instant from which on the path ``k`` is kept."""
    whens = []
    for rule in scope.rules[:-1]:
        text = rule.path.replace("/", separator)
        at, below = parameters.add(text, "STRING"), parameters.add(text + separator, "STRING")
        whens.append(f"WHEN k = {at} OR STARTS_WITH(k, {below}) THEN {_instant(rule.cutoff, parameters)}")
    last = _instant(scope.base.cutoff, parameters)
    return f"CASE {' '.join(whens)} ELSE {last} END" if whens else last


def kept_rows(going: Going, dataset: str, day: int, after: str) -> tuple[str, tuple[Parameter, ...]]:
    """The rows of a day that the state may rest on and of which something goes, by device.

    Of rows that write the same paths only the latest: the others are hidden by it. Columns: device_id,
    system_id, blueprint_id, kind, ms (of the write), event_id, data, cleared, historical. ``after``: only of
    devices behind this one.
    """
    parameters = Parameters()
    condition = going.rows(parameters, day)
    behind = parameters.add(after, "STRING")
    shape = f"COALESCE({_KEYS}, '')"
    columns = (
        "device_id, COALESCE(system_id, '') AS system_id, COALESCE(blueprint_id, '') AS blueprint_id, kind, "
        "IF(kind = 'baseline', SAFE_CAST(original_time AS INT64), UNIX_MILLIS(time)) AS ms, event_id, "
        "data, COALESCE(ARRAY_TO_STRING(cleared, ','), '') AS cleared, UNIX_MICROS(time) AS us"
    )
    rows = (
        f"SELECT {columns}, {shape} AS shape FROM `{dataset}.{history.TABLE}` "  # noqa: S608 our own text
        f"WHERE {condition} AND device_id > {behind} AND kind IN ('data', 'baseline') AND NOT historical"
    )
    # Equal stamps are all kept: the fold decides between them by their values.
    sql = (
        "SELECT device_id, system_id, blueprint_id, ms, us, event_id, data, cleared "  # noqa: S608 our own text
        f"FROM ({rows}) QUALIFY RANK() OVER (PARTITION BY device_id, system_id, blueprint_id, shape, cleared "
        "ORDER BY ms DESC, event_id DESC) = 1 ORDER BY device_id"
    )
    return sql, parameters.all()
