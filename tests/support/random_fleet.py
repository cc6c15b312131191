"""Random fleets, events and searches, from a seed: few names and few times, so that everything meets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from random import Random
from typing import Any

from fulcrum.core import fold
from shared import device_rows, history
from shared.history import Row
from shared.messages import Write
from shared.search import match
from tests.support.warehouse import data_row

PATHS = ("a", "b", "a/b", "a/b/0", "a/0")
_SCALARS: tuple[Any, ...] = (
    None,
    True,
    False,
    -1,
    0,
    1,
    2,
    1.5,
    1e-7,
    "x",
    "xy",
    "Xy",
    "",
    [],
    [1, "q"],
    [1],
    ["q"],
    {},
)
FIELDS = (*(f"data/{path}" for path in PATHS), "name", "metadata/m", "id")
_ASKED = (1, 2, 0, 1.5, "x", "xy", True, False, "one", "d1")


def value(random: Random, depth: int = 2) -> Any:
    """A value of an event."""
    if depth and random.random() < 0.25:
        return {key: value(random, depth - 1) for key in random.sample("b0", random.randint(0, 2))}
    return random.choice(_SCALARS)


def write(random: Random) -> Write:
    """A write of an event."""
    path, kind = random.choice(PATHS), random.random()
    if kind < 0.25:
        return Write(path, op="delete")
    return Write(path, value(random), op="replace") if kind < 0.35 else Write(path, value(random))


def fleet(random: Random, project: str, base: int, size: int) -> list[Row]:
    """Definitions and events of devices within a few milliseconds from ``base``."""
    rows: list[Row] = []
    for index in range(size):
        device_id = f"d{index}"
        for version in range(1, random.choice((1, 1, 2)) + 1):
            fields = definition(random) | {"version": version}
            gone = version == 2 and random.random() < 0.3
            when = base - 1 if version == 1 else base + random.randint(0, 8)
            rows.append(device_rows.device_row(project, device_id, fields, when, deleted=gone))
        for _ in range(random.randint(0, 7)):
            stamp = (base + random.randint(0, 8), random.choice(("i", "j", "i1")))
            rows.append(
                data_row(project, device_id, stamp, [write(random) for _ in range(random.randint(1, 3))])
            )
    return rows


def definition(random: Random) -> dict[str, Any]:
    """The fields of a device's document."""
    made: dict[str, Any] = {"name": random.choice(("one", "two", "xOne", "x", "ΣİX", "'\"\\"))}
    if random.random() < 0.7:
        made["metadata"] = {"m": random.choice((1, 2, "x", True, None, {"z": 1}))}
    if random.random() < 0.7:
        made["tags"] = random.sample(("t1", "x", "Yx"), random.randint(0, 3))
    made["simulated"] = random.random() < 0.5
    return made


def devices(rows: Iterable[Row], at: int) -> list[match.Device]:
    """The fleet at an instant, slowly: every row folded, the newest definitions, without the deleted."""
    registers: dict[str, fold.Registers] = {}
    newest: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {}
    for row in rows:
        if row["kind"] == "device":
            found = json.loads(row["data"])
            key = (found["version"], row["time"])
            if row["time"] // 1000 <= at and key >= newest.get(row["device_id"], ((0, 0), {}))[0]:
                newest[row["device_id"]] = (key, found)
            continue
        folded = history.folded(row)
        if folded is not None and folded[0][0] <= at:
            fold.fold(registers.setdefault(row["device_id"], {}), [folded])
    return [
        match.Device({**found, "id": device_id}, fold.derive(registers.get(device_id, {})))
        for device_id, (_, found) in newest.items()
        if not found.get("deleted")
    ]


def snapshot(project: str, rows: Iterable[Row], at: int) -> list[Row]:
    """The snapshot of the rows up to an instant."""
    rows = list(rows)
    registers: dict[str, fold.Registers] = {}
    for row in rows:
        folded = history.folded(row)
        if folded is not None and folded[0][0] <= at:
            fold.fold(registers.setdefault(row["device_id"], {}), [folded])
    made: list[Row] = []
    for device in devices(rows, at):
        device_id = device.definition["id"]
        held = registers.get(device_id, {})
        made += device_rows.snapshot_rows(project, at, device_id, device.definition, held)
    return [*made, device_rows.complete_row(project, at)]


def condition(random: Random, depth: int = 2) -> dict[str, Any]:
    """A condition of a search body."""
    field = random.choice(FIELDS)
    kind = random.choice(("equals", "enum", "exists", "compare", "between", "like", "text", "tags", "geo"))
    if depth and random.random() < 0.4:
        inner = [condition(random, depth - 1) for _ in range(random.randint(1, 3))]
        if random.random() < 0.3:
            return {"type": "not", "condition": inner[0]}
        return {"type": "logical", "operator": random.choice(("and", "or")), "conditions": inner}
    empty = random.random() < 0.3
    match kind:
        case "equals":
            return {"type": "equals", "field": field, "value": random.choice(_ASKED)}
        case "enum":
            values = random.sample(_ASKED, random.randint(1, 3))
            return {"type": "enum", "field": field, "values": values, "includeEmpty": empty}
        case "compare":
            operator = random.choice(("<", "<=", ">", ">="))
            bound = random.choice((0, 1, 1.5, "x", "a"))
            return {
                "type": "comparison",
                "field": field,
                "operator": operator,
                "value": bound,
                "includeEmpty": empty,
            }
        case "between":
            bounds = random.choice(([0, 1], ["a", "xx"]))
            return {"type": "comparison", "field": field, "operator": "between", "value": bounds}
        case "like":
            how = random.choice(("startsWith", "endsWith", "contains"))
            asked = random.choice(("x", "y", "XY", "ς", "'"))
            return {"type": how, "field": field, "value": asked, "ignoreCase": random.random() < 0.5}
        case "text":
            text = {"type": "text", "value": random.choice(("x", "ON d", "y x"))}
            return text | ({"fields": ["data/a", "tags"]} if random.random() < 0.5 else {})
        case "tags":
            return random.choice(
                (
                    {"type": "equals", "field": "tags", "value": "t1"},
                    {"type": "exists", "field": "tags"},
                    {"type": "enum", "field": "tags", "values": ["t1", "Yx"], "includeEmpty": empty},
                    {"type": "startsWith", "field": "tags", "value": "Y"},
                    {"type": "equals", "field": "simulated", "value": True},
                )
            )
        case _:
            return {"type": "exists", "field": field, "value": random.random() < 0.5}


def sorts(random: Random) -> list[dict[str, str]]:
    """The sorts of a search body."""
    return [
        {
            "field": field,
            "order": random.choice(("asc", "desc")),
            "missing": random.choice(("_first", "_last")),
        }
        for field in random.sample(FIELDS, random.randint(0, 2))
    ]
