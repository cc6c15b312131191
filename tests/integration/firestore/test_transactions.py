"""Transactions: what they lock, who loses, and the official client's retries."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from google.api_core.exceptions import Aborted
from google.cloud import firestore

from emulators.firestore import transactions
from emulators.kit.rpc import StatusError
from tests.integration.firestore.api import Api, both, code_of, eventually, outcome, value, where

TIMEOUT = ("ABORTED", "Transaction lock timeout.")


@pytest.fixture(name="api")
def with_documents(api: Api) -> Api:
    api.commit(*(api.set(f"c/{key}", {"x": 1}) for key in "abc"))
    return api


def test_a_transaction_commits_once(api: Api) -> None:
    transaction = api.begin()
    assert api.get("c/a", transaction=transaction).fields["x"].integer_value == 1
    api.commit(api.set("c/a", {"x": 2}), transaction=transaction)
    assert api.read("c/a") == {"x": 2}
    assert outcome(lambda: api.commit(api.set("c/a"), transaction=transaction)) == (
        "INVALID_ARGUMENT",
        "Transaction is invalid or closed.",
    )


def test_a_writer_loses_against_a_reader_that_stays(api: Api) -> None:
    transaction = api.begin()
    api.get("c/a", transaction=transaction)
    assert code_of(lambda: api.get("c/none", transaction=transaction)) == "NOT_FOUND"
    with ThreadPoolExecutor(2) as pool:
        losers = [
            pool.submit(outcome, partial(api.commit, api.set(path, {"x": 5}))) for path in ("c/a", "c/none")
        ]
        batch = api.batch_write(api.set("c/a", {"x": 5}), api.set("c/free", {"x": 5}))
        assert [loser.result() for loser in losers] == [TIMEOUT, TIMEOUT]
    assert [(status.code, status.message) for status in batch.status] == [(10, TIMEOUT[1]), (0, "")]
    assert (api.read("c/a"), api.read("c/none"), api.read("c/free")) == ({"x": 1}, None, {"x": 5})
    api.commit(api.set("c/a", {"x": 2}), transaction=transaction)
    assert api.read("c/a") == {"x": 2}


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_writer_goes_on_when_the_reader_has_ended(api: Api, end: str) -> None:
    transaction = api.begin()
    api.get("c/a", transaction=transaction)
    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(code_of, lambda: api.commit(api.set("c/a", {"x": 5})))
        if end == "commit":
            api.commit(api.set("c/b", {"x": 2}), transaction=transaction)
        else:
            api.call("rollback", database=api.database, transaction=transaction)
        assert writer.result() == "OK"
    assert api.read("c/a") == {"x": 5}


def test_of_two_that_read_the_same_and_write_it_one_loses(api: Api) -> None:
    first, second = api.begin(), api.begin()
    for transaction in (first, second):
        api.get("c/a", transaction=transaction)
    with ThreadPoolExecutor(2) as pool:
        ends = [
            pool.submit(outcome, partial(api.commit, api.set("c/a", {"x": 7}), transaction=transaction))
            for transaction in (first, second)
        ]
        codes = sorted(end.result()[0] for end in ends)
    # Both may lose, as in any deadlock; both may never win.
    assert codes in (["ABORTED", "OK"], ["ABORTED", "ABORTED"])
    if "OK" in codes:
        assert api.read("c/a") == {"x": 7}
    assert code_of(lambda: api.commit(api.set("c/a", {"x": 8}))) == "OK"


def test_who_closes_a_circle_of_waiting_loses_at_once(ours: Api) -> None:
    ours.commit(ours.set("c/a", {"x": 1}))
    first, second = ours.begin(), ours.begin()
    for transaction in (first, second):
        ours.get("c/a", transaction=transaction)
    ours.control("DELETE", "/calls")
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(outcome, partial(ours.commit, ours.set("c/a", {"x": 2}), transaction=first))
        eventually(lambda: ours.control("GET", "/calls").get("Commit") == 1)
        assert outcome(lambda: ours.commit(ours.set("c/a", {"x": 3}), transaction=second)) == TIMEOUT
        assert waits.result() == ("OK", "")
    assert ours.read("c/a") == {"x": 2}


def test_a_query_locks_what_it_matched_and_what_it_would_match(api: Api) -> None:
    transaction = api.begin()
    ones = {"from_": [{"collection_id": "c"}], "where": both(where("x", "EQUAL", 1))}
    assert api.query(ones, transaction=transaction) == ["c/a", "c/b", "c/c"]
    assert code_of(lambda: api.commit(api.set("elsewhere/a", {"x": 1}))) == "OK"
    with ThreadPoolExecutor(3) as pool:
        losers = [
            pool.submit(outcome, partial(api.commit, write))
            for write in (api.set("c/new", {"x": 1}), api.set("c/a", {"x": 2}), api.delete("c/b"))
        ]
        assert [loser.result() for loser in losers] == [TIMEOUT] * 3
    assert api.query(ones, transaction=transaction) == ["c/a", "c/b", "c/c"]
    api.call("rollback", database=api.database, transaction=transaction)


def test_a_read_only_transaction_sees_its_beginning_and_hinders_nobody(api: Api) -> None:
    transaction = api.begin(read_only={})
    everything = {"from_": [{"collection_id": "c"}]}
    assert api.query(everything, transaction=transaction) == ["c/a", "c/b", "c/c"]
    api.commit(api.set("c/a", {"x": 2}), api.delete("c/b"), api.set("c/new", {"x": 1}))
    assert api.get("c/a", transaction=transaction).fields["x"].integer_value == 1
    assert api.query(everything, transaction=transaction) == ["c/a", "c/b", "c/c"]
    found = api.call(
        "batch_get_documents",
        database=api.database,
        documents=[api.name("c/b"), api.name("c/new")],
        transaction=transaction,
    )
    assert sorted((item.found.name, item.missing) for item in found) == [
        ("", api.name("c/new")),
        (api.name("c/b"), ""),
    ]
    assert api.query(everything) == ["c/a", "c/c", "c/new"]
    api.commit(transaction=transaction)


def test_the_official_client_retries_until_all_have_counted(api: Api) -> None:
    client, reference = api.client, api.client.document("c/count")
    reference.set({"n": 0})
    attempts: list[int] = []

    @firestore.transactional  # type: ignore[untyped-decorator]  # the client has no types
    def count(transaction: Any) -> None:
        attempts.append(1)
        seen = reference.get(transaction=transaction).to_dict()["n"]
        transaction.update(reference, {"n": seen + 1})

    def work() -> None:
        while True:
            try:
                count(client.transaction(max_attempts=20))
            except (Aborted, ValueError) as error:  # the client's word for too many attempts
                if isinstance(error, ValueError) and "attempts" not in str(error):
                    raise
            else:
                return

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert reference.get().to_dict() == {"n": 3}
    assert len(attempts) >= 3


async def test_the_async_client_retries_too(api: Api) -> None:
    client = firestore.AsyncClient(project=api.project)
    reference = client.document("c/count")
    await reference.set({"n": 0})

    @firestore.async_transactional  # type: ignore[untyped-decorator]  # the client has no types
    async def count(transaction: Any) -> int:
        snapshot = await reference.get(transaction=transaction)
        transaction.update(reference, {"n": snapshot.to_dict()["n"] + 1})
        return int(snapshot.to_dict()["n"])

    assert await count(client.transaction()) == 0
    assert await count(client.transaction()) == 1
    assert (await reference.get()).to_dict() == {"n": 2}
    client.close()


def test_a_transaction_that_nobody_uses_lets_go(monkeypatch: pytest.MonkeyPatch) -> None:
    open_ones = transactions.Transactions()
    forgotten = open_ones.begin(read_only=False)
    open_ones.read(forgotten, ["name"])
    assert open_ones.blockers([("name", (None,))], None) == {forgotten}
    monkeypatch.setattr(transactions, "_MAX_IDLE", -1.0)
    with pytest.raises(StatusError, match="invalid or closed"):
        open_ones.get(forgotten.id)
    assert open_ones.idle


def test_a_failed_commit_ends_its_transaction(api: Api) -> None:
    transaction = api.begin()
    api.get("c/a", transaction=transaction)
    wrong = api.transform(
        "c/none", {"field_path": "x", "increment": value(1)}, current_document={"exists": True}
    )
    assert code_of(lambda: api.commit(wrong, transaction=transaction)) == "NOT_FOUND"
    assert code_of(lambda: api.commit(api.set("c/a", {"x": 3}))) == "OK"
