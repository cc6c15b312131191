"""Commit, BatchWrite and the methods that write one document: the same on ours and on Google's."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from google.api_core.exceptions import GoogleAPICallError

from tests.integration.firestore.api import NAN, Api, code_of, outcome, value

OLD = "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("there", "kind", "precondition", "code"),
    [
        (False, "set", {"exists": True}, "NOT_FOUND"),
        (True, "set", {"exists": True}, "OK"),
        (True, "set", {"exists": False}, "ALREADY_EXISTS"),
        (False, "set", {"exists": False}, "OK"),
        (True, "set", {"update_time": OLD}, "FAILED_PRECONDITION"),
        (False, "set", {"update_time": OLD}, "FAILED_PRECONDITION"),
        (True, "set", {"update_time": "mine"}, "OK"),
        (False, "delete", {}, "OK"),
        (False, "delete", {"exists": True}, "NOT_FOUND"),
        (True, "delete", {"exists": False}, "ALREADY_EXISTS"),
        (False, "delete", {"update_time": OLD}, "FAILED_PRECONDITION"),
        (True, "delete", {"update_time": "mine"}, "OK"),
        (False, "transform", {"exists": True}, "NOT_FOUND"),
        (False, "transform", {}, "OK"),
    ],
)
def test_preconditions(api: Api, there: bool, kind: str, precondition: dict[str, Any], code: str) -> None:
    if there:
        made = api.commit(api.set("c/a", {"x": 0}))
        if precondition.get("update_time") == "mine":
            precondition = {"update_time": made.write_results[0].update_time}
    more = {"current_document": precondition} if precondition else {}
    write = {
        "set": lambda: api.set("c/a", {"x": 1}, **more),
        "delete": lambda: api.delete("c/a", **more),
        "transform": lambda: api.transform("c/a", {"field_path": "x", "increment": value(1)}, **more),
    }[kind]()
    single = outcome(lambda: api.commit(api.set("c/other", {"x": 1}), write))
    assert single[0] == code
    # A commit is all or nothing.
    assert (api.read("c/other") is not None) == (code == "OK")
    if code != "OK":
        batch = api.batch_write(api.set("c/other", {"x": 1}), write)
        assert batch.status[0].code == 0
        assert (batch.status[1].code, batch.status[1].message) == (
            {"NOT_FOUND": 5, "ALREADY_EXISTS": 6, "FAILED_PRECONDITION": 9}[code],
            single[1],
        )
        assert not batch.write_results[1]
        assert api.read("c/other") == {"x": 1}


ODD = {"k.l": 3}
MAP = {"a": 1, "b": {"c": 2}}


@pytest.mark.parametrize(
    ("paths", "fields", "changed"),
    [
        (["x"], {"x": 5}, {"x": 5}),
        (["x"], {}, {"x": None}),
        (["m.b.c"], {}, {"m": {"a": 1, "b": {}}}),
        (["m.b.d"], {"m": {"b": {"d": 7}, "a": 9}}, {"m": {"a": 1, "b": {"c": 2, "d": 7}}}),
        (["`odd name`.`k.l`"], {"odd name": {"k.l": 4}}, {"odd name": {"k.l": 4}}),
        (["`odd name`.`k.l`"], {}, {"odd name": {}}),
        (["`a\\`b`"], {"a`b": 1}, {"a`b": 1}),
        (["x.y"], {"x": {"y": 1}}, {"x": {"y": 1}}),
        (["x.y.z", "no.such"], {}, {}),
        ([], {"x": 9}, {}),
        (["m", "m.a"], {"m": {"a": 8}}, {"m": {"a": 8}}),
    ],
)
def test_update_masks(api: Api, paths: list[str], fields: dict[str, Any], changed: dict[str, Any]) -> None:
    before = {"x": 1, "m": MAP, "odd name": ODD}
    api.commit(api.set("c/a", before))
    api.commit(api.set("c/a", fields, update_mask={"field_paths": paths}))
    after = {key: item for key, item in {**before, **changed}.items() if item is not None}
    assert api.read("c/a") == after


def test_a_mask_creates_a_document_that_is_missing(api: Api) -> None:
    api.commit(api.set("c/new", {"x": 1, "y": 2}, update_mask={"field_paths": ["x"]}))
    assert api.read("c/new") == {"x": 1}
    api.commit(api.set("c/bare", update_mask={"field_paths": []}))
    assert api.read("c/bare") == {}


@pytest.mark.parametrize(
    ("before", "transform", "after"),
    [
        (1, {"increment": value(5)}, 6),
        (1, {"increment": value(0.5)}, 1.5),
        (0.5, {"increment": value(1)}, 1.5),
        ("s", {"increment": value(5)}, 5),
        (None, {"increment": value(5)}, 5),
        (2**63 - 1, {"increment": value(9)}, 2**63 - 1),
        (-(2**63), {"increment": value(-9)}, -(2**63)),
        (1, {"maximum": value(5)}, 5),
        (7, {"maximum": value(5)}, 7),
        (1, {"maximum": value(1.0)}, 1),
        (1.0, {"minimum": value(1)}, 1.0),
        (7, {"minimum": value(5.5)}, 5.5),
        ("s", {"minimum": value(5)}, 5),
        ([1, 3], {"append_missing_elements": value([1, 2, 2, 1.0])["array_value"]}, [1, 3, 2]),
        ("s", {"append_missing_elements": value([1])["array_value"]}, [1]),
        ([None], {"append_missing_elements": value([None])["array_value"]}, [None]),
        ([1, 3, 1, 2], {"remove_all_from_array": value([1, 3.0])["array_value"]}, [2]),
        ("s", {"remove_all_from_array": value([1])["array_value"]}, []),
    ],
)
def test_transforms(api: Api, before: Any, transform: dict[str, Any], after: Any) -> None:
    api.commit(api.set("c/a", {"n": {"v": before}, "other": 1}))
    step = {"field_path": "n.v", **transform}
    answer = api.commit(api.transform("c/a", step))
    stored = api.read("c/a")
    assert stored == {"n": {"v": after}, "other": 1}
    assert type(stored["n"]["v"]) is type(after)
    result = answer.write_results[0].transform_results[0]
    # Arrays are not sent back.
    assert result._pb.WhichOneof("value_type") == next(
        iter(value(None if isinstance(after, list) else after))
    )
    api.commit(api.set("d/a", {"n": {"v": before}}, update_transforms=[step]))
    assert api.read("d/a") == {"n": {"v": after}}


@pytest.mark.parametrize("kind", ["maximum", "minimum", "increment"])
def test_nan_wins_every_transform(api: Api, kind: str) -> None:
    for before, operand in ((NAN, 1), (1, NAN)):
        api.commit(api.set("c/a", {"v": before}))
        api.commit(api.transform("c/a", {"field_path": "v", kind: value(operand)}))
        stored = api.read("c/a")
        assert stored is not None
        assert stored["v"] != stored["v"]


def test_server_time_is_the_same_for_all_transforms_of_a_commit(api: Api) -> None:
    now = {"field_path": "at", "set_to_server_value": "REQUEST_TIME"}
    answer = api.commit(api.transform("c/a", now), api.set("c/b", {"x": 1}, update_transforms=[now]))
    first, second = api.read("c/a"), api.read("c/b")
    assert first is not None
    assert second is not None
    assert first["at"] == second["at"]
    assert first["at"].microsecond % 1000 == 0
    assert abs((answer.commit_time - first["at"]).total_seconds()) < 5


def test_transforms_run_in_order_after_the_update(api: Api) -> None:
    steps = [{"field_path": "n", "increment": value(1)}, {"field_path": "n", "increment": value(2)}]
    answer = api.commit(api.set("c/a", {"n": 10}, update_transforms=steps))
    assert [result.integer_value for result in answer.write_results[0].transform_results] == [11, 13]
    assert api.read("c/a") == {"n": 13}


def test_one_commit_may_write_a_document_several_times(api: Api) -> None:
    answer = api.commit(
        api.set("c/a", {"x": 1}),
        api.transform("c/a", {"field_path": "x", "increment": value(1)}),
        api.delete("c/a"),
        api.set("c/a", {"x": 9}, current_document={"exists": False}),
    )
    assert api.read("c/a") == {"x": 9}
    assert [result.update_time for result in answer.write_results] == [answer.commit_time] * 4


def test_times_rise_and_a_write_without_change_keeps_the_old_one(api: Api) -> None:
    seen = [api.commit(api.set("c/a", {"x": count})).write_results[0].update_time for count in range(20)]
    assert all(earlier < later for earlier, later in pairwise(seen))
    again = api.commit(api.set("c/a", {"x": 19}))
    assert again.write_results[0].update_time == seen[-1] == api.get("c/a").update_time
    assert api.get("c/a").create_time == seen[0]
    api.commit(api.delete("c/a"))
    assert api.commit(api.set("c/a", {"x": 19})).write_results[0].update_time == api.get("c/a").create_time


def test_batch_write_is_many_commits_in_one_call(api: Api) -> None:
    api.commit(api.set("c/there", {"x": 1}))
    answer = api.batch_write(
        api.set("c/a", {"x": 1}),
        api.set("c/none", {"x": 1}, current_document={"exists": True}),
        api.delete("c/there", current_document={"update_time": OLD}),
        api.transform("c/b", {"field_path": "n", "increment": value(3)}),
        api.delete("c/never"),
    )
    assert [status.code for status in answer.status] == [0, 5, 9, 0, 0]
    assert [bool(result.update_time) for result in answer.write_results] == [True, False, False, True, False]
    assert answer.write_results[3].transform_results[0].integer_value == 3
    assert answer.write_results[0].update_time < answer.write_results[3].update_time
    assert api.read("c/there") == {"x": 1}


def test_the_same_document_twice_fails_a_whole_batch_write(api: Api) -> None:
    twice = outcome(lambda: api.batch_write(api.set("c/a", {"x": 1}), api.set("c/b"), api.delete("c/a")))
    assert twice == (
        "INVALID_ARGUMENT",
        "the same document cannot be written more than once in a single request",
    )
    assert api.read("c/b") is None


def test_a_document_over_the_limit_fails_alone_in_a_batch_write(api: Api) -> None:
    large = {"a": "x" * 600_000, "b": "y" * 600_000}
    answer = api.batch_write(api.set("c/a", {"x": 1}), api.set("c/large", large))
    assert [status.code for status in answer.status] == [0, 3]
    assert answer.status[1].message == "maximum entity size is 1048576 bytes"
    assert outcome(lambda: api.commit(api.set("c/large", large))) == (
        "INVALID_ARGUMENT",
        "maximum entity size is 1048576 bytes",
    )


def test_the_size_of_a_document_is_counted_to_the_byte(api: Api) -> None:
    # 16 + (c and 1) + (size and 1) of the name, 2 + 600001 and 2 + n + 1 of the fields, 32.
    room = 1_048_576 - (16 + 2 + 5) - (2 + 600_001) - (2 + 1) - 32
    fits = {"a": "x" * 600_000, "b": "é" * (room // 2) + "y" * (room % 2)}
    assert code_of(lambda: api.commit(api.set("c/size", fits))) == "OK"
    over = {**fits, "b": fits["b"] + "y"}
    assert code_of(lambda: api.commit(api.set("c/size", over))) == "INVALID_ARGUMENT"


def test_single_document_methods(api: Api) -> None:
    made = api.call(
        "create_document",
        parent=api.root,
        collection_id="c",
        document_id="a",
        document={"fields": {"x": value(1), "y": value(2)}},
        mask={"field_paths": ["y"]},
    )
    assert made.name == api.name("c/a")
    assert set(made.fields) == {"y"}
    assert made.create_time == made.update_time
    with pytest.raises(GoogleAPICallError) as again:
        api.call("create_document", parent=api.root, collection_id="c", document_id="a", document={})
    assert again.value.grpc_status_code.name == "ALREADY_EXISTS"
    own_id = api.call("create_document", parent=made.name, collection_id="sub", document={})
    assert len(own_id.name.rsplit("/", 1)[1]) == 20
    updated = api.call(
        "update_document", document=api.document("c/a", x=5, z=6), update_mask={"field_paths": ["x"]}
    )
    assert api.read("c/a") == {"x": 5, "y": 2}
    assert updated.update_time > made.update_time
    api.call("delete_document", name=made.name)
    api.call("delete_document", name=made.name)
    assert api.read("c/a") is None
    missing = {"name": made.name, "current_document": {"exists": True}}
    assert code_of(lambda: api.call("delete_document", **missing)) == "NOT_FOUND"


def test_databases_are_apart(api: Api) -> None:
    other = f"projects/{api.project}/databases/other"
    write = {"update": {"name": f"{other}/documents/c/a", "fields": {"x": value(2)}}}
    api.commit(api.set("c/a", {"x": 1}))
    api.call("commit", database=other, writes=[write])
    assert api.read("c/a") == {"x": 1}
    found = api.call("get_document", name=f"{other}/documents/c/a")
    assert found.fields["x"].integer_value == 2
