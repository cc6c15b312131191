"""The live stream: read, shown, continued after it broke."""

from __future__ import annotations

import json
from collections.abc import Callable

from fulcrum.cli import tail
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import Answer, FakeApi, Seen

DATA = (
    'event: data\ndata: {"deviceId": "d", "time": 1700000000000, "data": {"a": {"b": 1}}, '
    '"cleared": ["x"]}\n\n'
)
CHANGED = (
    'id: 17-x\nevent: changed\ndata: {"kind": "device", "resourceId": "d", "verb": "updated", '
    '"time": 1700000000000, "actor": {"name": "ada"}}\n\n'
)
READY = 'event: ready\ndata: {"gap": false}\n\n'


def test_events_are_read_as_the_standard_says() -> None:
    text = ":comment\nevent: data\ndata: [1,\ndata:2]\nid: 7\nretry: 3\n\n\nevent: none\n\ndata: plain\n\n"
    lines = text.split("\n")
    assert list(tail.parsed(lines)) == [tail.Heard("data", [1, 2], "7"), tail.Heard("message", "plain", "")]


def test_it_connects_again_and_goes_on_where_it_was(
    run: Run, api: FakeApi, profile: Callable[..., None]
) -> None:
    answers = iter(
        [
            Answer(200, (READY + CHANGED).encode()),
            Answer(503, {"status": 503, "error": "service.unavailable", "message": "later"}),
            Answer(200, b'event: ready\ndata: {"gap": true}\n\nevent: gap\ndata: {}\n\n' + DATA.encode()),
        ]
    )
    api.answers["GET", "/v1/live"] = lambda seen: next(answers)
    ended = run(
        "tail", "--count", "2", "--device", "d", "--device", "e", "--only", "data", "--only", "changed"
    )
    assert ended.code == 0, ended.err
    assert ended.out.splitlines() == [
        "2023-11-14T22:13:20.000Z  changed  device d updated by ada",
        "2023-11-14T22:13:20.000Z  data     d  a/b=1 x=",
    ]
    assert "last-event-id" not in api.seen[0].headers
    assert [seen.headers["last-event-id"] for seen in api.seen[1:]] == ["17-x", "17-x"]
    assert "something may have been missed" in ended.err


def test_lines_of_json_hold_the_name_and_the_position(
    run: Run, api: FakeApi, profile: Callable[..., None]
) -> None:
    api.on("GET", "/v1/live", (READY + CHANGED).encode())
    found = json.loads(run("tail", "--json", "--count", "1").out)
    assert (found["event"], found["position"], found["resourceId"]) == ("changed", "17-x", "d")


def test_what_is_refused_at_first_ends_it(run: Run, api: FakeApi, profile: Callable[..., None]) -> None:
    api.refuse("GET", "/v1/live", 403, "permission.missing")
    assert run("tail").code == 1
    profile(url="http://127.0.0.1:1")
    assert run("tail").code == 6


def test_a_token_that_expires_meanwhile_is_replaced(
    run: Run, api: FakeApi, profile: Callable[..., None]
) -> None:
    from tests.unit.cli.fake_api import problem, signed_in

    def answer(seen: Seen) -> Answer:
        if seen.headers["authorization"] == "Bearer id-second":
            return Answer(200, (READY + DATA).encode())
        if len(api.seen) == 1:
            return Answer(200, (READY + 'event: expired\ndata: {"error": "auth.expired"}\n\n').encode())
        return Answer(401, problem(401, "auth.expired"))

    api.answers["GET", "/v1/live"] = answer
    api.on("POST", "/v1/login/refresh", signed_in("second", 4_102_444_800_000))
    ended = run("tail", "--count", "1")
    assert ended.code == 0, ended.err
    assert [seen.path for seen in api.seen] == ["/v1/live", "/v1/live", "/v1/login/refresh", "/v1/live"]
