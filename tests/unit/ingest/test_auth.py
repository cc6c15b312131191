"""Who may send: keys, their rotation and end, tokens that speak for one device, guessing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from functions.ingest import cache
from functions.ingest.cache import Cache
from shared import clock, keys, names
from shared.errors import ApiError, Transient
from tests.support.ingest import KEY, NETWORK, SECOND_KEY, TOKEN, Ingest, event


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Time for the caches, which stands still until it is let pass."""
    offset = 1000.0

    def advance(seconds: float) -> None:
        nonlocal offset
        offset += seconds

    for module in ("cache", "receive"):
        monkeypatch.setattr(f"functions.ingest.{module}.monotonic", lambda: offset)
    return advance


@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        "secret",
        "fk_short_x",
        keys.make("fk").text,
        f"fk_{KEY.id}_{SECOND_KEY.secret}",
        f"ft_{KEY.id}_{KEY.secret}",
        f"fk_{TOKEN.id}_{TOKEN.secret}",
        f"ft_{TOKEN.id}_{KEY.secret}",
        keys.make("ft").text,
    ],
    ids=[
        "no key",
        "empty",
        "no form",
        "too short",
        "unknown key",
        "another key's secret",
        "key as token",
        "token's id as key",
        "token with a key's secret",
        "unknown token",
    ],
)
async def test_without_a_valid_key_401_and_nothing_published(ingest: Ingest, key: str | None) -> None:
    answer = await ingest.post(event(), key=key)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["error"] in ("auth.missing", "auth.wrongKey")
    assert ingest.topic.calls == []


async def test_other_schemes_are_refused_and_bearer_is_read_in_any_case(ingest: Ingest) -> None:
    for scheme, status in (("Basic", 401), ("bearer", 202), ("BEARER", 202)):
        answer = await ingest.post(event(), key=None, headers={"Authorization": f"{scheme} {KEY.text}"})
        assert answer.status_code == status


async def test_an_unknown_network_answers_as_a_wrong_key_does(ingest: Ingest) -> None:
    unknown = await ingest.post(event(), network="nobody")
    wrong = await ingest.post(event(), key=keys.make("fk"))
    assert (unknown.status_code, unknown.json()) == (wrong.status_code, wrong.json())


async def test_two_keys_are_valid_at_once_and_each_ends_for_itself(ingest: Ingest, later: Any) -> None:
    assert (await ingest.post(event(), key=KEY)).status_code == 202
    assert (await ingest.post(event(), key=SECOND_KEY)).status_code == 202
    ingest.network["keys"][KEY.id]["revoked"] = True
    later(5.1)
    assert (await ingest.post(event(), key=KEY)).status_code == 401
    assert (await ingest.post(event(), key=SECOND_KEY)).status_code == 202
    ingest.network["keys"][SECOND_KEY.id]["expires"] = clock.now_ms() - 1
    later(5.1)
    assert (await ingest.post(event(), key=SECOND_KEY)).status_code == 401


async def test_a_key_expires_on_time_although_the_network_is_cached(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now_ms()
    ingest.network["keys"][KEY.id]["expires"] = now + 1000
    assert (await ingest.post(event())).status_code == 202
    monkeypatch.setattr(clock, "now_ms", lambda: now + 1000)
    assert (await ingest.post(event())).status_code == 401


async def test_a_token_speaks_for_its_device_alone(ingest: Ingest) -> None:
    assert (await ingest.post([event("t-1"), event("t-1", id="2")], key=TOKEN)).status_code == 202
    published = len(ingest.topic.calls)
    for body in (
        event("t-2"),
        event("t-9"),
        [event("t-1"), event("t-2")],
        event("t-1", aliasKey="imei"),
    ):
        answer = await ingest.post(body, key=TOKEN)
        assert (answer.status_code, answer.json()["error"]) == (403, "auth.otherDevice")
    assert len(ingest.topic.calls) == published


async def test_a_token_is_of_no_use_on_another_network(ingest: Ingest) -> None:
    ingest.store.documents[names.network("other")] = dict(ingest.network)
    answer = await ingest.post(event(), key=TOKEN, network="other")
    assert (answer.status_code, answer.json()["error"]) == (403, "auth.otherNetwork")
    assert ingest.topic.calls == []


async def test_a_token_does_not_outlive_its_end_its_network_or_its_project(
    ingest: Ingest, later: Any
) -> None:
    token = ingest.store.documents[names.device_token(TOKEN.id)]
    token["revoked"] = True
    assert (await ingest.post(event(), key=TOKEN)).status_code == 401
    token["revoked"] = False
    later(5.1)
    assert (await ingest.post(event(), key=TOKEN)).status_code == 202
    ingest.network["projectId"] = "sold"
    later(5.1)
    assert (await ingest.post(event(), key=TOKEN)).status_code == 401
    del ingest.store.documents[names.network(NETWORK)]
    later(5.1)
    assert (await ingest.post(event(), key=TOKEN)).status_code == 401


async def test_a_known_sender_costs_no_read_and_fifty_at_once_cost_one(ingest: Ingest) -> None:
    answers = await asyncio.gather(*(ingest.post(event(f"d{n}")) for n in range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len(ingest.store.reads) == 1
    await ingest.post(event())
    assert len(ingest.store.reads) == 1


async def test_a_store_that_fails_is_503_and_nothing_is_remembered(ingest: Ingest) -> None:
    ingest.store.error = Transient("down")
    answer = await ingest.post(event())
    assert (answer.status_code, answer.json()["error"]) == (503, "service.unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    ingest.store.error = None
    assert (await ingest.post(event())).status_code == 202


async def test_guessing_is_rationed_and_hurts_no_known_sender(ingest: Ingest, later: Any) -> None:
    assert (await ingest.post(event())).status_code == 202
    reads = len(ingest.store.reads)
    statuses = [(await ingest.post(event(), key=keys.make("ft"))).status_code for _ in range(150)]
    assert set(statuses) == {401, 429}
    assert len(ingest.store.reads) - reads == cache.UNKNOWN_PER_SECOND
    later(5.1)
    assert (await ingest.post(event())).status_code == 202


async def test_a_wrong_name_is_remembered_for_a_while() -> None:
    reads: list[list[str]] = []

    async def read(names: list[str]) -> dict[str, str]:
        reads.append(names)
        return {name: name.upper() for name in names if name != "nobody"}

    store: Cache[str] = Cache(read, size=10)
    for _ in range(3):
        assert await store.get("nobody") is None
    assert await store.get_many(["a", "b", "nobody"]) == {"a": "A", "b": "B", "nobody": None}
    assert reads == [["nobody"], ["a", "b"]]
    for n in range(100):
        await store.get(f"n{n}")
    assert len(store) == 10


async def test_whoever_waits_for_a_read_survives_the_one_who_began_it() -> None:
    gate = asyncio.Event()
    reads = 0

    async def read(names: list[str]) -> dict[str, str]:
        nonlocal reads
        reads += 1
        await gate.wait()
        return dict.fromkeys(names, "x")

    store: Cache[str] = Cache(read)
    first, second = asyncio.ensure_future(store.get("a")), asyncio.ensure_future(store.get("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert await second == "x"
    assert reads == 1


async def test_a_read_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "READ_SECONDS", 0.01)

    async def read(names: list[str]) -> dict[str, str]:
        await asyncio.sleep(60)
        raise AssertionError

    with pytest.raises(Transient):
        await Cache(read).get("a")


async def test_the_ration_of_unknown_names_comes_back() -> None:
    async def read(names: list[str]) -> dict[str, str]:
        return {}

    store: Cache[str] = Cache(read, unknown_per_second=1000)
    refused = 0
    for n in range(1500):
        try:
            await store.get(f"n{n}")
        except ApiError:
            refused += 1
    assert refused
    await asyncio.sleep(0.01)
    assert await store.get("again") is None
