"""What a query may read: columns of history rows and event records by their names, and paths into data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from fulcrum.core import paths
from shared.history_query.expr import Expr, Parameters, Type
from shared.history_query.refusal import listed, refusal, shown

Model = Literal["history", "events"]

_COMMON: dict[str, tuple[str, Type]] = {
    "time": ("time", "TIMESTAMP"),
    "deviceId": ("device_id", "STRING"),
    "systemId": ("system_id", "STRING"),
    "blueprintId": ("blueprint_id", "STRING"),
    "networkId": ("network_id", "STRING"),
    "data": ("data", "JSON"),
    "userId": ("user_id", "STRING"),
    "source": ("source", "STRING"),
    "receivedTime": ("received_time", "TIMESTAMP"),
    "storedTime": ("stored_time", "TIMESTAMP"),
    "historical": ("historical", "BOOL"),
}
_ROW: dict[str, tuple[str, Type]] = {"id": ("event_id", "STRING"), **_COMMON}
_RECORD: dict[str, tuple[str, Type]] = {
    "id": ("record_id", "STRING"),
    "type": ("event_type", "STRING"),
    **_COMMON,
}
_ACK: dict[str, tuple[str, Type]] = {
    "id": ("ack_id", "STRING"),
    "time": ("ack_time", "TIMESTAMP"),
    "data": ("ack_data", "JSON"),
    "userId": ("ack_user_id", "STRING"),
}
_TABLES: dict[tuple[Model, str], dict[str, tuple[str, Type]]] = {
    ("history", ""): _ROW,
    ("events", ""): _RECORD,
    ("events", "event"): _RECORD,
    ("events", "ack"): _ACK,
}
_COLUMN = r"\$(?:(?P<model>[A-Za-z]+)\.)?(?P<column>[A-Za-z]+)(?:/(?P<path>.+))?\Z"


@dataclass(frozen=True)
class Source:
    """The columns of one kind of query, and which of them it has read."""

    model: Model
    parameters: Parameters
    _used: set[str] = field(default_factory=set)

    @property
    def used(self) -> frozenset[str]:
        """The stored columns that have been read."""
        return frozenset(self._used)

    def use(self, *columns: str) -> None:
        """Note stored columns that are read."""
        self._used.update(columns)

    def read(self, text: str, place: str) -> Expr:
        """What a path reads: ``$time`` a column, ``a/b`` a value in the data, ``$data/a/b`` its text."""
        if not text.startswith("$"):
            return self._value("data", text, place)
        found = re.match(_COLUMN, text)
        if found is None:
            raise refusal(place, f"{shown(text)} is no column", "Write $name, $model.name or $data/a/b.")
        model, name, path = found["model"] or "", found["column"], found["path"]
        columns = _TABLES.get((self.model, model))
        if columns is None:
            known = "$event. and $ack." if self.model == "events" else "none: this is no query of events"
            raise refusal(place, f"{shown(text)}: there is no model {model!r}", f"Models are {known}.")
        if name not in columns:
            raise refusal(
                place, f"{shown(text)}: there is no column {name!r}", f"Columns are {listed(columns)}."
            )
        column, type_ = columns[name]
        if path is None:
            return self._column(column, type_)
        if type_ != "JSON":
            raise refusal(place, f"{shown(text)}: ${name} has nothing inside", "Leave out what follows '/'.")
        return text_of(self._value(column, path, place))

    def _column(self, column: str, type_: Type) -> Expr:
        if column == "ack_id":
            # An acknowledgement has the id of what it acknowledges.
            self._used.update(("ack_time", "record_id"))
            return Expr("IF(ack_time IS NULL, NULL, record_id)", type_, bare=True)
        self._used.add(column)
        return Expr(column, type_, bare=True)

    def _value(self, column: str, path: str, place: str) -> Expr:
        if problem := paths.leaf_problem(path):
            raise refusal(place, problem, "Write segments joined by '/', or $name for a column.")
        steps = "".join(f'."{segment}"' for segment in path.split("/"))
        self._used.add(column)
        where = self.parameters.add(f"${steps}", "STRING")
        return Expr(f"JSON_QUERY({column}, {where})", "JSON", bare=True)


def last_key(text: str) -> str:
    """The alias of a path that has none of its own: its last key."""
    return re.split(r"[/.$]", text)[-1]


def text_of(value: Expr) -> Expr:
    """A JSON value as text: what a scalar says, the JSON of anything else, NULL for null."""
    sql = f"COALESCE(LAX_STRING({value.sql}), NULLIF(TO_JSON_STRING({value.sql}), 'null'))"
    return Expr(sql, "STRING", value.aggregate, value.window, value.bare)
