"""Aggregations over the result of a query: count, sum and average."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from emulators.firestore import fields, wire
from emulators.firestore.documents import Stored
from emulators.firestore.errors import invalid

_MAX = 5
_LEAST, _GREATEST = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Aggregation:
    """One of a request: ``kind`` is count, sum or avg."""

    alias: str
    kind: str
    path: fields.Path | None
    up_to: int | None


def read(pbs: Any) -> list[Aggregation]:
    """The aggregations of a request; raises INVALID_ARGUMENT for what the service refuses."""
    if not pbs:
        raise invalid("Aggregations can not be empty.")
    if len(pbs) > _MAX:
        raise invalid(f"A query may not have more than {_MAX} aggregations.")
    out: list[Aggregation] = []
    unnamed = 0
    for pb in pbs:
        kind = pb.WhichOneof("operator")
        if kind is None:
            raise invalid("Operator field in Aggregation is not set.")
        path, up_to = None, None
        if kind == "count":
            if pb.count.HasField("up_to"):
                up_to = pb.count.up_to.value
                if up_to < 0:
                    raise invalid(
                        "The `up_to` value in a COUNT aggregation must be greater than or equal to zero."
                    )
        else:
            path = fields.parse(getattr(pb, kind).field.field_path)
            if path == fields.NAME:
                raise invalid("Aggregations are not supported for the property: __key__")
        alias = pb.alias
        if not alias:
            unnamed += 1
            alias = f"field_{unnamed}"
        if len(alias) > 4 and alias.startswith("__") and alias.endswith("__"):
            raise invalid(f'The property.name "{alias}" is reserved.')
        if len(alias.encode()) > 1500:
            raise invalid("The property.name is longer than 1500 bytes.")
        if any(alias == earlier.alias for earlier in out):
            raise invalid(f"Aggregation aliases contain duplicate alias: {alias}.")
        out.append(Aggregation(alias, kind, path, up_to))
    return out


def run(aggregations: list[Aggregation], found: Iterable[Stored]) -> dict[str, Any]:
    """The value of each alias over documents that have all fields that are asked about."""
    paths = [item.path for item in aggregations if item.path is not None]
    counted = [
        stored for stored in found if all(fields.get(stored.fields, path) is not None for path in paths)
    ]
    return {item.alias: _value(item, counted) for item in aggregations}


def _value(item: Aggregation, counted: list[Stored]) -> Any:
    if item.path is None:
        count = len(counted)
        return wire.Value(integer_value=count if item.up_to is None else min(count, item.up_to))
    whole, floating, numbers, exact = 0, 0.0, 0, True
    for stored in counted:
        value = fields.get(stored.fields, item.path)
        kind = value.WhichOneof("value_type")
        if kind == "integer_value":
            whole += value.integer_value
        elif kind == "double_value":
            floating += value.double_value
            exact = False
        else:
            continue
        numbers += 1
    if item.kind == "avg":
        if not numbers:
            return wire.Value(null_value=0)
        return wire.Value(double_value=(whole + floating) / numbers)
    if exact and _LEAST <= whole <= _GREATEST:
        return wire.Value(integer_value=whole)
    return wire.Value(double_value=whole + floating)
