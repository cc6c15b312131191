"""Filters of a query: read, checked, turned into a predicate, and into disjunctive normal form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from emulators.firestore import fields, values
from emulators.firestore.documents import Stored
from emulators.firestore.errors import invalid
from emulators.firestore.fields import Path
from emulators.firestore.values import Key

Predicate = Callable[[Stored], bool]

_FIELD_OPS = {
    1: "LESS_THAN",
    2: "LESS_THAN_OR_EQUAL",
    3: "GREATER_THAN",
    4: "GREATER_THAN_OR_EQUAL",
    5: "EQUAL",
    6: "NOT_EQUAL",
    7: "ARRAY_CONTAINS",
    8: "IN",
    9: "ARRAY_CONTAINS_ANY",
    10: "NOT_IN",
}
_UNARY_OPS = {2: "IS_NAN", 3: "IS_NULL", 4: "IS_NOT_NAN", 5: "IS_NOT_NULL"}
_LISTS = {"IN": 30, "ARRAY_CONTAINS_ANY": 30, "NOT_IN": 10}
_RANGES = frozenset(("LESS_THAN", "LESS_THAN_OR_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL"))
NEGATIONS = frozenset(("NOT_EQUAL", "NOT_IN", "IS_NOT_NAN", "IS_NOT_NULL"))
INEQUALITIES = _RANGES | NEGATIONS
CONTAINS = frozenset(("ARRAY_CONTAINS", "ARRAY_CONTAINS_ANY"))
_MAX_DISJUNCTIONS = 30


@dataclass(frozen=True, slots=True)
class Leaf:
    """A condition on one field. ``keys`` are the sort keys of what it compares with."""

    path: Path
    op: str
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined by AND or OR."""

    any: bool
    parts: tuple[Node, ...]


Node = Leaf | Group


def read(pb: Any) -> Node:
    """A filter of a StructuredQuery; raises INVALID_ARGUMENT for what the service refuses."""
    kind = pb.WhichOneof("filter_type")
    if kind == "composite_filter":
        composite = pb.composite_filter
        if composite.op not in (1, 2):
            raise invalid("Unsupported CompositeFilter operator.")
        if composite.op == 2 and not composite.filters:
            raise invalid("Composite filter must have at least one sub-filter.")
        return Group(composite.op == 2, tuple(map(read, composite.filters)))
    if kind == "field_filter":
        return _read_field(pb.field_filter)
    if kind == "unary_filter":
        op = _UNARY_OPS.get(pb.unary_filter.op)
        if op is None:
            raise invalid("Unknown UnaryFilter operator.")
        path = fields.parse(pb.unary_filter.field.field_path)
        if path == fields.NAME:
            raise invalid("__key__ filter value must be a Key")
        return Leaf(path, op)
    raise invalid("Unknown Filter type.")


def _read_field(pb: Any) -> Leaf:
    op = _FIELD_OPS.get(pb.op)
    if op is None:
        raise invalid("Unknown FieldFilter operator.")
    path = fields.parse(pb.field.field_path)
    compared = [pb.value]
    if op in _LISTS:
        if not pb.value.HasField("array_value"):
            raise invalid(f"'{op}' requires an ArrayValue.")
        compared = list(pb.value.array_value.values)
        if not compared:
            raise invalid(f"'{op}' requires an non-empty ArrayValue.")
        if len(compared) > _LISTS[op]:
            raise invalid(f"'{op}' supports up to {_LISTS[op]} comparison values.")
    if path == fields.NAME:
        if op in CONTAINS:
            raise invalid("the name __key__ is reserved")
        if any(not value.HasField("reference_value") for value in compared):
            raise invalid("__key__ filter value must be a Key")
    return Leaf(path, op, tuple(map(values.key, compared)))


def leaves(node: Node) -> Iterator[Leaf]:
    """All conditions of a filter."""
    if isinstance(node, Leaf):
        yield node
    else:
        for part in node.parts:
            yield from leaves(part)


def check(node: Node) -> None:
    """Refuse combinations that the service does not take."""
    found = list(leaves(node))
    ops = [leaf.op for leaf in found]
    if sum(op in NEGATIONS for op in ops) > 1:
        raise invalid(
            "Only a single 'NOT_EQUAL', 'NOT_IN', 'IS_NOT_NAN', or 'IS_NOT_NULL' filter allowed per query."
        )
    if "NOT_IN" in ops and ("IN" in ops or "ARRAY_CONTAINS_ANY" in ops or _has_or(node)):
        raise invalid("'NOT_IN' cannot be used in the same query with 'IN', 'ARRAY_CONTAINS_ANY' or 'OR'.")
    ranged = sorted({fields.text(leaf.path) for leaf in found if leaf.op in INEQUALITIES})
    if len(ranged) > 10:
        raise invalid(
            f"The query contains {len(ranged)} distinct inequality fields: [{', '.join(ranged)}]. "
            "A query may not have more than 10 distinct inequality fields."
        )
    count = _disjunctions(node)
    if count > _MAX_DISJUNCTIONS:
        raise invalid(
            f"Too many disjunctions after normalization. Result had {count} disjunctions which is more "
            f"than the maximum of {_MAX_DISJUNCTIONS}"
        )
    for conjunction in normal_form(node):
        if sum(leaf.op in CONTAINS for leaf in conjunction) > 1:
            raise invalid("A maximum of 1 'ARRAY_CONTAINS' filter is allowed per disjunction.")


def _has_or(node: Node) -> bool:
    return isinstance(node, Group) and (node.any or any(map(_has_or, node.parts)))


def _disjunctions(node: Node) -> int:
    if isinstance(node, Leaf):
        return len(node.keys) if node.op in ("IN", "ARRAY_CONTAINS_ANY") else 1
    counts = [_disjunctions(part) for part in node.parts]
    if node.any:
        return sum(counts)
    product = 1
    for count in counts:
        product *= count
    return product


def normal_form(node: Node) -> list[tuple[Leaf, ...]]:
    """The alternatives of a filter, each a tuple of conditions that all hold.

    IN and ARRAY_CONTAINS_ANY stay whole: each of their values needs the same index.
    """
    if isinstance(node, Leaf):
        return [(node,)]
    if node.any:
        return [alternative for part in node.parts for alternative in normal_form(part)]
    out: list[tuple[Leaf, ...]] = [()]
    for part in node.parts:
        out = [left + right for left in out for right in normal_form(part)]
    return out


def predicate(node: Node) -> Predicate:
    """Whether a document fulfils a filter."""
    if isinstance(node, Leaf):
        return _leaf_predicate(node)
    parts = [predicate(part) for part in node.parts]
    if len(parts) == 1:
        return parts[0]
    if node.any:
        return lambda stored: any(part(stored) for part in parts)
    return lambda stored: all(part(stored) for part in parts)


def _leaf_predicate(leaf: Leaf) -> Predicate:
    test = _key_test(leaf)
    path = leaf.path
    if path == fields.NAME:
        return lambda stored: test((6, stored.name.key))
    if leaf.op in CONTAINS:
        wanted = {key for key in leaf.keys if key not in (values.NULL, values.NAN)}
        return lambda stored: _contains(fields.get(stored.fields, path), wanted)

    def holds(stored: Stored) -> bool:
        value = fields.get(stored.fields, path)
        return value is not None and test(values.key(value))

    return holds


def _contains(value: Any, wanted: set[Key]) -> bool:
    return (
        value is not None
        and value.HasField("array_value")
        and any(values.key(item) in wanted for item in value.array_value.values)
    )


def _key_test(leaf: Leaf) -> Callable[[Key], bool]:
    op = leaf.op
    null, nan = values.NULL, values.NAN
    if op == "IS_NULL":
        return lambda key: key == null
    if op == "IS_NAN":
        return lambda key: key == nan
    if op == "IS_NOT_NULL":
        return lambda key: key != null
    if op == "IS_NOT_NAN":
        return lambda key: key not in (null, nan)
    if op in ("EQUAL", "IN"):
        # Null and NaN equal nothing, not even themselves; IS_NULL and IS_NAN ask for them.
        wanted = {key for key in leaf.keys if key not in (null, nan)}
        return lambda key: key in wanted
    if op in ("NOT_EQUAL", "NOT_IN"):
        if null in leaf.keys:
            return lambda key: False
        refused = {null, *(key for key in leaf.keys if key != nan)}
        return lambda key: key not in refused
    return _range_test(op, leaf.keys[0])


def _range_test(op: str, bound: Key) -> Callable[[Key], bool]:
    if bound in (values.NULL, values.NAN):
        return lambda key: False
    rank = bound[0]
    # Only values of the bound's own type are in range; NaN is in none.
    if op == "LESS_THAN":
        return lambda key: key[0] == rank and key < bound and key != values.NAN
    if op == "LESS_THAN_OR_EQUAL":
        return lambda key: key[0] == rank and key <= bound and key != values.NAN
    if op == "GREATER_THAN":
        return lambda key: key[0] == rank and key > bound
    return lambda key: key[0] == rank and key >= bound
