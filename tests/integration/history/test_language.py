"""The query language on real rows: the vectors of the specification, every function, cast and operator."""

from __future__ import annotations

from typing import Any

import pytest

from shared.messages import DeviceEventAck
from tests.support.history import DAY, History, alarm, at, event

LATER, EARLIER = "16:14:01.483", "16:03:01.420"
BUCKET = ["$time", "bucket", {"function": "BUCKET_TIME", "args": [900_000]}]


@pytest.fixture
def readings(history: History, project: str) -> str:
    """Two readings a quarter of an hour holds both of, written twice, and one of another project."""
    rows = [
        event(project, at(EARLIER), {"a/b": 5, "name": "x", "on": True}, id="1"),
        event(project, at(LATER), {"a/b": 15, "name": "=y", "when": "2026-10-22T04:55:30Z"}, id="2"),
    ]
    history.write(*rows)
    history.write(*rows)
    history.write(event(f"other-{project}", at(LATER), {"a/b": 1000}))
    return project


async def test_a_row_is_as_the_specification_says_and_comes_once(history: History, readings: str) -> None:
    found = await history.ask(readings, {})
    assert found[0] == {
        "id": "1",
        "time": at(EARLIER),
        "deviceId": "d1",
        "systemId": "s1",
        "blueprintId": "b1",
        "data": {"a": {"b": 5}, "name": "x", "on": True},
        "userId": None,
    }
    assert [row["id"] for row in found] == ["1", "2"]


async def test_times_of_a_quarter_of_an_hour_share_a_bucket(history: History, readings: str) -> None:
    found = await history.ask(readings, {"paths": [BUCKET]})
    assert found == [{"bucket": at("16:00:00.000")}] * 2
    shown = ["$time", "t", {"function": "BUCKET_TIME", "type": "time"}]
    assert [row["t"][11:] for row in await history.ask(readings, {"paths": [shown]})] == ["16:00:00.000Z"] * 2


async def test_grouped_by_bucket_the_average_of_5_and_15_is_10(history: History, readings: str) -> None:
    paths = [BUCKET, ["a/b", "average", {"function": "AVG"}]]
    found = await history.ask(readings, {"paths": paths, "group": ["bucket"]})
    assert found == [{"bucket": at("16:00:00.000"), "average": 10}]


async def test_arithmetic_nests_and_takes_many_operands(history: History, readings: str) -> None:
    sixty_six = {
        "function": "+",
        "args": [2, {"function": "/", "arguments": [8, 2]}, {"function": "*", "args": [3, 20]}],
    }
    paths = [[None, "x", sixty_six], ["", "y", {"function": "*", "args": [2, 3]}]]
    found = await history.ask(readings, {"paths": paths})
    assert found == [{"x": 66, "y": 6}] * 2
    assert type(found[0]["x"]) is int


async def test_lag_reads_the_row_before(history: History, readings: str) -> None:
    lag = {"function": "LAG", "isWindow": True, "order": ["$time"], "partition": ["$deviceId"]}
    found = await history.ask(readings, {"attributes": ["$time", ["a/b", "before", lag]]})
    assert found == [{"time": at(EARLIER), "before": None}, {"time": at(LATER), "before": 5}]


async def test_a_window_over_groups_reads_the_group_before(history: History, project: str) -> None:
    hours = [("10:00:00.0", 1), ("10:30:00.0", 3), ("11:00:00.0", 6), ("12:00:00.0", 9)]
    history.write(*(event(project, at(hour), {"v": value}) for hour, value in hours))
    paths = [
        ["$time", "hour", {"function": "BUCKET_TIME", "args": [3_600_000]}],
        ["v", "average", {"function": "AVG"}],
        [
            "average",
            "change",
            {
                "function": "-",
                "args": ["@COLUMN()", {"function": "LAG", "isWindow": True, "order": ["hour"]}],
            },
        ],
    ]
    found = await history.ask(project, {"paths": paths, "group": "hour", "order": [["hour", "DESC"]]})
    assert [row["change"] for row in found] == [3, 4, None]


VALUES: list[tuple[Any, Any, Any]] = [
    # A path or [path, function, cast], what it gives for the first row, and for the second.
    ("a/b", 5, 15),
    ("a", {"b": 5}, {"b": 15}),
    ("nowhere/to/be", None, None),
    ("$data/a/b", "5", "15"),
    ("$data/a", '{"b":5}', '{"b":15}'),
    ("$id", "1", "2"),
    ("$historical", False, False),
    (["a/b", None, "string"], "5", "15"),
    (["a/b", None, "float"], 5, 15),
    (["a/b", None, "integer"], 5, 15),
    (["a/b", None, "boolean"], True, True),
    (["a/b", None, "object"], 5, 15),
    (["on", None, "boolean"], True, None),
    (["on", None, "float"], None, None),
    (["name", None, "float"], None, None),
    (["name", None, "time"], None, None),
    (["when", None, "time"], None, "2026-10-22T04:55:30.000Z"),
    (["when", None, "msTime"], None, 1_792_644_930_000),
    (["$time", None, "msTime"], at(EARLIER), at(LATER)),
    (["a/b", {"function": "+", "args": ["@COLUMN()", 0.5]}, None], 5.5, 15.5),
    (["a/b", {"function": "/", "args": ["@COLUMN()", 0]}, None], None, None),
    (["a/b", {"function": "*", "args": ["@COLUMN()", 1e308]}, None], None, None),
    (["a/b", {"function": "-", "args": [20, {"type": "field", "value": "a/b"}]}, None], 15, 5),
    (["a/b", {"function": "ABS", "args": [{"function": "-", "args": ["@COLUMN()", 8]}]}, None], 3, 7),
    (["a/b", {"function": "FLOOR", "args": [{"function": "/", "args": ["@COLUMN()", 2]}]}, None], 2, 7),
    (["a/b", {"function": "CEIL", "args": [{"function": "/", "args": ["@COLUMN()", 2]}]}, None], 3, 8),
    (["a/b", {"function": "ROUND"}, "integer"], 5, 15),
    (
        ["when", {"function": "COALESCE", "args": ["@COLUMN()", "never"]}, None],
        "never",
        "2026-10-22T04:55:30Z",
    ),
    (["name", {"function": "CONCAT", "args": ["<", "@COLUMN()", ">"]}, None], "<x>", "<=y>"),
    (["$time", {"function": "UNIX_MILLIS"}, None], at(EARLIER), at(LATER)),
    (["a/b", {"function": "UNIX_MILLIS"}, None], 5, 15),
    (
        [
            "$time",
            {"function": "DATE_FORMAT", "args": ["@HOUR():@MINUTE():@SECOND().@SECOND_PART() 100%"]},
            None,
        ],
        "16:03:01.420 100%",
        "16:14:01.483 100%",
    ),
    (
        ["when", {"function": "DATE_FORMAT", "args": ["@YEAR()/@MONTH()/@DAY()"]}, None],
        None,
        "2026/10/22",
    ),
    (
        [
            "when",
            {"function": "STR_TO_DATE", "args": ["@YEAR()-@MONTH()-@DAY()T@HOUR():@MINUTE():@SECOND()Z"]},
            None,
        ],
        None,
        1_792_644_930_000,
    ),
    (["when", {"function": "STR_TO_DATE", "args": ["@YEAR()-@MONTH()-@DAY()"]}, None], None, None),
    (["a/b", {"function": "SUM", "isWindow": True, "order": ["$time"]}, None], 5, 20),
    (["a/b", {"function": "SUM", "isWindow": True}, None], 20, 20),
    (["a/b", {"function": "LEAD", "isWindow": True}, None], 15, None),
    (["a/b", {"function": "LAG", "args": ["@COLUMN()", 2], "isWindow": True}, None], None, None),
    (["a/b", {"function": "FIRST_VALUE", "isWindow": True}, None], 5, 5),
    (["a/b", {"function": "LAST_VALUE", "isWindow": True}, None], 15, 15),
    (["a/b", {"function": "LAST_VALUE", "isWindow": True, "order": [["a/b", "DESC"]]}, None], 5, 5),
    ([None, {"function": "ROW_NUMBER", "isWindow": True, "order": [["$time", "DESC"]]}, None], 2, 1),
    ([None, {"function": "RANK", "isWindow": True, "order": ["$deviceId"]}, None], 1, 1),
    ([None, {"function": "DENSE_RANK", "isWindow": True, "order": ["a/b"]}, None], 1, 2),
    ([None, {"function": "NTILE", "args": [2], "isWindow": True}, None], 1, 2),
    ([None, {"function": "COUNT", "isWindow": True, "partition": ["name"]}, None], 1, 1),
    (["a/b", {"function": "MAX", "isWindow": True, "partition": "on"}, None], 5, 15),
]


@pytest.mark.parametrize(("path", "first", "second"), VALUES, ids=lambda item: str(item)[:70])
async def test_values(history: History, readings: str, path: Any, first: Any, second: Any) -> None:
    asked = [path, "v"] if isinstance(path, str) else [path[0], "v", *path[1:]]
    found = await history.ask(readings, {"paths": ["$id", asked], "order": ["id"]})
    assert [row["v"] for row in found] == [first, second]
    assert [type(row["v"]) for row in found] == [type(first), type(second)]


AGGREGATES: list[tuple[Any, Any]] = [
    (["a/b", {"function": "AVG"}], 10),
    (["a/b", {"function": "SUM"}], 20),
    (["a/b", {"function": "MIN"}], 5),
    (["a/b", {"function": "MAX"}], 15),
    (["$time", {"function": "MAX"}], at(LATER)),
    (["$data/name", {"function": "MIN"}], "=y"),
    (["$historical", {"function": "MAX"}], 0),
    ([None, {"function": "COUNT"}], 2),
    (["on", {"function": "COUNT"}], 1),
    (["name", {"function": "COUNT_DISTINCT"}], 2),
    (["$deviceId", {"function": "COUNT_DISTINCT"}], 1),
    (["a/b", {"function": "STDDEV"}], 7.0710678118654755),
    (["a/b", {"function": "VARIANCE"}], 50),
    (["on", {"function": "FIRST"}], True),
    (["on", {"function": "LAST"}], True),
    (["a", {"function": "LAST"}], {"b": 15}),
    (["$time", {"function": "FIRST"}], at(EARLIER)),
    (["a/b", {"function": "PERCENTILE", "args": [100]}], 15),
    (["a/b", {"function": "/", "args": [{"function": "SUM"}, {"function": "COUNT"}]}], 10),
]


@pytest.mark.parametrize(("path", "expected"), AGGREGATES, ids=lambda item: str(item)[:70])
async def test_aggregates(history: History, readings: str, path: Any, expected: Any) -> None:
    assert await history.ask(readings, {"paths": [[path[0], "v", path[1]]]}) == [{"v": expected}]


CONDITIONS: list[tuple[Any, list[str]]] = [
    (["a/b", ">", 5], ["2"]),
    ([["a/b", ">=", 5], ["a/b", "<", 15]], ["1"]),
    (["a/b", "=", 5.0], ["1"]),
    (["a/b", "<>", 5], ["2"]),
    (["a/b", "IN", [5, 7]], ["1"]),
    (["a/b", "not in", [5, 7]], ["2"]),
    (["$id", "IN", ["2", "3"]], ["2"]),
    (["name", "==", "=y"], ["2"]),
    (["name", "LIKE", "%y"], ["2"]),
    (["name", "NOT LIKE", "=_"], ["1"]),
    (["on", "=", True], ["1"]),
    (["on", "=", None], ["2"]),
    (["on", "!=", None], ["1"]),
    (["$userId", "=", None], ["1", "2"]),
    (["$historical", "=", False], ["1", "2"]),
    (["$time", ">", at(EARLIER)], ["2"]),
    (["$time", "IN", [at(EARLIER)]], ["1"]),
    (["a/b", "=", {"type": "field", "value": "a/b"}], ["1", "2"]),
    (["a/b", "<", {"type": "field", "value": "$time"}], ["1", "2"]),
    (["$id", "=", {"type": "field", "value": "$deviceId"}], []),
    ([{"function": "+", "args": [{"type": "field", "value": "a/b"}, 1]}, ">", 10], ["2"]),
    ([{"type": "field", "value": "a/b", "cast": "string"}, "=", "5"], ["1"]),
    (
        {"type": "logical", "operator": "or", "conditions": [["a/b", "=", 5], ["name", "=", "=y"]]},
        ["1", "2"],
    ),
    (
        [["$deviceId", "=", "d1"], {"type": "logical", "operator": "and", "conditions": [["a/b", "=", 15]]}],
        ["2"],
    ),
    (["name", "=", "'; DROP TABLE device_events; --"], []),
]


@pytest.mark.parametrize(("where", "ids"), CONDITIONS, ids=lambda item: str(item)[:70])
async def test_conditions(history: History, readings: str, where: Any, ids: list[str]) -> None:
    found = await history.ask(readings, {"paths": ["$id"], "where": where})
    assert [row["id"] for row in found] == ids


async def test_data_is_ordered_as_numbers_and_grouped_by_value(history: History, project: str) -> None:
    values: list[Any] = [10, 9, "b", "a", {"x": 1}, None, True, 10]
    history.write(*(event(project, at("10:00:00.0") + i, {"v": v}) for i, v in enumerate(values)))
    found = await history.ask(project, {"paths": ["v"], "order": [["v", "DESC"], "$id"]})
    assert [row["v"] for row in found][:3] == [10, 10, 9]
    paths = ["v", [None, "n", {"function": "COUNT"}]]
    grouped = await history.ask(project, {"paths": paths, "group": ["v"], "order": [["n", "DESC"], "v"]})
    assert grouped[0] == {"v": 10, "n": 2}
    assert {"v": {"x": 1}, "n": 1} in grouped
    assert len(grouped) == 7


async def test_event_records_come_with_their_first_acknowledgement(history: History, project: str) -> None:
    first, second = at("10:00:00.0"), at("11:00:00.0")
    ack = DeviceEventAck(
        id="e1",
        time=DAY + 90_000_000,
        received_time=DAY + 90_000_000,
        project_id=project,
        device_id="d1",
        user_id="u1",
        data={"note": "seen"},
    )
    late = DeviceEventAck(id="e1", time=ack.time + 1, received_time=1, project_id=project, device_id="d1")
    history.write(alarm(project, first, "e1", {"level": 2}), alarm(project, second, "e2"), ack, late)
    history.write(alarm(project, first, "e1", {"level": 2}, id="twin", hash="another"))
    found = await history.ask(project, {"where": ["$id", "=", "e2"]}, "events")
    assert found == [
        {
            "id": "e2",
            "type": "alarm",
            "time": second,
            "deviceId": "d1",
            "systemId": "s1",
            "blueprintId": "b1",
            "data": None,
            "userId": None,
            "ack": None,
        }
    ]
    acked = await history.ask(project, {"where": [["$ack.time", "!=", None]]}, "events")
    assert acked[0]["ack"] == {"id": "e1", "time": ack.time, "data": {"note": "seen"}, "userId": "u1"}
    paths = ["$id", ["$ack.time", "at"], ["$ack.data/note", "note"], ["$event.data/level", "level"], "$type"]
    picked = await history.ask(project, {"paths": paths, "order": [["id", "DESC"]]}, "events")
    assert picked[0] == {"id": "e2", "at": None, "note": None, "level": None, "type": "alarm"}
    assert picked[1] == {"id": "e1", "at": ack.time, "note": "seen", "level": "2", "type": "alarm"}


async def test_a_scope_shows_its_rows_alone(history: History, project: str) -> None:
    time = at("10:00:00.0")
    places = [("d1", "s1"), ("d2", "s1"), ("d3", "s2"), ("d4", "s3")]
    history.write(*(event(project, time, {"v": 1}, device_id=d, system_id=s) for d, s in places))
    asked: dict[str, Any] = {"paths": ["$deviceId"]}

    async def devices(**scope: Any) -> list[str]:
        return [row["deviceId"] for row in await history.ask(project, asked, **scope)]

    assert await devices() == ["d1", "d2", "d3", "d4"]
    assert await devices(device_ids=["d2", "d3"]) == ["d2", "d3"]
    assert await devices(system_id="s1") == ["d1", "d2"]
    assert await devices(readable_devices=["d4"], readable_systems=["s1"]) == ["d1", "d2", "d4"]
    assert await devices(system_id="s1", readable_devices=["d2", "d4"]) == ["d2"]
    assert await devices(readable_devices=[]) == []
