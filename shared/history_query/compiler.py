"""From a query to SQL: the list of outputs, the conditions, the groups and the order around the source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.history_query.casts import cast, iso
from shared.history_query.columns import Model, Source, last_key
from shared.history_query.conditions import Conditions
from shared.history_query.expr import Expr, Parameter, Parameters, bounded
from shared.history_query.expressions import Names, Reader, directed, has_window, sort_keys
from shared.history_query.keys import Keys
from shared.history_query.refusal import listed, refusal, shown
from shared.history_query.request import Query
from shared.history_query.source import Scope, rows

MAX_PATHS = 100
_MAX_ALIAS = 100
_MAX_KEYS = 20
# What a row has where no paths are asked for: its place in the answer, and what it reads.
_ROW = {
    "id": "$id",
    "time": "$time",
    "deviceId": "$deviceId",
    "systemId": "$systemId",
    "blueprintId": "$blueprintId",
    "data": "$data",
    "userId": "$userId",
}
_RECORD = {
    "id": "$id",
    "type": "$type",
    **{key: path for key, path in _ROW.items() if key != "id"},
    "ack/id": "$ack.id",
    "ack/time": "$ack.time",
    "ack/data": "$ack.data",
    "ack/userId": "$ack.userId",
}


@dataclass(frozen=True)
class Output:
    """A column of the answer. ``path``: where it stands in an item. ``kind``: how its text is read."""

    path: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class Compiled:
    """SQL with its parameters, and what the columns of its result are, in their order (``c0``, ``c1``...)."""

    sql: str
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class _Path:
    alias: str
    accessor: str
    descriptor: Any
    cast: Any
    place: str


def compiled(query: Query, model: Model, scope: Scope, dataset: str) -> Compiled:
    """The SQL of a query; ApiError 400 ``query.invalid`` names the place that cannot be carried out."""
    return _Compiler(query, model, scope, dataset).make()


class _Compiler:
    def __init__(self, query: Query, model: Model, scope: Scope, dataset: str) -> None:
        self.query, self.model, self.scope, self.dataset = query, model, scope, dataset
        self.parameters = Parameters()
        self.source = Source(model, self.parameters)
        self.rows = Names(self.source)
        # Beside the rows; what windows over groups need stands beside the groups.
        self.keys = Keys()

    def make(self) -> Compiled:
        if self.query.paths is None:
            return self._whole_rows()
        paths = _paths(self.query.paths)
        made: dict[str, Expr] = {}
        reader = Reader(self.rows, self.parameters, self.keys)
        for path in paths:
            if not has_window(path.descriptor):
                made[path.alias] = self._value(path, reader)
        group = self._group(paths, made)
        if group or any(value.aggregate for value in made.values()):
            return self._grouped(paths, made, group)
        names = Names(self.source, dict(made))
        reader = Reader(names, self.parameters, self.keys, self._default_order())
        for path in paths:
            if path.alias not in made:
                made[path.alias] = self._value(path, reader)
        return self._flat([(path.alias,) for path in paths], [made[path.alias] for path in paths])

    def _whole_rows(self) -> Compiled:
        if self.query.group is not None:
            raise refusal("group", "there are no paths to group", "Name paths, or leave out group.")
        listed_ = _ROW if self.model == "history" else _RECORD
        values = {key: self.source.read(path, "paths") for key, path in listed_.items()}
        return self._flat([tuple(key.split("/")) for key in values], list(values.values()))

    def _flat(self, paths: Sequence[tuple[str, ...]], values: Sequence[Expr]) -> Compiled:
        """A result with a row for each row of the source."""
        selected = [f"{_shown(value)} AS c{index}" for index, value in enumerate(values)]
        where = self._where()
        order = self._order(Names(self.source, _selected(paths, values))) or self._default_order()
        inner = self.keys.beside(self._rows())
        sql = f"SELECT {', '.join(selected)} FROM ({inner}){where} ORDER BY {', '.join(order)}"  # noqa: S608 ours
        return self._done(sql, paths, values)

    def _grouped(self, paths: Sequence[_Path], made: dict[str, Expr], group: list[str]) -> Compiled:
        """A result with a row for each group; window functions look at the groups, around them."""
        for path in paths:
            value = made.get(path.alias)
            if value is not None and value.bare and path.alias not in group:
                problem = f"{path.alias!r} is neither grouped nor an aggregate"
                raise refusal(
                    path.place, problem, "Add its alias to group, or give it a function such as AVG."
                )
        columns: dict[str, Expr] = {}
        selected = []
        for index, (alias, value) in enumerate(made.items()):
            if alias in group:
                made[alias] = value = _groupable(value, f"group: {alias!r}")
            selected.append(f"{value.sql} AS g{index}")
            columns[alias] = Expr(f"g{index}", value.type, bare=True, show=value.show)
        where = self._where()
        by = f" GROUP BY {', '.join(columns[alias].sql for alias in group)}" if group else ""
        rows_ = self.keys.beside(self._rows())
        inner = f"SELECT {', '.join(selected)} FROM ({rows_}){where}{by}"  # noqa: S608 our own text
        names = Names(None, columns)
        reader = Reader(names, self.parameters, Keys())
        values = [
            columns[path.alias] if path.alias in columns else self._value(path, reader) for path in paths
        ]
        outer = [f"{_shown(value)} AS c{index}" for index, value in enumerate(values)]
        places = [(path.alias,) for path in paths]
        keys = self._order(Names(None, _selected(places, values)))
        keys = keys or [key for alias in group for key in sort_keys(columns[alias], "ASC")]
        order = f" ORDER BY {', '.join(keys)}" if keys else ""
        sql = f"SELECT {', '.join(outer)} FROM ({reader.keys.beside(inner)}){order}"  # noqa: S608 our own text
        return self._done(sql, places, values)

    def _value(self, path: _Path, reader: Reader) -> Expr:
        column = reader.names.read(path.accessor, f"{path.place}[0]") if path.accessor else None
        if path.descriptor is not None:
            value = reader.descriptor(path.descriptor, column, f"{path.place}[2]")
        elif column is not None:
            value = column
        else:
            raise refusal(f"{path.place}[0]", "there is neither a path nor a function", "Name one of them.")
        if path.cast is not None:
            value = cast(reader.bound(value), path.cast, f"{path.place}[3]")
        return value

    def _group(self, paths: Sequence[_Path], made: dict[str, Expr]) -> list[str]:
        group = self.query.group
        if group is None:
            return []
        items = [group] if isinstance(group, str) else group
        if not isinstance(items, list) or not 1 <= len(items) <= _MAX_KEYS:
            raise refusal("group", f"1 to {_MAX_KEYS} aliases are expected", 'Write ["bucket"].')
        aliases = {path.alias for path in paths}
        for index, alias in enumerate(items):
            place = f"group[{index}]"
            if not isinstance(alias, str) or alias not in aliases:
                raise refusal(
                    place, f"{shown(alias)} is no alias of a path", f"Aliases are {listed(aliases)}."
                )
            if alias not in made or made[alias].aggregate:
                problem = f"{alias!r} is made by an aggregate or window function"
                raise refusal(place, problem, "Group by what a row holds.")
        return list(dict.fromkeys(items))

    def _where(self) -> str:
        if self.query.where is None:
            return ""
        return f" WHERE {Conditions(Reader(self.rows, self.parameters, self.keys)).all(self.query.where)}"

    def _order(self, names: Names) -> list[str]:
        order = self.query.order
        if order is None:
            return []
        items: Any = [order] if isinstance(order, str) else order
        if not isinstance(items, list) or not 1 <= len(items) <= _MAX_KEYS:
            raise refusal("order", f"1 to {_MAX_KEYS} are expected", 'Write [["time", "DESC"]].')
        if len(items) == 2 and isinstance(items[1], str) and items[1].upper() in ("ASC", "DESC"):
            items = [items]
        keys = []
        for index, item in enumerate(items):
            name, direction = directed(item, f"order[{index}]")
            if not isinstance(name, str):
                raise refusal(
                    f"order[{index}]", f"{shown(name)} names nothing", "Write an alias or a column."
                )
            if names.source is None and name not in names.aliases:
                advice = f"A grouped answer has {listed(names.aliases)}."
                raise refusal(f"order[{index}]", f"{shown(name)} is no alias of a path", advice)
            keys += sort_keys(names.read(name, f"order[{index}]"), direction)
        return keys

    def _default_order(self) -> list[str]:
        record = ["record_id"] if self.model == "events" else ["event_id", "content_hash"]
        columns = ("time", "device_id", *record)
        self.source.use(*columns)
        return [f"{column} ASC" for column in columns]

    def _rows(self) -> str:
        query = self.query
        return rows(
            self.dataset, self.model, self.scope, query.start, query.end, self.source.used, self.parameters
        )

    def _done(self, sql: str, paths: Sequence[tuple[str, ...]], values: Sequence[Expr]) -> Compiled:
        outputs = tuple(Output(path, _kind(value)) for path, value in zip(paths, values, strict=True))
        return Compiled(bounded(sql), self.parameters.all(), outputs)


def _paths(given: Any) -> list[_Path]:
    items = [given] if isinstance(given, str) else given
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_PATHS:
        raise refusal("paths", f"1 to {MAX_PATHS} paths are expected", 'Write ["a/b", ["a/c", "name"]].')
    made = [_path(item, f"paths[{index}]") for index, item in enumerate(items)]
    seen: dict[str, str] = {}
    for path in made:
        if path.alias in seen:
            problem = f"{path.alias!r} is what {seen[path.alias]} is called too"
            raise refusal(path.place, problem, 'Give one of them an alias of its own: ["a/b", "name"].')
        seen[path.alias] = path.place
    return made


def _path(item: Any, place: str) -> _Path:
    parts = [item] if isinstance(item, str) else item
    if not isinstance(parts, list) or not 1 <= len(parts) <= 4:
        raise refusal(place, f"{shown(item)} is no path", "Write a text, or [path, alias, function, cast].")
    accessor, alias, descriptor, cast_ = [*parts, None, None, None][:4]
    if accessor is not None and not isinstance(accessor, str):
        raise refusal(
            f"{place}[0]", f"{shown(accessor)} is no path", "Write a text, or null with a function."
        )
    if alias is None:
        if not accessor:
            raise refusal(f"{place}[1]", "what has no path needs an alias", "Name it.")
        # What is no path is refused as a path, where it is read.
        alias = last_key(accessor) or accessor[:_MAX_ALIAS]
    if not isinstance(alias, str) or not 1 <= len(alias) <= _MAX_ALIAS or not alias.isprintable():
        advice = f"Write a text of 1 to {_MAX_ALIAS} characters that can be printed."
        raise refusal(f"{place}[1]", f"{shown(alias)} is no alias", advice)
    return _Path(alias, accessor or "", descriptor, cast_, place)


def _groupable(value: Expr, place: str) -> Expr:
    """A value that groups can be made of: of data its JSON text, which is read again in the answer."""
    if value.type == "JSON":
        return replace(value, sql=f"TO_JSON_STRING({value.sql})", type="STRING", show="json")
    return value


def _selected(paths: Sequence[tuple[str, ...]], values: Sequence[Expr]) -> dict[str, Expr]:
    """The columns of a result by their aliases, as an ORDER BY of the same query names them."""
    return {
        "/".join(path): replace(value, sql=f"c{index}")
        for index, (path, value) in enumerate(zip(paths, values, strict=True))
    }


def _shown(value: Expr) -> str:
    """A value as it is sent: times as epoch ms, or as ISO text where that was asked for."""
    if value.type != "TIMESTAMP":
        return value.sql
    return iso(value.sql) if value.show == "iso" else f"UNIX_MILLIS({value.sql})"


def _kind(value: Expr) -> str:
    if value.type == "TIMESTAMP":
        return "STRING" if value.show == "iso" else "INT64"
    return "JSON" if value.show == "json" else value.type
