"""Failed attempts slow down whoever makes them, and nobody else."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from fulcrum.core import ids
from functions.api.access import attempts
from shared import clock
from shared.clients import firestore
from shared.config import settings
from tests.support.api import Api
from tests.unit.api.access.people import Account, account, sign_in

ATTACKER, HOME = "198.51.100.9", "203.0.113.7"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Seconds by which the clock is ahead."""
    ahead = [0]
    monkeypatch.setattr(clock, "offset_ns", lambda: ahead[0] * 1_000_000_000)
    return ahead


async def _fail(http: httpx.AsyncClient, user: Account, project: str, source: str = ATTACKER) -> int:
    return (await sign_in(http, user, project, "wrong-password", source)).status_code


async def test_waits_grow_with_each_failure_up_to_fifteen_minutes(api: Api, later: list[int]) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    waits = []
    async with api.client() as http:
        for _ in range(attempts.FREE_OF_PAIR):
            assert await _fail(http, user, project) == 401
        for _ in range(12):
            answer = await sign_in(http, user, project, source=ATTACKER)
            assert (answer.status_code, answer.json()["error"]) == (429, "login.tooMany")
            waits.append(int(answer.headers["retry-after"]))
            later[0] += waits[-1]
            assert await _fail(http, user, project) == 401
    assert waits == sorted(waits)
    assert waits[0] <= 2 < waits[3] < waits[-1] == attempts.MAX_WAIT_SECONDS


async def test_the_right_password_still_works_from_elsewhere(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        statuses = [await _fail(http, user, project) for _ in range(9)]
        assert statuses == [401] * attempts.FREE_OF_PAIR + [429] * 4
        assert (await sign_in(http, user, project, source=ATTACKER)).status_code == 429
        assert (await sign_in(http, user, project, source=HOME)).status_code == 200


async def test_another_user_still_signs_in_from_the_same_source(api: Api) -> None:
    project = api.project(ids.new_id())
    user, colleague = account(api, project), account(api, project)
    async with api.client() as http:
        for _ in range(7):
            await _fail(http, user, project, "192.0.2.1")
        assert (await sign_in(http, colleague, project, source="192.0.2.1")).status_code == 200


async def test_a_success_forgets_the_failures_before_it(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        for _ in range(3):
            for _ in range(attempts.FREE_OF_PAIR - 1):
                assert await _fail(http, user, project, "192.0.2.2") == 401
            assert (await sign_in(http, user, project, source="192.0.2.2")).status_code == 200


async def test_many_attempts_at_once_count_like_one_after_the_other(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        statuses = await asyncio.gather(*(_fail(http, user, project, "192.0.2.3") for _ in range(50)))
    assert sorted(statuses) == [401] * attempts.FREE_OF_PAIR + [429] * 45


async def test_many_right_passwords_at_once_all_sign_in(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        answers = await asyncio.gather(*(sign_in(http, user, project, source="192.0.2.4") for _ in range(15)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_source_that_tries_many_users_has_to_wait_and_others_have_not(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        for number in range(attempts.FREE_OF_SOURCE):
            unknown = Account("", f"guess{number}")
            assert await _fail(http, unknown, project, "192.0.2.5") == 401
        assert (await sign_in(http, user, project, source="192.0.2.5")).status_code == 429
        assert (await sign_in(http, user, project, source="192.0.2.6")).status_code == 200


async def test_unknown_users_have_to_wait_like_known_ones(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client() as http:
        statuses = [await _fail(http, Account("", "nobody"), project, "192.0.2.7") for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2


async def test_what_a_client_claims_of_its_address_is_not_believed(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        statuses = [await _fail(http, user, project, f"10.0.0.{n}, 192.0.2.8") for n in range(7)]
        assert statuses == [401] * 5 + [429] * 2
        # The network of an IPv6 address is its /64.
        statuses = [await _fail(http, user, project, f"2001:db8:0:7::{n}") for n in range(7)]
        assert statuses == [401] * 5 + [429] * 2
        assert await _fail(http, user, project, "2001:db8:0:8::1") == 401


async def test_the_number_of_trusted_proxies_decides(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    monkeypatch.setenv("FULCRUM_TRUSTED_PROXIES", "2")
    settings.cache_clear()
    async with api.client() as http:
        statuses = [await _fail(http, user, project, f"192.0.2.9, 10.0.0.{n}") for n in range(7)]
    assert statuses == [401] * 5 + [429] * 2


async def test_a_login_reads_and_writes_a_bounded_number_of_documents(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    writes: list[int] = []
    get, commit = firestore.batch_get, firestore.commit

    async def counted_get(names: object, mask: object = None) -> object:
        wanted = list(names)  # type: ignore[call-overload]  # whatever the caller gives
        reads.append(len(wanted))
        return await get(wanted, mask)  # type: ignore[arg-type]  # as above

    async def counted_commit(given: list[object]) -> None:
        writes.append(len(given))
        await commit(given)

    project = api.project(ids.new_id())
    user = account(api, project)
    monkeypatch.setattr(firestore, "batch_get", counted_get)
    monkeypatch.setattr(firestore, "commit", counted_commit)
    async with api.client() as http:
        assert (await sign_in(http, user, project, source="192.0.2.20")).status_code == 200
        right = (sum(reads), sum(writes))
        reads.clear()
        writes.clear()
        assert await _fail(http, user, project, "192.0.2.20") == 401
        wrong = (len(reads), sum(reads), sum(writes))
        reads.clear()
        writes.clear()
        assert await _fail(http, Account("", "nobody-at-all"), project, "192.0.2.20") == 401
        unknown = (len(reads), sum(reads), sum(writes))
    assert right == (6, 1)
    assert wrong == unknown == (2, 6, 2)
