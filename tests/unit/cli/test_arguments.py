"""From what is typed to what is sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import Answer, FakeApi, Seen, problem


@pytest.fixture
def sent(run: Run, api: FakeApi, profile: Callable[..., None]) -> Callable[..., Any]:
    """Runs a command that is accepted, and gives the request that came."""
    for method, path in (
        ("POST", "/v1/project/p/blueprints"),
        ("PATCH", "/v1/blueprint/b"),
        ("POST", "/v1/device/d/setValue"),
        ("PUT", "/v1/device/d/data/a%2Fb"),
        ("POST", "/v1/project/p/devices.search"),
        ("POST", "/rcv/farm"),
        ("DELETE", "/v1/userRole"),
        ("GET", "/v1/project/p/blueprints"),
        ("POST", "/v1/project/q/blueprints"),
    ):
        api.on(method, path, {"id": "x", "accepted": 1, "ids": ["e"]})

    def one(*words: str, stdin: str = "") -> Any:
        ended = run(*words, stdin=stdin)
        assert ended.code == 0, ended.err
        return api.seen[-1]

    return one


def test_options_body_and_assignments_go_together(sent: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text('{"name": "from the file", "alias": "room", "metadata": {"a": 1}}')
    seen = sent(
        *(
            "blueprint",
            "create",
            "--body",
            f"@{tmp_path / 'b.json'}",
            "--name",
            "Grün",
            "--check-mode",
            "warn",
        ),
        *(
            "--tags",
            "x",
            "--tags",
            "y",
            "metadata/icons/big=leaf",
            "--set",
            "metadata/count=3",
            "desc=true story",
        ),
    )
    assert seen.json == {
        "name": "Grün",
        "alias": "room",
        "checkMode": "warn",
        "tags": ["x", "y"],
        "desc": "true story",
        "metadata": {"a": 1, "icons": {"big": "leaf"}, "count": 3},
    }
    assert seen.headers["idempotency-key"]


def test_a_body_comes_from_stdin(sent: Callable[..., Any]) -> None:
    seen = sent("blueprint", "create", "--body", "-", stdin='{"name": "n", "alias": "a"}')
    assert seen.json == {"name": "n", "alias": "a"}


def test_a_change_is_a_list_of_operations(sent: Callable[..., Any]) -> None:
    seen = sent(
        "blueprint", "update", "b", "name=5", "metadata/floor=2", "--unset", "desc", "--if-match", "7"
    )
    assert seen.json == [
        {"path": "name", "value": 5, "op": "set"},
        {"path": "metadata/floor", "value": 2, "op": "set"},
        {"path": "desc", "op": "remove"},
    ]
    assert seen.headers["if-match"] == '"7"'
    assert sent("blueprint", "update", "b", "--body", '{"name": "n"}').json == {"name": "n"}
    assert sent("blueprint", "update", "b", "--body", '{"name": "n"}', "desc=d").json == [
        {"path": "name", "value": "n"},
        {"path": "desc", "value": "d", "op": "set"},
    ]


def test_values_of_a_device_keep_their_paths(sent: Callable[..., Any]) -> None:
    seen = sent(
        "device",
        "set-value",
        "d",
        "temperature=21.5",
        "battery/level=0.8",
        'note="5"',
        "ok=true",
        "gone=null",
    )
    values = {"temperature": 21.5, "battery/level": 0.8, "note": "5", "ok": True, "gone": None}
    assert seen.json == {"keyValue": values}


def test_the_project_is_the_one_in_use_unless_another_is_named(sent: Callable[..., Any]) -> None:
    seen = sent("blueprint", "create", "name=n", "alias=a", "--project", "q")
    assert (seen.path, seen.headers["x-fulcrum-project"]) == ("/v1/project/q/blueprints", "q")


def test_a_path_that_names_a_project_is_about_that_one(
    run: Run, api: FakeApi, profile: Callable[..., None]
) -> None:
    api.on("GET", "/v1/project/other", {"id": "other"})
    assert run("project", "get", "other").code == 0
    assert api.seen[0].headers["x-fulcrum-project"] == "other"


def test_no_project_is_named_by_an_empty_name(
    run: Run, api: FakeApi, profile: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULCRUM_PROJECT", "q")
    api.on("GET", "/v1/users", {"count": 0, "perPage": 50, "items": []})
    assert run("user", "list", "--project", "").code == 0
    assert "x-fulcrum-project" not in api.seen[0].headers
    assert run("blueprint", "list", "--project", "").code == 2


def test_lists_and_flags_of_a_query(sent: Callable[..., Any]) -> None:
    assert sent("blueprint", "list", "--per-page", "3", "--total").query == {"perPage": "3", "total": "true"}


def test_conditions_of_a_search(sent: Callable[..., Any]) -> None:
    seen = sent(
        *("search", "temperature>=20", "name~=room", "battery?", "metadata/floor!=2", "blueprintId=5"),
        *(
            "--text",
            "cold store",
            "--sort",
            "-temperature,name",
            "--at",
            "1700000000000",
            "--total",
            "--limit",
            "7",
        ),
    )
    assert seen.json == {
        "filter": [
            {"type": "comparison", "field": "data/temperature", "operator": ">=", "value": 20},
            {"type": "contains", "field": "name", "value": "room", "ignoreCase": True},
            {"type": "exists", "field": "data/battery"},
            {"type": "not", "condition": {"type": "equals", "field": "metadata/floor", "value": 2}},
            {"type": "equals", "field": "blueprintId", "value": 5},
            {"type": "text", "value": "cold store"},
        ],
        "sort": [{"field": "data/temperature", "order": "desc"}, {"field": "name", "order": "asc"}],
        "at": 1_700_000_000_000,
        "total": True,
        "perPage": 7,
    }


def test_an_event_is_sent_as_the_device_would(sent: Callable[..., Any]) -> None:
    seen = sent(
        "send", "farm", "room-1", "temperature=21.5", "--key", "fk_1", "--id", "e1", "--time", "2026-01-01"
    )
    assert seen.json == {
        "deviceId": "room-1",
        "id": "e1",
        "time": "2026-01-01",
        "data": {"temperature": 21.5},
    }
    assert seen.headers["authorization"] == "Bearer fk_1"
    seen = sent("send", "farm", "room-1", "--event", "alarm", "level=2", "--key", "fk_1")
    assert seen.json == {"deviceId": "room-1", "event": {"type": "alarm", "data": {"level": 2}}}


def test_a_file_of_events_goes_in_groups(sent: Callable[..., Any], api: FakeApi) -> None:
    lines = "\n".join(
        f'{{"deviceId": "d", "id": "{number}", "data": {{"n": {number}}}}}' for number in range(1201)
    )
    sent("send", "farm", "--file", "-", "--key", "fk_1", stdin=lines)
    assert [len(seen.json) for seen in api.seen] == [500, 500, 201]


def test_events_that_were_refused_are_told(run: Run, api: FakeApi, profile: Callable[..., None]) -> None:
    errors = [{"index": 1, "error": "event.tooDeep", "message": "too deep", "description": "flatten it"}]
    api.on("POST", "/rcv/farm", {"accepted": 1, "refused": 1, "ids": ["a"], "errors": errors}, 207)
    ended = run("send", "farm", "--file", "-", "--key", "k", stdin='{"deviceId": "d"}\n{"deviceId": "e"}\n')
    assert (ended.code, ended.out) == (1, "accepted 1\n")
    assert "too deep" in ended.err
    broken = run("send", "farm", "--file", "-", "--key", "k", stdin='{"deviceId": "d"}\nnonsense\n')
    assert (broken.code, "line 2" in broken.err) == (2, True)


def test_history_of_a_device_by_its_outside_name(
    run: Run, api: FakeApi, profile: Callable[..., None]
) -> None:
    api.on("GET", "/v1/device/getByNetworkAlias", {"id": "dev/1"})
    row = {"id": "e", "time": 1_700_000_000_000, "deviceId": "dev/1", "data": {"t": 1}}
    api.on("GET", "/v1/device/dev%2F1/history", {"count": 1, "perPage": 2, "items": [row], "next": "c"})
    ended = run("history", "--alias", "farm/serial=a=b", "--limit", "2", "--start", "1700000000000")
    assert ended.code == 0, ended.err
    assert api.seen[0].query == {"networkId": "farm", "aliasKey": "serial", "value": "a=b"}
    assert api.seen[1].query == {"start": "1700000000000", "order": "-$time", "perPage": "2"}
    assert ended.out.splitlines()[1] == '2023-11-14T22:13:20.000Z  dev/1     {"t": 1}'


@pytest.mark.parametrize(("flag", "kind"), [("--csv", "text/csv"), ("--jsonl", "application/x-ndjson")])
def test_history_is_exported_as_it_comes(
    run: Run, api: FakeApi, profile: Callable[..., None], flag: str, kind: str
) -> None:
    body = "id,data\r\n1,Grün\r\n".encode()
    api.on("GET", "/v1/project/p/history", body, 200, **{"Content-Type": kind})
    ended = run("history", "--whole", flag)
    assert ended.out.encode() == body
    assert api.seen[0].headers["accept"] == kind
    assert api.seen[0].query["format"] == ("csv" if flag == "--csv" else "jsonl")


def test_secrets_are_taken_from_stdin_and_never_from_the_command_line(
    run: Run, api: FakeApi, profile: Callable[..., None]
) -> None:
    api.on("POST", "/v1/user/changePassword", {"status": "done"})
    api.on("POST", "/v1/users", {"id": "u"}, 201)
    assert "--old" not in run("user", "change-password", "--help").out
    assert run("user", "change-password", stdin="before\nafter\n").code == 0
    assert api.seen[-1].json == {"old": "before", "new": "after"}
    assert run("user", "change-password", "--body", '{"old": "a", "new": "b"}').code == 0
    assert run("user", "create", "--username", "bob", "--ask-password", stdin="pass word\n").code == 0
    assert api.seen[-1].json == {"username": "bob", "password": "pass word"}
    assert run("user", "create", "--username", "bob").code == 0
    assert api.seen[-1].json == {"username": "bob"}
    count = len(api.seen)
    for line in (["change-password", "old=a", "new=b"], ["create", "username=b", "--set", "password=x"]):
        ended = run("user", *line)
        assert (ended.code, "command line" in ended.err) == (2, True)
    assert run("user", "change-password", stdin="only one\n").code == 2
    assert len(api.seen) == count


def test_events_that_are_sent_again_are_counted_once(
    run: Run, api: FakeApi, profile: Callable[..., None]
) -> None:
    keys: list[str] = []

    def answer(seen: Seen) -> Answer:
        keys.append(seen.headers["idempotency-key"])
        if len(keys) == 1:
            return Answer(503, problem(503, "service.unavailable"), {"Retry-After": "0"})
        return Answer(202, {"accepted": 1, "ids": ["e"]})

    api.answers["POST", "/rcv/farm"] = answer
    assert run("send", "farm", "room-1", "t=1", "--key", "k").code == 0
    assert len(keys) == 2
    assert len(set(keys)) == 1
