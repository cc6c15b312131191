"""What is written: tables, JSON, and what is picked out of an answer."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable

import pytest
from rich.cells import cell_len

from fulcrum.cli import output, values
from fulcrum.cli.problems import Problem
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import Answer, FakeApi, Seen

ITEMS = [
    {"id": "a1", "name": "Größe 測試", "alias": "room", "created": 1_700_000_000_000, "tags": []},
    {
        "id": "b2",
        "name": "\x1b[31mred\x1b[0m\nline",
        "alias": "hall",
        "created": 1_700_000_000_000,
        "x": {"y": 1},
    },
]
PAGE = {"count": 2, "perPage": 2, "items": ITEMS, "next": "c-2"}


@pytest.fixture(autouse=True)
def _pages(api: FakeApi, profile: Callable[..., None]) -> None:
    def answer(seen: Seen) -> Answer:
        last = {"count": 1, "perPage": 2, "items": [{"id": "c3", "name": "third"}]}
        return Answer(200, last if seen.query.get("cursor") == "c-2" else PAGE)

    api.answers["GET", "/v1/project/p/blueprints"] = answer


def test_a_table_in_a_pipe_is_whole_and_steers_no_terminal(run: Run) -> None:
    ended = run("blueprint", "list")
    head, first, second = ended.out.splitlines()
    assert head.split() == ["id", "name", "alias", "x", "created"]
    assert "Größe 測試" in first
    assert "2023-11-14T22:13:20.000Z" in first
    assert "\x1b" not in ended.out
    assert "\\x1b[31mred\\x1b[0m\\nline" in second
    assert '{"y": 1}' in second
    assert "--cursor c-2" in ended.err
    assert all(text == text.rstrip() for text in ended.out.splitlines())


def test_json_is_what_the_api_answered(run: Run) -> None:
    assert run("blueprint", "list", "--json").json == PAGE


def test_lines_of_json_are_an_item_each(run: Run) -> None:
    ended = run("blueprint", "list", "--jsonl", "--all")
    assert [json.loads(text)["id"] for text in ended.out.splitlines()] == ["a1", "b2", "c3"]
    assert ended.err == ""


def test_all_pages_are_one_document(run: Run) -> None:
    found = run("blueprint", "list", "--json", "--all").json
    assert (found["count"], [item["id"] for item in found["items"]]) == (3, ["a1", "b2", "c3"])


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("items/0/id", "a1\n"),
        ("items/*/id", "a1\nb2\n"),
        ("items/1/x", '{"y":1}\n'),
        ("count", "2\n"),
        ("items/*/no", ""),
    ],
)
def test_extract_picks_out_of_the_answer(run: Run, path: str, written: str) -> None:
    assert run("blueprint", "list", "--extract", path).out == written


def test_extract_of_what_is_not_there_fails(run: Run) -> None:
    ended = run("blueprint", "list", "--extract", "item/0")
    assert (ended.code, ended.out) == (1, "")
    assert "it has: count, perPage, items, next" in ended.err


def test_fields_choose_the_columns(run: Run) -> None:
    assert run("blueprint", "list", "--fields", "alias,x/y").out.splitlines()[2].split() == ["hall", "1"]


def test_a_narrow_terminal_leaves_columns_out_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    rows = [["1" * 22, "測" * 30, "c" * 20, "d" * 20]]
    output.table(["id", "name", "third", "fourth"], rows, whole=False)
    out, err = capsys.readouterr()
    out = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert "1" * 22 in out, "an id is never cut"
    assert max(cell_len(text) for text in out.splitlines()) <= 40
    assert "third" not in out
    assert "not shown: third, fourth" in err


def test_nothing_found_is_said_beside_the_answer(run: Run, api: FakeApi) -> None:
    api.on("GET", "/v1/project/p/blueprints", {"count": 0, "perPage": 50, "items": []})
    ended = run("blueprint", "list")
    assert (ended.code, ended.out, ended.err) == (0, "", "nothing found\n")


def test_an_object_is_written_leaf_by_leaf(run: Run, api: FakeApi) -> None:
    api.on(
        "GET",
        "/v1/blueprint/b",
        {"name": "n", "created": 0, "metadata": {"a": {"b": [1]}, "c": {}}, "id": "b"},
    )
    assert run("blueprint", "get", "b").out.splitlines() == [
        "id            b",
        "name          n",
        "metadata/a/b  [1]",
        "created       1970-01-01T00:00:00.000Z",
    ]


def test_a_terminal_without_the_letters_is_no_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert run("blueprint", "list", "--json").code == 0


def test_instants_that_are_none_stay_as_they_are() -> None:
    assert values.cell("created", 10**30) == str(10**30)
    assert values.cell("created", True) == "true"
    for key in ("sentTime", "reportTime", "nextTry", "expireTime", "until"):
        assert values.cell(key, 1_700_000_000_000) == "2023-11-14T22:13:20.000Z"
    assert values.cell("temperature", 1_700_000_000_000) == "1700000000000"
    assert values.cell("next", [1_700_000_000_000, 1_700_000_060_000]) == (
        "2023-11-14T22:13:20.000Z, 2023-11-14T22:14:20.000Z"
    )
    assert [values.cell("next", value) for value in ("cursor", [], ["a"])] == ["cursor", "[]", '["a"]']
    # A path of a device's data may end so as well.
    assert [values.cell("data/next", value) for value in (3, [3, 4])] == ["3", "[3, 4]"]


def test_a_path_through_a_leaf_is_refused() -> None:
    with pytest.raises(Problem, match="no object"):
        values.put({"a": 1}, "a/b", 2)
