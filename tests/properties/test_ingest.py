"""What holds for any body: no 5xx, no trace, nothing dropped in silence, one identity however batched."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ingest import assemble, decode, split
from functions.ingest.auth import Network
from functions.ingest.limits import Rates
from shared import json_text
from tests.support.ingest import Ingest

NOW = 1_792_655_730_000
NETWORK = Network("n", "p", ("serial",), {}, Rates(0, 0))

segments = st.text("abcXYZ019_", min_size=1, max_size=6).filter(
    lambda s: not (s.startswith("__") and s.endswith("__"))
)
paths = st.lists(segments, min_size=1, max_size=3).map("/".join)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(segments, inner, max_size=3),
    max_leaves=8,
)
names = st.text("abcdef0123456789:-", min_size=1, max_size=12)
events = st.fixed_dictionaries(
    {"deviceId": names, "data": st.dictionaries(paths, anything, min_size=1, max_size=4)},
    optional={
        "id": names,
        "time": st.integers(NOW - 10**9, NOW) | st.just("2026-10-22T06:15:30Z") | st.just("late"),
        "historical": st.booleans(),
        "event": st.fixed_dictionaries({"data": anything}, optional={"type": names, "id": names}),
    },
)


def messages(body: bytes, lines: bool = False) -> list[dict[str, Any]]:
    batch = assemble.batch(decode.parse(body, lines), NETWORK, NOW, "key")
    assert batch.refused == []
    return [json.loads(event) for event in batch.events]


@given(st.lists(events, min_size=1, max_size=5), st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_what_is_sent_comes_out_and_the_same_however_batched(
    sent: list[dict[str, Any]], ascii_only: bool, indent: int | str | None
) -> None:
    array = messages(json.dumps(sent, ensure_ascii=ascii_only, indent=indent).encode())
    lines = messages("\n".join(json.dumps(event) for event in sent).encode(), True)
    assert array == lines
    for event, message in zip(sent, array, strict=True):
        assert {write["path"]: write["value"] for write in message["data"]} == event["data"]
        assert message["deviceId"] == event["deviceId"]
        (alone,) = messages(json.dumps(event).encode())
        assert alone["hash"] == message["hash"]
        if "id" in event:
            assert alone["id"] == message["id"] == event["id"]
            assert alone.get("event") == message.get("event")


@given(events, events)
def test_different_content_has_a_different_hash(one: dict[str, Any], other: dict[str, Any]) -> None:
    def content(event: dict[str, Any]) -> str:
        historical = event.get("historical", False)
        data = list(event["data"].items())
        return json.dumps([event.get("time"), event["deviceId"], historical, data, event.get("event")])

    (first,) = messages(json.dumps(one).encode())
    (second,) = messages(json.dumps(other).encode())
    assert (first["hash"] == second["hash"]) is (content(one) == content(other))


@given(st.lists(events, max_size=4), st.data())
def test_array_elements_are_cut_where_they_end(sent: list[Any], data: st.DataObject) -> None:
    space = st.text(" \n\t\r", max_size=2)
    texts = [json.dumps(event, ensure_ascii=data.draw(st.booleans())) for event in sent]
    body = "[" + ",".join(f"{data.draw(space)}{text}{data.draw(space)}" for text in texts) + "]"
    assert json_text.elements(body.encode()) == [text.encode() for text in texts]
    assert split.members_in_text(body.encode()) == split.members(sent)


def _mutated(generator: random.Random) -> bytes:
    """A valid request, damaged here and there."""
    sent = [
        {
            "deviceId": "t-1",
            "time": generator.choice([NOW, "2026-10-22", None, {}, -1e300]),
            "data": generator.choice(
                [{"a/b": 1.5, "c": {"d": [1, {"e": None}]}}, [{"path": "a", "value": 'é:\\"'}], {}, 5]
            ),
            "event": generator.choice([None, {"type": "x"}, [{"data": {"deep": [[[1]]]}}], "?"]),
        }
        for _ in range(generator.randint(1, 4))
    ]
    text = json.dumps(sent if generator.random() < 0.6 else sent[0], ensure_ascii=generator.random() < 0.5)
    if generator.random() < 0.2:
        text = "\n".join(json.dumps(event) for event in sent)
    body = bytearray(text.encode())
    pieces = [
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"9" * 30,
        rb'"\ud800"',
        b"\xff",
        b"\x00",
        b"{",
        b"}",
        b"[",
        b"]",
    ]
    pieces += [
        b",",
        b":",
        b'"',
        b"\\",
        b'"deviceId":"x",',
        b'"__a__":1,',
        b"[" * 200,
        b"null",
        b"\n",
        b"\r\n",
    ]
    for _ in range(generator.randint(0, 4)):
        at = generator.randrange(len(body) + 1)
        kind = generator.random()
        if kind < 0.5:
            body[at:at] = generator.choice(pieces)
        elif kind < 0.8:
            del body[at : at + generator.randint(1, 6)]
        elif at < len(body):
            body[at] = generator.randrange(256)
    return bytes(body)


async def test_a_thousand_damaged_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = random.Random(20_261_022)
    ingest = Ingest(monkeypatch)
    ingest.network["rateLimit"] = {"networkPerSecond": 1e9, "devicePerSecond": 1e9}
    statuses: dict[int, int] = {}
    for start in range(0, 1000, 50):
        bodies = [_mutated(generator) for _ in range(50)]
        before = len(ingest.topic.events)
        answers = await asyncio.gather(*(ingest.post(body) for body in bodies))
        accepted = 0
        for body, answer in zip(bodies, answers, strict=True):
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            assert answer.status_code in (202, 207, 400), (start, body, answer.text)
            assert "Traceback" not in answer.text
            told = answer.json()
            if answer.status_code == 400:
                assert set(told) >= {"status", "error", "message", "description"}
            else:
                assert len(told["ids"]) == told["accepted"] > 0
                assert len(told.get("errors", [])) == told.get("refused", 0)
            accepted += told.get("accepted", 0)
        assert len(ingest.topic.events) - before == accepted
    assert set(statuses) == {202, 207, 400}


@given(st.binary(max_size=200))
def test_any_bytes_are_events_or_named_as_none(body: bytes) -> None:
    from shared.errors import ApiError

    for lines in (False, True):
        try:
            assemble.batch(decode.parse(body, lines), NETWORK, NOW, "")
        except ApiError as error:
            assert error.status in (400, 413)  # noqa: PT017 both outcomes are right
