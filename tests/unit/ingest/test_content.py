"""What one event may say: every refusal by name, and what each form of data means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.ingest.content import Content, Refused, check
from shared.messages import Write

EVENTS = Path(__file__).resolve().parents[2] / "events" / "ingest"
KEYS = ("serial", "imei")


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"k": value}
    return value


def boxed(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


MANY = {f"p{n}": 1 for n in range(1000)}
REFUSED: list[tuple[Any, str]] = [
    ("text", "event.notAnObject"),
    (None, "event.notAnObject"),
    ([], "event.notAnObject"),
    ({"data": {"x": 1}}, "event.noDevice"),
    ({"deviceId": None, "data": {"x": 1}}, "event.noDevice"),
    ({"deviceId": 7, "data": {"x": 1}}, "event.badDeviceId"),
    ({"deviceId": "", "data": {"x": 1}}, "event.badDeviceId"),
    ({"deviceId": "a" * 129, "data": {"x": 1}}, "event.badDeviceId"),
    ({"deviceId": "a\nb", "data": {"x": 1}}, "event.badDeviceId"),
    ({"deviceId": "a", "id": "", "data": {"x": 1}}, "event.badId"),
    ({"deviceId": "a", "id": 5, "data": {"x": 1}}, "event.badId"),
    ({"deviceId": "a", "id": "\x00", "data": {"x": 1}}, "event.badId"),
    ({"deviceId": "a", "aliasKey": ["serial"], "data": {"x": 1}}, "event.badAliasKey"),
    ({"deviceId": "a", "aliasKey": "mac", "data": {"x": 1}}, "event.unknownAliasKey"),
    ({"deviceId": "a", "historical": "yes", "data": {"x": 1}}, "event.badHistorical"),
    ({"deviceId": "a", "historical": 1, "data": {"x": 1}}, "event.badHistorical"),
    ({"deviceId": "a", "dat": {"x": 1}}, "event.unknownField"),
    ({"deviceId": "a"}, "event.empty"),
    ({"deviceId": "a", "data": {}}, "event.empty"),
    ({"deviceId": "a", "data": [], "event": []}, "event.empty"),
    ({"deviceId": "a", "data": 5}, "event.badData"),
    ({"deviceId": "a", "data": True}, "event.badData"),
    ({"deviceId": "a", "data": "x=1"}, "event.badData"),
    ({"deviceId": "a", "data": [5]}, "event.badWrite"),
    ({"deviceId": "a", "data": [{"path": "x"}]}, "event.badWrite"),
    ({"deviceId": "a", "data": [{"value": 1}]}, "event.badWrite"),
    ({"deviceId": "a", "data": [{"path": "x", "value": 1, "unit": "C"}]}, "event.badWrite"),
    ({"deviceId": "a", "data": [{"path": "x", "op": "set"}]}, "event.badWrite"),
    ({"deviceId": "a", "data": [{"path": 1, "value": 1}]}, "event.badPath"),
    ({"deviceId": "a", "data": [{"path": "x", "value": 1, "op": "add"}]}, "event.badOp"),
    ({"deviceId": "a", "data": [{"path": "x", "value": 1, "op": None}]}, "event.badOp"),
    ({"deviceId": "a", "data": [{"path": "x", "value": 1, "op": ["set"]}]}, "event.badOp"),
    ({"deviceId": "a", "data": [{"path": "x", "value": 1, "op": "delete"}]}, "event.badOp"),
    ({"deviceId": "a", "data": {"": 1}}, "event.badPath"),
    ({"deviceId": "a", "data": {"/x": 1}}, "event.badPath"),
    ({"deviceId": "a", "data": {"x//y": 1}}, "event.badPath"),
    ({"deviceId": "a", "data": {"x.y": 1}}, "event.badPath"),
    ({"deviceId": "a", "data": {"größe": 1}}, "event.badPath"),
    ({"deviceId": "a", "data": {"__x__": 1}}, "event.badPath"),
    ({"deviceId": "a", "data": {"x" * 301: 1}}, "event.badPath"),
    ({"deviceId": "a", "data": {"/".join("abcdefghijk"): 1}}, "event.badPath"),
    ({"deviceId": "a", "data": {"x": {"y z": 1}}}, "event.badKey"),
    ({"deviceId": "a", "data": {"x": {"y/z": 1}}}, "event.badKey"),
    ({"deviceId": "a", "data": {"x": {"": 1}}}, "event.badKey"),
    ({"deviceId": "a", "data": {"x": {"__name__": 1}}}, "event.badKey"),
    ({"deviceId": "a", "data": {"x": {"y" * 299: 1}}}, "event.badKey"),
    ({"deviceId": "a", "data": {"x": nested(15)}}, "event.tooDeep"),
    ({"deviceId": "a", "data": {"x": boxed(15)}}, "event.tooDeep"),
    ({"deviceId": "a", "data": {"a/b/c/d/e": nested(11)}}, "event.tooDeep"),
    ({"deviceId": "a", "data": {"x": 2**63}}, "event.integerTooLarge"),
    ({"deviceId": "a", "data": {"x": {"y": [-(2**63) - 1]}}}, "event.integerTooLarge"),
    ({"deviceId": "a", "data": {"x": 10**4000}}, "event.integerTooLarge"),
    ({"deviceId": "a", "time": 2**63, "data": {"x": 1}}, "event.integerTooLarge"),
    ({"deviceId": "a", "data": {f"p{n}": 1 for n in range(1001)}}, "event.tooManyPaths"),
    ({"deviceId": "a", "data": [{"path": "x", "value": 1}] * 1001}, "event.tooManyPaths"),
    (
        {"deviceId": "a", "data": {"a": {f"p{n}": {"x": 1, "y": []} for n in range(501)}}},
        "event.tooManyPaths",
    ),
    (
        {"deviceId": "a", "data": [{"path": "a", "value": MANY, "op": "replace"}]},
        "event.tooManyPaths",
    ),
    (
        {"deviceId": "a", "data": [{"path": "b", "op": "delete"}, {"path": "a", "value": MANY}]},
        "event.tooManyPaths",
    ),
    ({"deviceId": "a", "data": {"/".join("abcdefghijk"): 1}}, "event.badPath"),
    ({"deviceId": "a", "data": {"/".join("abcdefghij"): nested(6)}}, "event.tooDeep"),
    ({"deviceId": "a", "event": [{"id": "1"}, {"id": "1"}]}, "event.repeatedId"),
    ({"deviceId": "a", "event": [{}] * 1001}, "event.tooManyRecords"),
    ({"deviceId": "a", "event": "alarm"}, "event.badRecord"),
    ({"deviceId": "a", "event": {"kind": "alarm"}}, "event.badRecord"),
    ({"deviceId": "a", "event": [{"type": 5}]}, "event.badType"),
    ({"deviceId": "a", "event": {"id": ""}}, "event.badId"),
    ({"deviceId": "a", "event": {"data": boxed(20)}}, "event.tooDeep"),
    ({"deviceId": "a", "event": {"data": {"n": 2**64}}}, "event.integerTooLarge"),
]


@pytest.mark.parametrize(("raw", "name"), REFUSED, ids=[f"{i}-{n}" for i, (_, n) in enumerate(REFUSED)])
def test_refused_by_name(raw: Any, name: str) -> None:
    with pytest.raises(Refused) as caught:
        check(raw, KEYS)
    assert caught.value.fault.error == name
    assert caught.value.fault.message
    assert caught.value.fault.description


def test_the_limits_themselves_are_taken() -> None:
    limits: tuple[dict[str, Any], ...] = (
        {"x": nested(14)},
        {"x": boxed(14)},
        {"/".join("abcdefghij"): nested(5)},
        {"x" * 300: 1},
        {"x": [2**63 - 1, -(2**63), 1.7976931348623157e308, None, True, "", {}, []]},
        {"x": [{"any key: at all": 1, "": 2, "__a__": 3}]},
        MANY,
        {"a": MANY},
        {"a": {f"p{n}": {"x": 1, "y": {}} for n in range(500)}},
        {"a": [MANY] * 3},
    )
    for data in limits:
        assert check({"deviceId": "a" * 128, "data": data}, KEYS).writes


def test_every_form_of_the_samples() -> None:
    forms = [check(raw, KEYS) for raw in json.loads((EVENTS / "forms.json").read_text())]
    assert forms[0].writes == forms[1].writes == [Write("temperature", 21.5)]
    assert forms[2].writes == [
        Write("temperature", 21.5),
        Write("engine", {"rpm": 0}, "replace"),
        Write("alarm", None, "delete"),
    ]
    assert [form.historical for form in forms] == [False, False, False, True, False, False]
    assert forms[4].records == [{"type": "visits", "data": {"by": "J. Smith"}}]
    assert len(forms[5].records) == 2
    assert {form.alias_key for form in forms} == {"serial"}


def test_a_lone_property_called_path_is_no_write() -> None:
    def writes(data: Any) -> list[Write]:
        content: Content = check({"deviceId": "a", "data": data}, KEYS)
        return content.writes

    assert writes({"path": "a/b"}) == [Write("path", "a/b")]
    assert writes({"path": 1, "value": 2}) == [Write("path", 1), Write("value", 2)]
    assert writes({"path": "a/b", "op": "delete"}) == [Write("a/b", None, "delete")]
    assert writes([{"path": "a", "value": None}]) == [Write("a", None)]


def test_the_alias_key_is_needed_where_the_network_has_none() -> None:
    with pytest.raises(Refused) as caught:
        check({"deviceId": "a", "data": {"x": 1}}, ())
    assert caught.value.fault.error == "event.noAliasKey"
    assert check({"deviceId": "a", "aliasKey": "any", "data": {"x": 1}}, ()).alias_key == "any"
