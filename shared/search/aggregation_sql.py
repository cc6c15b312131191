"""Aggregations as one grouped query over ``found``, which is read once however many there are.

Each aggregation is a node; each device meets each node (``node``) and each bucket on the way to it
(``place1`` to ``place3``, its index in the node's list). ``k1`` to ``k3`` are the keys of the buckets that a
device is in.
"""

from __future__ import annotations

from collections.abc import Iterator

from shared.search.aggregations import (
    MAX_NESTING,
    Aggregation,
    Distances,
    Filters,
    Histogram,
    Interval,
    Kind,
    Ranges,
    Stats,
    Terms,
)
from shared.search.expressions import Expressions
from shared.search.reading import MAX_NUMBER

# Groups that one answer may be made of.
MAX_GROUPS = 10_000
# Elements of one list that are counted.
MAX_ELEMENTS = 50

Chain = tuple[Aggregation, ...]


def nodes(aggregations: tuple[Aggregation, ...], above: Chain = ()) -> Iterator[Chain]:
    """Every aggregation with those that it stands in, outermost first, in the order of the body."""
    for aggregation in aggregations:
        chain = (*above, aggregation)
        yield chain
        yield from nodes(aggregation.inner, chain)


def grouped(aggregations: tuple[Aggregation, ...], expressions: Expressions) -> str:
    """The query: node, k1, k2, k3, devices, and of stats the count, min, max and sum."""
    chains = list(nodes(aggregations))
    levels = range(MAX_NESTING)
    keys = [
        _by_node(
            [_key(chain, level, expressions) for chain in chains],
            f"IF({_place(level)} = 0, '', NULL)",
        )
        for level in levels
    ]
    measured = [
        _number(chain[-1].kind, expressions) if isinstance(chain[-1].kind, Stats) else None
        for chain in chains
    ]
    metric = _by_node(measured, "NULL") if any(measured) else "CAST(NULL AS FLOAT64)"
    crossed = " ".join(
        f"CROSS JOIN UNNEST(GENERATE_ARRAY(0, {_most(chains, level) - 1})) AS {_place(level)}"
        for level in levels
    )
    named = ", ".join(f"{key} AS k{level + 1}" for level, key in enumerate(keys))
    return (
        "SELECT node, k1, k2, k3, COUNT(*) AS devices, COUNT(m) AS c, MIN(m) AS low, MAX(m) AS high, "  # noqa: S608
        f"SUM(m) AS total FROM (SELECT node, {named}, {metric} AS m FROM found "
        f"CROSS JOIN UNNEST(GENERATE_ARRAY(0, {len(chains) - 1})) AS node {crossed}) "
        "WHERE k1 IS NOT NULL AND k2 IS NOT NULL AND k3 IS NOT NULL "
        f"GROUP BY node, k1, k2, k3 LIMIT {MAX_GROUPS + 1}"
    )


def _place(level: int) -> str:
    return f"place{level + 1}"


def _by_node(made: list[str | None], other: str) -> str:
    branches = " ".join(f"WHEN {node} THEN {sql}" for node, sql in enumerate(made) if sql is not None)
    return f"CASE node {branches} ELSE {other} END" if branches else other


def _most(chains: list[Chain], level: int) -> int:
    """The most buckets that one device may be in at a level."""
    return max((_width(chain[level].kind) for chain in chains if len(chain) > level), default=1)


def _width(kind: Kind) -> int:
    if isinstance(kind, Filters):
        return len(kind.named)
    if isinstance(kind, Ranges | Distances):
        return len(kind.ranges)
    return MAX_ELEMENTS if isinstance(kind, Terms) and kind.field.kind == "list" else 1


def _key(chain: Chain, level: int, expressions: Expressions) -> str | None:
    """The key of the bucket at a level of a node; NULL: the device is in none. None: no bucket there."""
    if level >= len(chain) or isinstance(chain[level].kind, Stats):
        return None
    kind, place = chain[level].kind, _place(level)
    if isinstance(kind, Filters):
        conditions = [expressions.condition(condition) for _, condition in kind.named]
        return _listed(place, conditions)
    if isinstance(kind, Ranges | Distances):
        value = _number(kind, expressions)
        return _listed(place, [_within(value, interval, kind, expressions) for interval in kind.ranges])
    if isinstance(kind, Histogram):
        return f"IF({place} = 0, {_step(kind, expressions)}, NULL)"
    if isinstance(kind, Terms):
        return _chosen(kind, _term(kind, place, expressions), expressions)
    return None


def _listed(place: str, conditions: list[str]) -> str:
    branches = " ".join(
        f"WHEN {index} THEN IF({condition}, '{index}', NULL)" for index, condition in enumerate(conditions)
    )
    return f"CASE {place} {branches} END"


def _number(kind: Kind, expressions: Expressions) -> str:
    """The number that a kind measures; NULL where a device has none."""
    if isinstance(kind, Distances):
        distance = expressions.plane if kind.plane else expressions.arc
        return f"({distance(kind.field, kind.lat, kind.lon)} / {expressions.parameters.number(kind.unit)})"
    if isinstance(kind, Filters):
        raise TypeError("filters measure nothing")
    column = expressions.column("n", kind.field)
    missing = getattr(kind, "missing", None)
    if missing is None or isinstance(missing, str):
        return column
    return f"COALESCE({column}, {expressions.parameters.number(missing)})"


def _within(value: str, interval: Interval, kind: Kind, expressions: Expressions) -> str:
    made = []
    if interval.low is not None:
        made.append(f"{value} >= {expressions.parameters.number(interval.low)}")
    if interval.high is not None:
        made.append(f"{value} < {expressions.parameters.number(interval.high)}")
    return f"COALESCE({' AND '.join(made)}, FALSE)"


def _step(kind: Histogram, expressions: Expressions) -> str:
    """The number of the interval, as text. Numbers too far away for a whole one are in no bucket."""
    number, parameters = _number(kind, expressions), expressions.parameters
    distance = f"{number} - {parameters.number(kind.offset)}"
    steps = f"FLOOR(SAFE_DIVIDE({distance}, {parameters.number(kind.interval)}))"
    return f"IF(ABS({steps}) < {MAX_NUMBER}, CAST(CAST({steps} AS INT64) AS STRING), NULL)"


def _term(kind: Terms, place: str, expressions: Expressions) -> str:
    """A value as text, with a letter for its type before it."""
    field = kind.field
    missing = "CAST(NULL AS STRING)"
    if kind.missing is not None:
        missing = expressions.parameters.add(f"s{kind.missing}")
    if field.kind == "list":
        texts = expressions.column("l", field)
        first = f"IF({place} = 0 AND ARRAY_LENGTH({texts}) = 0, {missing}, NULL)"
        return f"COALESCE(CONCAT('s', {texts}[SAFE_OFFSET({place})]), {first})"
    text, flag, number = (expressions.column(letter, field) for letter in "sbr")
    return (
        f"IF({place} = 0, CASE WHEN {text} IS NOT NULL THEN CONCAT('s', {text}) "
        f"WHEN {flag} IS NOT NULL THEN IF({flag}, 'btrue', 'bfalse') "
        f"WHEN {number} IS NOT NULL THEN CONCAT('n', {number}) ELSE {missing} END, NULL)"
    )


def _chosen(kind: Terms, term: str, expressions: Expressions) -> str:
    made = term
    if kind.include is not None:
        given = expressions.parameters.texts(kind.include)
        made = f"IF(SUBSTR({term}, 2) IN UNNEST({given}), {term}, NULL)"
    if kind.exclude:
        given = expressions.parameters.texts(kind.exclude)
        made = f"IF(SUBSTR({term}, 2) IN UNNEST({given}), NULL, {made})"
    return made
